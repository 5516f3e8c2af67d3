"""Turn what came through a door into a typed message, and say everything that is wrong with it at once.

Primitives: `decode`, and `prepare` for what can be done before. Decoding is as lenient as ZStack's own doors:
numbers and booleans may come as text, text is trimmed, unknown keys are ignored, and empty text for what is
no text means that nothing was given. The words of the faults are those that ZStack's clients know.

A good request is decoded in one pass by msgspec. Only one that fails it is looked at field by field.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.message import Message
from zstack_appliance.kernel.schema import SECRET, Field, fields_of

M = TypeVar("M", bound=Message)

_NO_TRIM = frozenset({"password"})
"""Wire names whose text is taken as it is; blanks in them are part of them."""

_SHOWN = 200
"""Characters of a wrong value that a fault repeats."""


def decode(cls: type[M], raw: Mapping[str, Any], *, called: str | None = None, strict: bool = False) -> M:
    """Build a message from decoded JSON.

    Args:
        cls: the message to build.
        raw: wire names to values.
        called: how errors name the message; by default its class.
        strict: refuse unknown keys, as our own command line does.

    Raises:
        InvalidArgument: with every fault found, not only the first.
    """
    plan = _plan(cls)
    given: dict[str, Any] = {}
    for key, value in raw.items():
        text = value.strip() if isinstance(value, str) and key not in _NO_TRIM else value
        if text is not None and not (text == "" and key in plan.not_text):
            given[key] = text
    if not strict:
        try:
            message = msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError:
            pass
        else:
            if all(_is_storable(getattr(message, name)) for name in plan.numbers):
                return message
    return _field_by_field(cls, given, called or cls.__name__, strict=strict)


def prepare(cls: type[Message]) -> None:
    """Work out what decoding a message needs, so that the first call is as fast as any other.

    Raises:
        TypeError: the declaration cannot be decoded, such as a bound on ``Annotated[int | None, Meta(ge=0)]``
            instead of on ``Annotated[int, Meta(ge=0)] | None``.
    """
    _plan(cls)
    try:
        msgspec.convert({}, cls, strict=False)
    except msgspec.ValidationError:
        return
    except TypeError as error:
        raise TypeError(f"{cls.__name__} cannot be decoded: {error}") from error


@dataclass(frozen=True, slots=True)
class _Plan:
    """What decoding needs to know of a message, worked out once."""

    not_text: frozenset[str]
    """Wire names of the fields that empty text cannot stand for."""
    numbers: tuple[str, ...]
    """Names of the fields that hold whole numbers or lists of them."""


@functools.cache
def _plan(cls: type[Message]) -> _Plan:
    fields = fields_of(cls)
    return _Plan(
        not_text=frozenset(field.wire for field in fields if field.type is not str or field.ref is not None),
        numbers=tuple(field.name for field in fields if field.type is int or int in get_args(field.type)),
    )


def _is_storable(value: object) -> bool:
    """Whether whole numbers fit the 64 bits that ZStack and the store have for them."""
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return not isinstance(value, list | tuple) or all(_is_storable(item) for item in value)


def _field_by_field(cls: type[M], given: Mapping[str, Any], called: str, *, strict: bool) -> M:
    faults: list[Fault] = []
    values: dict[str, Any] = {}
    fields = fields_of(cls)
    for field in fields:
        if field.wire not in given:
            if field.required and not field.nullable:
                text = f"field[{field.wire}] of message[{called}] is mandatory, can not be null"
                faults.append(Fault(field.wire, text))
            elif field.required:
                values[field.name] = None
            continue
        value = given[field.wire]
        try:
            values[field.name] = _convert(field, value)
        except msgspec.ValidationError as error:
            faults.append(Fault(field.wire, _explain(field, called, value, str(error))))
    if strict:
        known = {field.wire for field in fields}
        faults += [Fault(key, f"unknown field[{key}] of message[{called}]") for key in given if key not in known]
    refuse(*faults)
    return cls(**values)


def _convert(field: Field, value: Any) -> Any:
    if field.type is str and isinstance(value, int | float):
        value = str(value).lower() if isinstance(value, bool) else str(value)
    if field.is_json and not isinstance(value, list | tuple | dict):
        value = [value]  # A repeated query parameter that came once.
    checked: Any = field.type
    for meta in field.meta:
        checked = Annotated[checked, meta]
    converted = msgspec.convert(value, checked, strict=False)
    if not _is_storable(converted):
        raise msgspec.ValidationError("Expected a number of 64 bits")
    return converted


def _explain(field: Field, called: str, value: Any, reason: str) -> str:
    """A fault in ZStack's words where it has them, in msgspec's otherwise."""
    where = f"field[{field.wire}] of message[{called}]"
    choices = _choices(field)
    if choices:
        return f"valid value for {where} are [{', '.join(choices)}], but {_shown(field, value)} found"
    for meta in field.meta:
        text = _explain_meta(meta, field, called, value)
        if text is not None:
            return text
    detail = re.sub(r" - at `\$`?", "", reason)
    return f"{where} is wrong: {detail}, but [{_shown(field, value)}] found"


def _shown(field: Field, value: object) -> str:
    """A wrong value as a fault may repeat it: shortened, and never a secret."""
    text = "******" if field.marked(SECRET) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _explain_meta(meta: msgspec.Meta, field: Field, called: str, value: Any) -> str | None:
    where = f"field[{field.wire}] of message[{called}]"
    if isinstance(value, str):
        size = len(value)
        if meta.max_length is not None and size > meta.max_length:
            return f"{where} exceeds max length of string. expected was <= {meta.max_length}, actual was {size}"
        if meta.min_length is not None and size < meta.min_length:
            return f"{where} less than the min length of string. expected was >= {meta.min_length}, actual was {size}"
        if meta.pattern is not None and not re.search(meta.pattern, value):
            return f"valid regex value for {where} are {meta.pattern}, but {_shown(field, value)} found"
    if meta.ge is not None or meta.le is not None:
        low, high = ("" if bound is None else f"{bound:g}" for bound in (meta.ge, meta.le))
        return f"{where} must be in range of [{low}, {high}], but {_shown(field, value)} found"
    return None


def _choices(field: Field) -> list[str]:
    """The only values that a field takes; empty where there are too many to name."""
    if field.enum is not None:
        return [str(choice.value) for choice in field.enum]
    return list(map(str, get_args(field.type))) if get_origin(field.type) is Literal else []
