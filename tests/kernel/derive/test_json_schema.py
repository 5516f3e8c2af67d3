from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from tests.kernel.small_store import GRAPH
from zstack_appliance.kernel.derive.json_schema import Schemas
from zstack_appliance.kernel.schema import Timestamp, fields_of


class Colour(enum.Enum):
    """A colour."""

    RED = "red"


class Node(msgspec.Struct, frozen=True, rename="camel"):
    """May hold others of its kind.

    More words.
    """

    first_name: Annotated[str, msgspec.Meta(max_length=5, pattern="^a", description="its name")]
    at: Timestamp
    sizes: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)] = (1,)
    colour: Colour = Colour.RED
    children: list[Node] | None = None


@pytest.mark.parametrize(
    ("declared", "schema"),
    [
        (str, {"type": "string"}),
        (Any, {}),
        (bytes, {}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Colour, {"enum": ["red"]}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (list, {"type": "array", "items": {}}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
    ],
)  # fmt: skip
def test_types(declared: Any, schema: dict[str, Any]) -> None:
    assert Schemas(GRAPH).of(declared) == schema


def test_a_structure_is_named_once_even_if_it_holds_itself() -> None:
    schemas = Schemas(GRAPH)
    assert schemas.of(Node) == schemas.of(Node) == {"$ref": "#/components/schemas/Node"}
    node = schemas.named["Node"]
    assert node["description"] == "May hold others of its kind."
    assert node["required"] == ["firstName", "at"]
    assert node["properties"]["children"]["items"] == {"$ref": "#/components/schemas/Node"}


def test_bounds_and_defaults() -> None:
    made = Schemas(GRAPH).fields(fields_of(Node))["properties"]
    assert made["firstName"] == {"type": "string", "maxLength": 5, "pattern": "^a", "description": "its name"}
    assert made["sizes"]["minItems"] == 1
    assert made["colour"] == {"enum": ["red"], "default": "red"}
    assert made["at"]["type"] == "string"
