"""From an HTTP request's body or query string to a typed message.

Primitives: `read_body` (JSON, of bounded size), `body_parameters` and `query_parameters` (one mapping of
wire names to values, whichever way they came), `build` (the message of a route) and `typed` (any message).
"""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar, get_args, get_origin

import msgspec
from starlette.requests import Request as HttpRequest

from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.derive.route import CallRoute
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.message import Message, Request
from zstack_appliance.kernel.schema import fields_of
from zstack_appliance.kernel.validate import decode

M = TypeVar("M", bound=Message)

LARGEST_BODY = 1 << 20
"""Bytes of JSON that are read: user data, the largest thing in a request, stays well below it."""

WRAPPERS = ("params", "null")
"""Keys that wrap the parameters whatever an API calls its own; Java's SDK sends the text ``null``."""


async def read_body(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that a request carries; empty when it carries nothing, or null.

    Raises:
        Refusal: it is too large, or no JSON object.
        ClientDisconnect: the client went away.
    """
    declared = request.headers.get("content-length", "0")
    parts: list[bytes] = []
    size = int(declared) if declared.isdecimal() else 0
    if size <= LARGEST_BODY:
        size = 0
        async with aclosing(request.stream()) as stream:
            async for part in stream:
                size += len(part)
                if size > LARGEST_BODY:
                    break
                parts.append(part)
    if size > LARGEST_BODY:
        text = f"the body is larger than {LARGEST_BODY} bytes; send files to the upload URL of their image"
        raise Refusal(413, text, {"connection": "close"})
    data = b"".join(parts)
    if not data.strip():
        return {}
    try:
        body = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the body is no JSON: {error}") from None
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise Refusal(400, 'the body must be a JSON object such as {"params": {}}')
    return body


def body_parameters(route: CallRoute, body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters in a body: what the route's key wraps, and the tags that stand beside it.

    Raises:
        Refusal: what is wrapped is no object.
    """
    wrapped: object = None
    for key in (route.key, *WRAPPERS):
        if key in body:
            wrapped = body[key]
            break
    if wrapped is None:
        wrapped = {}
    if not isinstance(wrapped, dict):
        raise Refusal(400, f"the value of [{route.key}] must be a JSON object")
    given: dict[str, Any] = dict(wrapped)
    for tags in ("systemTags", "userTags"):
        if body.get(tags) is not None:
            given[tags] = body[tags]
    return given


def query_parameters(message: type[Request[Any]], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """The parameters in a query string.

    A list comes as a repeated key, or as ``name.0``, ``name.1`` and so on; a map comes as ``name.key``, which
    is repeated for a map of lists.
    What the message does not have is ignored.

    Raises:
        Refusal: what is no list comes twice.
    """
    kinds = _kinds(message)
    given: dict[str, Any] = {}
    indexed: dict[str, dict[int, str]] = {}
    for key, value in pairs:
        name, _, part = key.partition(".")
        kind = kinds.get(name)
        if kind is _Kind.LIST and not part:
            given.setdefault(name, []).append(value)
        elif kind is _Kind.LIST and part.isdecimal():
            indexed.setdefault(name, {})[int(part[:9])] = value
        elif kind is _Kind.MAP and part:
            given.setdefault(name, {})[part] = value
        elif kind is _Kind.LISTS and part:
            given.setdefault(name, {}).setdefault(part, []).append(value)
        elif kind is _Kind.ONE and not part:
            if name in given:
                raise Refusal(400, f"the parameter[{name}] takes one value, but it was given several times")
            given[name] = value
    for name, values in indexed.items():
        given.setdefault(name, []).extend(values[index] for index in sorted(values))
    return given


class _Kind(enum.Enum):
    """What a field takes, as far as a query string can tell."""

    ONE = "one value"
    LIST = "a list"
    MAP = "a map"
    LISTS = "a map of lists"


@functools.cache
def _kinds(message: type[Request[Any]]) -> dict[str, _Kind]:
    return {field.wire: _kind(field.type) for field in fields_of(message)}


def _kind(declared: Any) -> _Kind:
    origin = get_origin(declared) or declared
    if origin in (list, tuple):
        return _Kind.LIST
    if origin is not dict:
        return _Kind.ONE
    return _Kind.LISTS if any(_kind(item) is _Kind.LIST for item in get_args(declared)) else _Kind.MAP


def build(route: CallRoute, values: tuple[str, ...], given: dict[str, Any]) -> Request[Any]:
    """The message of a call. What stands in the path counts more than what the parameters say.

    Raises:
        Refusal: a number or a boolean is none; ZStack's clients expect these in plain text.
        InvalidArgument: anything else is wrong.
    """
    given.update(zip(route.fields, values, strict=True))
    return typed(route.message, given, route.wire)


def typed(message: type[M], given: Mapping[str, Any], called: str) -> M:
    """The message that wire names and values stand for.

    Args:
        message: what to build.
        given: the values.
        called: how errors name the message.

    Raises:
        Refusal: a number or a boolean is none; ZStack's clients expect these in plain text.
        InvalidArgument: anything else is wrong.
    """
    try:
        return decode(message, given, called=called)
    except InvalidArgument:
        _refuse_mistyped(message, given)
        raise


def _refuse_mistyped(message: type[Message], given: Mapping[str, Any]) -> None:
    for field in fields_of(message):
        value = given.get(field.wire)
        if value is None or value == "":
            continue
        if field.type is int and not _is_whole(value):
            raise Refusal(400, f"[{field.wire}] field is excepted an int or long, but was [{str(value)[:200]}].")
        if field.type is bool and str(value).strip().lower() not in ("true", "false", "1", "0"):
            raise Refusal(
                400,
                f"Invalid value for boolean field [{field.wire}],"
                f" [{str(value)[:200]}] is not a valid boolean string[true, false].",
            )


def _is_whole(value: object) -> bool:
    if isinstance(value, float):
        return value.is_integer()
    return not isinstance(value, bool) and re.fullmatch(r"\s*[+-]?\d{1,19}(\.0+)?\s*", str(value)) is not None
