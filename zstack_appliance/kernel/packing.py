"""How values cross from one node to another: `pack` and `unpack`, `pack_error` and `unpack_error`.

Structs travel with the name of their class, wherever a declaration alone does not say which one it is (a command
to a host, a row of a sub-type), so that nothing arrives as less than it was. Only classes that the program has
loaded already are ever made, and only structs and errors: what arrives can name nothing else.
"""

from __future__ import annotations

import functools
import sys
import typing
from typing import Any, TypeVar

import msgspec

from zstack_appliance.kernel.errors import CloudError, Fault, Internal
from zstack_appliance.kernel.schema import fields_of

T = TypeVar("T")


class Packed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A value as it travels. Exactly one of the members is set; a plain value needs no name."""

    cls: str | None = None
    """The struct's class; `plain` holds it whole, or `fields` its fields one by one."""
    plain: msgspec.Raw = msgspec.Raw(b"null")
    fields: dict[str, Packed] | None = None
    items: list[Packed] | None = None
    many: str = "tuple"
    """What `items` were: ``tuple``, ``list`` or ``dict`` (keys and values in turn)."""


class PackedError(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `CloudError` as it travels, with the chain of errors that it was raised from."""

    cls: str
    details: str
    code: str
    detail_for_log: str = ""
    opaque: dict[str, Any] | None = None
    faults: list[tuple[str, str]] = []
    rejections: list[dict[str, str]] = []
    cause: PackedError | None = None


def pack(value: Any) -> Packed:
    """A value ready to travel.

    Raises:
        TypeError: it is not made of structs, lists, tuples, maps and plain values.
    """
    if isinstance(value, msgspec.Struct):
        return _pack_struct(value)
    if isinstance(value, tuple | list):
        return Packed(items=[pack(item) for item in value], many="tuple" if isinstance(value, tuple) else "list")
    if isinstance(value, dict):
        return Packed(items=[pack(part) for item in value.items() for part in item], many="dict")
    if value is None or (isinstance(value, bool | int | float | str) and type(value) in _PLAIN):
        return Packed(plain=msgspec.Raw(msgspec.json.encode(value)))
    raise TypeError(f"{type(value).__name__} cannot cross to another node: put it into a struct")


def unpack(packed: Packed) -> Any:
    """The value that was packed.

    Raises:
        Internal: it names a class that this node does not have, or does not fit it: versions differ.
    """
    try:
        return _unpack(packed)
    except (msgspec.MsgspecError, TypeError, LookupError) as error:
        raise Internal(f"what another node sent makes no sense here, install one version on all: {error}") from error


def pack_error(error: CloudError) -> PackedError:
    """An error ready to travel; what caused it travels as far as it is a `CloudError` itself."""
    cause = error.__cause__
    return PackedError(
        cls=name_of(type(error)),
        details=error.details,
        code=error.code,
        detail_for_log=error.detail_for_log,
        opaque=error.opaque,
        faults=[(fault.field, fault.text) for fault in getattr(error, "faults", ())],
        rejections=list(getattr(error, "rejections", ())),
        cause=pack_error(cause) if isinstance(cause, CloudError) else None,
    )


def unpack_error(packed: PackedError) -> CloudError:
    """The error that was packed, as its own class."""
    try:
        cls = _class(packed.cls, CloudError)
    except LookupError:
        cls = Internal
    # The constructors of sub-classes differ; what they make of their arguments has been carried whole.
    error: CloudError = cls.__new__(cls)
    CloudError.__init__(
        error, packed.details, code=packed.code, detail_for_log=packed.detail_for_log, opaque=packed.opaque
    )
    vars(error)["faults"] = tuple(Fault(field, text) for field, text in packed.faults)
    vars(error)["rejections"] = tuple(packed.rejections)
    if packed.cause is not None:
        error.__cause__ = unpack_error(packed.cause)
    return error


def name_of(cls: type[Any]) -> str:
    """What a class is called between nodes."""
    return f"{cls.__module__}:{cls.__qualname__}"


_PLAIN = (bool, int, float, str)


def _pack_struct(value: msgspec.Struct) -> Packed:
    cls = type(value)
    open_fields = [field for field in fields_of(cls) if _is_open(getattr(value, field.name), field.type)]
    if not open_fields:
        return Packed(cls=name_of(cls), plain=msgspec.Raw(msgspec.json.encode(value)))
    fields = {field.name: pack_field(getattr(value, field.name), field.type) for field in fields_of(cls)}
    return Packed(cls=name_of(cls), fields=fields)


def pack_field(value: Any, hint: Any) -> Packed:
    """One field of a struct: as its declaration has it where that says all."""
    return pack(value) if _is_open(value, hint) else Packed(plain=msgspec.Raw(msgspec.json.encode(value)))


def _is_open(value: Any, hint: Any) -> bool:
    """Whether the declared type of a field does not say of which class its value is."""
    if isinstance(value, msgspec.Struct):
        return type(value) is not hint
    return callable(value)


def _unpack(packed: Packed) -> Any:
    if packed.items is not None:
        items = [_unpack(item) for item in packed.items]
        if packed.many == "dict":
            return dict(zip(items[::2], items[1::2], strict=True))
        return tuple(items) if packed.many == "tuple" else items
    if packed.cls is None:
        return msgspec.json.decode(packed.plain)
    cls = _class(packed.cls, msgspec.Struct)
    if packed.fields is None:
        return msgspec.json.decode(packed.plain, type=cls)
    hints = _hints(cls)
    return cls(**{name: _unpack_field(each, hints[name]) for name, each in packed.fields.items()})


def _unpack_field(packed: Packed, hint: Any) -> Any:
    if packed.cls is None and packed.items is None:
        return msgspec.json.decode(packed.plain, type=hint)
    return _unpack(packed)


@functools.cache
def _hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _class(name: str, base: type[T]) -> type[T]:
    """A class that the program has loaded, by the name that `name_of` gives it.

    Raises:
        LookupError: there is none, or it is of another kind.
    """
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    if isinstance(found, type) and issubclass(found, base):
        return found
    raise LookupError(f"no {base.__name__} is called {name}")
