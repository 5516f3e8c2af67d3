"""Declare a stored noun once; tables, validation, routes, queries and forms are derived from it.

Primitives: `Record` and `Resource` (frozen structs, one stored row each), `@resource` (where it stands on
the wire and how it is owned), `Ref` (an edge to another resource with its back edge and what deleting the
target does), the annotated field types (`Uuid`, `Name`, `Millis`, …) and `describe` (the declaration as a
value that every derivation reads).

A row's columns are exactly its struct's fields. What ZStack's inventories embed beyond them (`vmNics`,
`attachedClusterUuids`) is declared at the child, by `Ref(..., back=..., embed=...)`: the child imports the
parent, never the reverse, so a new folder adds to a parent's inventory without touching it.
"""

from __future__ import annotations

import enum
import functools
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec

from zstack_appliance.kernel.naming import snake

NAME_PATTERN = r"^(?! )[\u4e00-\u9fa5a-zA-Z0-9\-_.():+\" ]*(?<! )$"
"""What ZStack accepts as a resource name in the APIs that restrict it (validRegexValues of CreateZone)."""

Uuid = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$", description="32 lower-case hexadecimal digits")]
Name = Annotated[str, msgspec.Meta(max_length=255)]
Text = Annotated[str, msgspec.Meta(max_length=2048)]
Millis = Annotated[int, msgspec.Meta(description="milliseconds since 1970-01-01 UTC")]
ByteSize = Annotated[int, msgspec.Meta(ge=0, description="bytes")]


@dataclass(frozen=True, slots=True)
class Flag:
    """A mark on a field that derivations look for."""

    label: str


SECRET = Flag("secret")
"""Marks a field that is encrypted at rest, redacted in the change feed and never answered."""

TIMESTAMP = Flag("timestamp")
"""Marks integer milliseconds that ZStack's doors print as a date."""

HIDDEN = Flag("hidden")
"""Marks a column of our own that ZStack's inventories do not have."""

SEQUENCE = Flag("sequence")
"""Marks an integer that has no meaning beyond being unique and growing; the store draws it on insert."""

VOLATILE = Flag("volatile")
"""Marks a field that changes all the time by itself, such as a heartbeat: a change of such fields alone is told in
the feed and not kept in the change log."""

COMPANION = Flag("companion")
"""Marks the uuid of a row of any table, which the row that carries it is deleted with (tags, for one)."""

Timestamp = Annotated[Millis, TIMESTAMP]


class OnDelete(enum.Enum):
    """What deleting the target of a `Ref` does to the row that holds it. The cascade reads it, not SQL."""

    DELETE = "delete"
    """The row is deleted by its own delete operation."""
    DETACH = "detach"
    """The row is detached by its folder's operation and stays (a NIC leaves its network)."""
    STOP = "stop"
    """The row is stopped and stays (a VM whose host goes)."""
    SET_NULL = "set_null"
    """The column is set to null."""
    FOLLOWS = "follows"
    """Another reference of the same row already leads to the target, so this one adds nothing."""
    VETO = "veto"
    """The deletion is refused while the row exists."""


DELETE, DETACH, STOP = OnDelete.DELETE, OnDelete.DETACH, OnDelete.STOP
SET_NULL, FOLLOWS, VETO = OnDelete.SET_NULL, OnDelete.FOLLOWS, OnDelete.VETO


class Key(typing.NamedTuple):
    """Names one row across all tables: what a queue serves in order and what a hash ring places."""

    table: str
    uuid: str

    def __str__(self) -> str:
        return f"{self.table} {self.uuid}"


@dataclass(frozen=True, slots=True)
class Embed:
    """Put the rows that point back into the target's inventory.

    Args:
        name: the list's wire name; by default the back edge's.
        pluck: the one field (Python name) whose value stands for the row, instead of the whole row.
        order: the field (Python name) that the list is sorted by.
    """

    pluck: str | None = None
    order: str = "create_date"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """This field holds the uuid of a row of `target`.

    Args:
        target: the referenced resource.
        edge: wire name of the forward query edge; by default the field's wire name without ``Uuid``.
        back: wire name of the reverse query edge on `target`; None declares no reverse edge.
        on_delete: what deleting the target does to this row.
        embed: whether and how `target`'s inventory lists the rows that point at it.
        owner: the row belongs to the account that owns the target.
        hidden: the back edge is not offered by completion (ZStack's reference tables).
        inseparable: whether a row and its target are one, so that neither goes without the other, whatever
            `on_delete` says of other rows (a root volume and its VM).
    """

    target: type[Record]
    edge: str | None = None
    back: str | None = None
    on_delete: OnDelete = OnDelete.VETO
    embed: Embed | None = None
    owner: bool = False
    hidden: bool = False
    inseparable: Callable[[Any], bool] | None = None

    def effect_on(self, row: Record) -> OnDelete:
        """What deleting the target does to this row."""
        return OnDelete.DELETE if self.is_inseparable(row) else self.on_delete

    def is_inseparable(self, row: Record) -> bool:
        """Whether the row and its target are one."""
        return self.inseparable is not None and self.inseparable(row)


class Record(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One stored row. On rows only nullable fields have defaults, so that only null is absent on the wire."""

    uuid: Uuid
    create_date: Timestamp
    last_op_date: Timestamp

    @classmethod
    def key(cls, uuid: str) -> Key:
        """The queue key of one row; a sub-type shares its base's."""
        return Key(root_of(cls).table, uuid)


class Resource(Record, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A row that people name."""

    name: Name
    description: Text | None = None


R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Options:
    """What `@resource` attaches to a class."""

    wire: str
    """ZStack's Java package, such as ``org.zstack.header.zone``."""
    path: str | None
    """REST path of the list below ``/zstack/v1``, such as ``/zones``; None is not queryable over REST."""
    owned: bool
    """Whether ordinary accounts own such rows; otherwise administrators' alone to change."""
    readable: bool
    """Whether every account may read all rows, such as zones and offerings that the administrator shares."""
    kind: str | None
    """For a sub-type: the value of the base's discriminator."""
    discriminator: str | None
    """For a base: the field that names the sub-type."""
    vo: str | None
    inventory: str | None
    aliases: dict[str, str]
    """Query aliases: the edge's short name to the chain it stands for."""
    unique: tuple[tuple[str, ...], ...]
    indexes: tuple[tuple[str, ...], ...]
    local: bool
    """Kept out of replication: every node has rows of its own."""
    silent: bool
    """Kept out of the change feed: nobody is told of such rows, and no history of them is kept."""
    journal: bool
    """A record of work done, not a thing that exists: it has no history of its own (the feed tells of it
    nevertheless), and it stays when the account that it belongs to goes."""
    table: str | None
    shareable: bool
    """Whether the owner of such a row may let other accounts see and use it."""
    view: Callable[[Any], dict[str, Any]] | None
    """Wire fields computed from a row, for what ZStack's inventory has and the table does not."""


def resource(
    *,
    wire: str,
    path: str | None = None,
    owned: bool = False,
    readable: bool = False,
    kind: str | None = None,
    discriminator: str | None = None,
    vo: str | None = None,
    inventory: str | None = None,
    aliases: dict[str, str] | None = None,
    unique: tuple[tuple[str, ...], ...] = (),
    indexes: tuple[tuple[str, ...], ...] = (),
    local: bool = False,
    silent: bool = False,
    journal: bool = False,
    table: str | None = None,
    shareable: bool = False,
    view: Callable[[Any], dict[str, Any]] | None = None,
) -> Callable[[type[R]], type[R]]:
    """Declare a stored resource. See `Options` for each argument."""
    options = Options(
        wire, path, owned, readable, kind, discriminator, vo, inventory, aliases or {}, unique, indexes,
        local, silent, journal, table, shareable, view,
    )  # fmt: skip

    def attach(cls: type[R]) -> type[R]:
        # msgspec structs keep plain class attributes that are set after creation.
        setattr(cls, _OPTIONS, options)
        return cls

    return attach


_OPTIONS = "__resource_options__"


@dataclass(frozen=True)
class Field:
    """One field of a declaration, unwrapped from its annotation."""

    name: str
    """Python name, and column."""
    wire: str
    """Name on the wire."""
    type: Any
    """The bare type, without Optional and Annotated."""
    nullable: bool
    required: bool
    """Whether a constructor must be given it."""
    default: Any
    meta: tuple[msgspec.Meta, ...]
    marks: tuple[Any, ...]
    """Everything else in the annotation: `Ref`, flags, and what plugins add."""

    @property
    def ref(self) -> Ref | None:
        """The edge that this field is, if it is one."""
        return next((mark for mark in self.marks if isinstance(mark, Ref)), None)

    def marked(self, flag: object) -> bool:
        """Whether the annotation carries this flag."""
        return flag in self.marks

    @property
    def is_json(self) -> bool:
        """Whether the column holds JSON text: lists, maps and structs do."""
        origin = get_origin(self.type) or self.type
        return origin in (list, tuple, dict, set, frozenset) or (
            isinstance(origin, type) and issubclass(origin, msgspec.Struct)
        )

    @property
    def enum(self) -> type[enum.Enum] | None:
        """The enum class of this field, if it is one."""
        return self.type if isinstance(self.type, type) and issubclass(self.type, enum.Enum) else None


def fields_of(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields of any declared struct, resource or message, in order."""
    return _fields_of(struct)


@functools.cache
def _fields_of(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    hints = typing.get_type_hints(struct, include_extras=True)
    return tuple(_field(spec, hints[spec.name]) for spec in msgspec.structs.fields(struct))


def _field(spec: msgspec.structs.FieldInfo, hint: Any) -> Field:
    bare, extras, nullable = _unwrap(hint)
    default = spec.default if spec.default is not msgspec.NODEFAULT else None
    return Field(
        name=spec.name,
        wire=spec.encode_name,
        type=bare,
        nullable=nullable,
        required=spec.required,
        default=default,
        meta=tuple(extra for extra in extras if isinstance(extra, msgspec.Meta)),
        marks=tuple(extra for extra in extras if not isinstance(extra, msgspec.Meta)),
    )


def _unwrap(hint: Any) -> tuple[Any, tuple[Any, ...], bool]:
    """Peel Annotated and Optional in whatever order they were written."""
    extras: tuple[Any, ...] = ()
    nullable = False
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            inner, *more = get_args(hint)
            hint, extras = inner, (*extras, *more)
        elif origin in (Union, types.UnionType) and type(None) in get_args(hint):
            rest = tuple(arm for arm in get_args(hint) if arm is not type(None))
            hint, nullable = (rest[0] if len(rest) == 1 else Union[rest]), True  # noqa: UP007 — built at run time
        else:
            return hint, extras, nullable


@dataclass(frozen=True)
class Description:
    """One resource as the derivations read it."""

    cls: type[Record]
    options: Options
    base: type[Record] | None
    """The resource this one is a sub-type of; its table shares the key."""
    fields: tuple[Field, ...]
    """All fields, inherited ones included."""

    @property
    def name(self) -> str:
        """Simple name, such as ``L3Network``."""
        return self.cls.__name__

    @functools.cached_property
    def table(self) -> str:
        """Table name in snake case, such as ``l3_network``."""
        return self.options.table or snake(self.name)

    @property
    def own_fields(self) -> tuple[Field, ...]:
        """The fields that this table stores: all of them, or for a sub-type those its base has not."""
        if self.base is None:
            return self.fields
        inherited = {field.name for field in fields_of(self.base)}
        return tuple(field for field in self.fields if field.name not in inherited)

    @property
    def vo(self) -> str:
        """ZStack's resource type in tags and errors, such as ``L3NetworkVO``."""
        return self.options.vo or f"{self.name}VO"

    @property
    def inventory(self) -> str:
        """ZStack's full inventory class, such as ``org.zstack.header.zone.ZoneInventory``."""
        return f"{self.options.wire}.{self.options.inventory or f'{self.name}Inventory'}"

    def field(self, name: str) -> Field:
        """The field with this Python name.

        Raises:
            KeyError: there is none.
        """
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"{self.name} has no field {name}")


@functools.cache
def describe(cls: type[Record]) -> Description:
    """The declaration of a resource class.

    Raises:
        TypeError: the class carries no ``@resource``.
    """
    options = cls.__dict__.get(_OPTIONS)
    if options is None:
        raise TypeError(f"{cls.__name__} is no resource: decorate it with @resource(wire=...)")
    base = next((parent for parent in cls.__mro__[1:] if _OPTIONS in parent.__dict__), None)
    return Description(cls, options, base, fields_of(cls))


@functools.cache
def root_of(cls: type[Record]) -> Description:
    """The description of the base resource: of the class itself unless it is a sub-type."""
    found = describe(cls)
    return found if found.base is None else root_of(found.base)


def owner_ref(cls: type[Record]) -> Field | None:
    """The field whose target's account owns rows of this class, if ownership follows a reference."""
    return next((f for f in describe(cls).fields if f.ref is not None and f.ref.owner), None)


class OnOff(enum.Enum):
    """The state that administrators switch; a disabled resource takes no new work and keeps what it has."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
