"""From decoded JSON to a message, and what is said about what is wrong."""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.message import Message
from zstack_appliance.kernel.schema import NAME_PATTERN, SECRET, Ref, Resource, Uuid, resource
from zstack_appliance.kernel.validate import decode, prepare


class Colour(enum.Enum):
    RED = "Red"
    BLUE = "Blue"


@resource(wire="x")
class Box(Resource, frozen=True, kw_only=True):
    pass


class Paint(Message, frozen=True, kw_only=True):
    name: Annotated[str, msgspec.Meta(max_length=10, pattern=NAME_PATTERN)]
    colour: Colour = Colour.RED
    method: Literal["brush", "spray"] = "brush"
    coats: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    glossy: bool = False
    brushes: tuple[str, ...] | None = None
    sizes: tuple[int, ...] = ()
    notes: dict[str, str] | None = None
    box_uuid: Annotated[Uuid | None, Ref(Box)] = None
    password: Annotated[str, msgspec.Meta(max_length=3), SECRET] | None = None
    ratio: Annotated[int | None, SECRET] = None


class Forced(Message, frozen=True, kw_only=True):
    text: str | None


def faults(raw: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidArgument) as caught:
        decode(Paint, raw, called="APIPaintMsg")
    assert str(caught.value) == caught.value.faults[0].text
    assert caught.value.code == "SYS.1007"
    return {fault.field: fault.text for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"coats": 3, "colour": "Blue"}, {"coats": 3, "colour": Colour.BLUE}),
        ({"coats": "3", "glossy": "TRUE"}, {"coats": 3, "glossy": True}),
        ({"glossy": "false", "coats": 4.0}, {"glossy": False, "coats": 4}),
        ({"name": "  door "}, {"name": "door"}),
        ({"name": 17}, {"name": "17"}),
        ({"name": True}, {"name": "true"}),
        ({"password": " a "}, {"password": " a "}),
        ({"coats": None, "brushes": None}, {"coats": 1, "brushes": None}),
        ({"coats": "", "boxUuid": "", "colour": " ", "glossy": ""}, {"coats": 1, "box_uuid": None}),
        ({"brushes": ["a", "b"]}, {"brushes": ("a", "b")}),
        ({"brushes": "a"}, {"brushes": ("a",)}),
        ({"sizes": ["1", 2]}, {"sizes": (1, 2)}),
        ({"notes": {"a": "b"}}, {"notes": {"a": "b"}}),
        ({"unknown": 1}, {}),
        ({"coats": "3", "name": 17}, {"coats": 3, "name": "17"}),
    ],
)
def test_what_is_understood(raw: dict[str, Any], expected: dict[str, Any]) -> None:
    message = decode(Paint, {"name": "door", **raw})
    assert {name: getattr(message, name) for name in expected} == expected


def test_what_may_be_null_but_must_be_named_is_null_when_it_is_not() -> None:
    assert decode(Forced, {"text": "x"}) == Forced(text="x")
    assert decode(Forced, {}) == decode(Forced, {"text": None}) == Forced(text=None)


@pytest.mark.parametrize(
    ("raw", "field", "text"),
    [
        ({"name": None}, "name", "field[name] of message[APIPaintMsg] is mandatory, can not be null"),
        ({"name": "x" * 11}, "name", "exceeds max length of string. expected was <= 10, actual was 11"),
        ({"name": "a/b"}, "name", "valid regex value for field[name] of message[APIPaintMsg] are"),
        (
            {"colour": "Green"},
            "colour",
            "valid value for field[colour] of message[APIPaintMsg] are [Red, Blue], but Green found",
        ),
        (
            {"method": "mop"},
            "method",
            "valid value for field[method] of message[APIPaintMsg] are [brush, spray], but mop found",
        ),
        ({"coats": 10}, "coats", "must be in range of [1, 9], but 10 found"),
        ({"coats": "many"}, "coats", "must be in range of [1, 9], but many found"),
        ({"glossy": "very"}, "glossy", "is wrong: Expected `bool`, got `str`, but [very] found"),
        ({"boxUuid": "Z"}, "boxUuid", "valid regex value for field[boxUuid]"),
        ({"brushes": [1]}, "brushes", "is wrong: Expected `str`, got `int`"),
        ({"notes": "a"}, "notes", "is wrong: Expected `object`, got `array`"),
        ({"sizes": [2**63]}, "sizes", "is wrong: Expected a number of 64 bits"),
        ({"ratio": 2**63}, "ratio", "is wrong: Expected a number of 64 bits"),
    ],
)
def test_what_is_refused(raw: dict[str, Any], field: str, text: str) -> None:
    found = faults({"name": "door", **raw})
    assert list(found) == [field]
    assert text in found[field]


def test_every_fault_is_told_at_once() -> None:
    assert set(faults({"coats": 0, "colour": "Green"})) == {"name", "coats", "colour"}


def test_faults_neither_repeat_secrets_nor_go_on_for_ever() -> None:
    found = faults({"name": "/" * 5, "ratio": "hunter2", "colour": "x" * 1000})
    assert "hunter2" not in found["ratio"]
    assert len(found["colour"]) < 350


def test_a_strict_caller_hears_of_unknown_keys() -> None:
    assert decode(Paint, {"name": "door"}, strict=True).name == "door"
    with pytest.raises(InvalidArgument, match=r"unknown field\[nmae\] of message\[Paint\]"):
        decode(Paint, {"name": "door", "nmae": "x"}, strict=True)


def test_a_declaration_that_cannot_be_decoded_is_refused_at_start() -> None:
    class Wrong(Message, frozen=True, kw_only=True):
        size: Annotated[int | None, msgspec.Meta(ge=0)] = None

    prepare(Paint)
    with pytest.raises(TypeError, match="Wrong cannot be decoded: Can only set `ge` on a numeric type"):
        prepare(Wrong)
