"""What a person sees of a resource and is asked for by an API, derived from the declarations.

Primitives: `Kind` (how a value is shown and entered), `Shown` (one field of an inventory), `shown` (all of a
resource's, most telling first), `Input` (one field of a form), `inputs` (a form's, in order) and `Acts` (which APIs
make, change and delete a resource).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import msgspec

from zstack_appliance.kernel.edges import Edge, Graph, public_fields
from zstack_appliance.kernel.message import Access, Create, Delete, Read, Request, Update, api_of, resource_of
from zstack_appliance.kernel.schema import SECRET, TIMESTAMP, Field, Record, describe, fields_of, root_of
from zstack_appliance.kernel.unserved import UNSERVED

LONG_TEXT = 1000
"""Text that may be longer than this many characters is entered in several lines."""


class Kind(enum.Enum):
    """How a value is shown, and entered."""

    NAME = "name"
    TEXT = "text"
    LONG = "long text"
    NUMBER = "number"
    BYTES = "bytes"
    FLAG = "true or false"
    STATE = "one of a few"
    TIME = "time"
    UUID = "uuid"
    REFERENCE = "reference"
    REFERENCES = "references"
    VALUES = "list"
    ROWS = "rows"
    STRUCTURE = "structure"
    UNSEEN = "entered unseen"


@dataclass(frozen=True)
class Shown:
    """One field of an inventory.

    Args:
        wire: its name on the wire.
        kind: how it is shown.
        target: the resource that a reference or a list of rows leads to.
        choices: the values that it can have, where they are few.
    """

    wire: str
    kind: Kind
    target: type[Record] | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Input:
    """One field of a form.

    Args:
        wire: its name on the wire.
        kind: how it is entered.
        required: whether it must be given.
        default: the value that it has when it is not given, as JSON has it.
        choices: the values that it takes, where they are few.
        target: the resource that is referred to.
        help: what the declaration says of it.
        low: smallest number.
        high: largest number.
        longest: longest text, in characters.
    """

    wire: str
    kind: Kind
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()
    target: type[Record] | None = None
    help: str = ""
    low: float | None = None
    high: float | None = None
    longest: int | None = None


_BYTES = re.compile(r"(memory|disk|actual|virtual|root)?(size|capacity)s?$", re.IGNORECASE)
_NOT_BYTES = re.compile(r"cpu|vm|ip", re.IGNORECASE)


def choices_of(field: Field) -> tuple[str, ...]:
    """The values that a field takes, where they are few enough to name."""
    if field.enum is not None:
        return tuple(str(member.value) for member in field.enum)
    return tuple(str(value) for value in get_args(field.type)) if get_origin(field.type) is Literal else ()


def kind_of(field: Field) -> Kind:
    """How the value of a field is shown and entered."""
    if field.marked(SECRET):
        return Kind.UNSEEN
    if field.ref is not None:
        return Kind.REFERENCES if field.is_json else Kind.REFERENCE
    if choices_of(field):
        return Kind.STATE
    if field.is_json:
        plain = get_origin(field.type) in (list, tuple) and set(get_args(field.type)) <= {str, int, Ellipsis}
        return Kind.VALUES if plain else Kind.STRUCTURE
    return _kind_of_number(field) if field.type in (bool, int, float) else _kind_of_text(field)


def _kind_of_number(field: Field) -> Kind:
    if field.marked(TIMESTAMP):
        return Kind.TIME
    if field.type is bool:
        return Kind.FLAG
    return Kind.BYTES if _is_bytes(field) else Kind.NUMBER


def _kind_of_text(field: Field) -> Kind:
    if field.wire == "name":
        return Kind.NAME
    if field.wire == "uuid" or field.wire.endswith("Uuid"):
        return Kind.UUID
    long = any((meta.max_length or 0) > LONG_TEXT for meta in field.meta)
    return Kind.LONG if long else Kind.TEXT


def _is_bytes(field: Field) -> bool:
    if any(meta.description == "bytes" for meta in field.meta):
        return True
    return field.type is int and bool(_BYTES.search(field.wire)) and not _NOT_BYTES.search(field.wire)


def shown(graph: Graph, cls: type[Record]) -> tuple[Shown, ...]:
    """What an inventory of this resource holds, most telling first; sub-types show more than their base."""
    fields = [
        Shown(field.wire, kind_of(field), field.ref.target if field.ref else None, choices_of(field))
        for field in public_fields(cls)
    ]
    lists = [_shown_list(edge) for edge in graph.embeds(cls)]
    ranked = sorted(enumerate((*fields, *lists)), key=lambda entry: (_rank(entry[1]), entry[0]))
    return tuple(entry for _, entry in ranked)


def _shown_list(edge: Edge) -> Shown:
    assert edge.listed is not None
    if edge.plucked is None:
        return Shown(edge.listed, Kind.ROWS, edge.target)
    field = describe(edge.target).field(edge.plucked)
    if field.ref is None:
        return Shown(edge.listed, Kind.VALUES)
    return Shown(edge.listed, Kind.REFERENCES, field.ref.target)


_RANKS = {
    Kind.NAME: 0,
    Kind.STATE: 1,
    Kind.NUMBER: 3,
    Kind.BYTES: 3,
    Kind.VALUES: 4,
    Kind.REFERENCE: 4,
    Kind.REFERENCES: 5,
    Kind.FLAG: 6,
    Kind.TIME: 7,
    Kind.UUID: 9,
    Kind.LONG: 9,
    Kind.STRUCTURE: 9,
}


def _rank(entry: Shown) -> int:
    if entry.wire in ("tag", "ip", "value", "startIp"):
        return 0
    return _RANKS.get(entry.kind, 3)


def inputs(message: type[Request[Any]], fixed: Iterable[str] = ()) -> tuple[Input, ...]:
    """What a form for this API asks for: required fields first, each group in the declaration's order.

    Args:
        message: the API.
        fixed: wire names that are known already, such as the resource that is acted on.
    """
    left_out = {*fixed, "resourceUuid", "tagUuids", "deleteMode"}
    found = [_input(field) for field in fields_of(message) if field.wire not in left_out and not field.marked(UNSERVED)]
    tags = {"systemTags", "userTags"}
    return tuple(sorted(found, key=lambda entry: (not entry.required, entry.wire in tags)))


def _input(field: Field) -> Input:
    meta = field.meta
    default = msgspec.to_builtins(field.default)
    return Input(
        wire=field.wire,
        kind=kind_of(field),
        required=field.required and not field.nullable,
        default=list(default) if isinstance(default, tuple) else default,
        choices=choices_of(field),
        target=field.ref.target if field.ref else None,
        help=next((each.description for each in meta if each.description and each.description != "bytes"), ""),
        low=next((each.ge for each in meta if each.ge is not None), None),
        high=next((each.le for each in meta if each.le is not None), None),
        longest=next((each.max_length for each in meta if each.max_length is not None), None),
    )


@dataclass(frozen=True)
class Acts:
    """The APIs of one resource.

    Args:
        makers: what makes one, each in its way.
        changers: what does something to one, updates first.
        deleter: what deletes one.
        keyed: what changes one that its path names by the row's own fields instead of a uuid.
    """

    makers: tuple[type[Request[Any]], ...]
    changers: tuple[type[Request[Any]], ...]
    deleter: type[Request[Any]] | None
    keyed: tuple[type[Request[Any]], ...] = ()

    @property
    def every(self) -> tuple[type[Request[Any]], ...]:
        """All of them."""
        return (*self.makers, *self.changers, *self.keyed, *((self.deleter,) if self.deleter is not None else ()))


def acts(requests: Iterable[type[Request[Any]]], cls: type[Record]) -> Acts:
    """Which APIs make, change and delete rows of a resource; those of its sub-types are among them."""
    own = [message for message in requests if _is_about(message, cls)]
    makers = [m for m in own if issubclass(m, Create)]
    deleter = next((m for m in own if issubclass(m, Delete)), None)
    rest = [m for m in own if not issubclass(m, Create | Delete | Read) and acted_field(m, cls) is not None]
    rest.sort(key=lambda m: (not issubclass(m, Update), m.__name__))
    keyed = tuple(m for m in own if m not in rest and keys_of(m, cls))
    return Acts(tuple(makers), tuple(rest), deleter, keyed)


def acted_field(message: type[Request[Any]], cls: type[Record]) -> Field | None:
    """The field that says which row of `cls` is acted on."""
    refs = [f for f in fields_of(message) if f.ref is not None and f.required and not f.is_json]
    own = [f for f in refs if f.ref is not None and root_of(f.ref.target).cls is root_of(cls).cls]
    return next((f for f in own if f.name == "uuid"), own[0] if own else None)


def keys_of(message: type[Request[Any]], cls: type[Record]) -> tuple[str, ...]:
    """The fields (wire names) by which an API's path names a row of `cls`, where no uuid does."""
    declared = api_of(message)
    if declared is None or issubclass(message, Create | Delete | Read):
        return ()
    wires = {field.wire for field in public_fields(cls)} - {"uuid"}
    variables = tuple(declared.rename.get(name, name) for name in re.findall(r"\{(\w+)\}", declared.path))
    return variables if variables and set(variables) <= wires else ()


def is_for_administrators(message: type[Request[Any]]) -> bool:
    """Whether an ordinary account would be refused at once."""
    declared = api_of(message)
    return declared is not None and declared.access is Access.ADMIN


def _is_about(message: type[Request[Any]], cls: type[Record]) -> bool:
    if api_of(message) is None:
        return False
    target = resource_of(message)
    return target is not None and root_of(target).cls is root_of(cls).cls
