"""Parameters from text: `parse` turns ``key=value`` pairs into what an API takes, and says all that is wrong.

What a field is declared as decides how its text is read: ``k=a,b`` or JSON for lists, JSON for maps, numbers
with units (``512M``), and for what refers to a resource its name as well as its uuid.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_origin

import msgspec

from zstack_appliance.cli.declared import option_name, unknown
from zstack_appliance.cli.exits import CliError, usage
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import SECRET, Field, Record, fields_of
from zstack_appliance.kernel.validate import decode

Resolve = Callable[[type[Record], str], str]
"""The uuid of a resource that is named by its name or its uuid."""

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def split_pair(text: str) -> tuple[str, str]:
    """The key and the value of ``key=value``.

    Raises:
        CliError: there is no equals sign.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise usage(f"[{text}] is no key=value")
    return key, value


def parse(
    message: type[Request[Any]],
    pairs: Iterable[tuple[str, str | tuple[str, ...]]],
    resolve: Resolve,
) -> dict[str, Any]:
    """The parameters of a call, by wire name, checked against the declaration.

    Args:
        message: the API.
        pairs: wire or option names with their texts; a tuple is a list that came as repeated options.
        resolve: finds uuids.

    Raises:
        CliError: a key is unknown, missing or given twice, or a value does not fit.
    """
    params: dict[str, Any] = {}
    for key, text in pairs:
        field = _field(message, key)
        if field.wire in params:
            raise usage(f"{field.wire} is given twice")
        value = _value(field, text)
        params[field.wire] = value if field.ref is None else _resolved(field.ref.target, value, resolve)
    lacking = missing(message, params)
    if lacking is not None:
        raise lacking
    try:
        decode(message, params, strict=True)
    except InvalidArgument as error:
        raise usage("\n".join([str(error), *(f"  {f.field}: {f.text}" for f in error.faults[1:])])) from None
    return {key: _hashed(message, key, value) for key, value in params.items()}


def _field(message: type[Request[Any]], key: str) -> Field:
    for field in fields_of(message):
        if key in (field.wire, field.name, option_name(field)):
            return field
    raise unknown(f"parameter of {message.__name__}", key, [field.wire for field in fields_of(message)])


def _value(field: Field, text: str | tuple[str, ...]) -> Any:
    origin = get_origin(field.type) or field.type
    if isinstance(text, tuple):
        return [part for each in text for part in _list(field, each)]
    if origin in (list, tuple):
        return _list(field, text)
    if field.is_json:
        return _json(field, text)
    if origin is int:
        return _number(field, text)
    return text


def _list(field: Field, text: str) -> list[Any]:
    if text.startswith("["):
        found = _json(field, text)
        return found if isinstance(found, list) else [found]
    # User data and keys hold commas of their own; such tags come one by one, or as JSON.
    if field.wire in ("systemTags", "userTags"):
        return [text]
    return [part for part in text.split(",") if part]


def _json(field: Field, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.MsgspecError as error:
        raise usage(f"{field.wire} must be JSON, but [{text[:100]}] is none: {error}") from None


def _number(field: Field, text: str) -> int:
    match = re.fullmatch(r"(-?\d+)([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise usage(f"{field.wire} must be a whole number, with a unit if you like (512M), but was [{text[:100]}]")
    return int(match[1]) * _UNITS[match[2].upper()]


def _resolved(target: type[Record], value: Any, resolve: Resolve) -> Any:
    if isinstance(value, list):
        return [resolve(target, each) for each in value]
    return resolve(target, value)


def _hashed(message: type[Request[Any]], key: str, value: Any) -> Any:
    """Passwords of accounts travel as their SHA-512, as ZStack's clients send them."""
    field = next(field for field in fields_of(message) if field.wire == key)
    wants = any((meta.description or "").startswith("SHA-512") for meta in field.meta)
    if not (wants and field.marked(SECRET)) or re.fullmatch(r"[0-9a-f]{128}", value):
        return value
    return sha512(value)


def sha512(password: str) -> str:
    """A password as ZStack's clients send it."""
    return hashlib.sha512(password.encode()).hexdigest()


def missing(message: type[Request[Any]], given: Mapping[str, Any]) -> CliError | None:
    """Names the required parameters that are not given; None when all are."""
    lacking = [field for field in fields_of(message) if field.required and field.wire not in given]
    if not lacking:
        return None
    names = ", ".join(f"--{option_name(field)} ({field.wire}=…)" for field in lacking)
    return usage(f"{message.__name__} needs {names}")
