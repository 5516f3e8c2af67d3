"""What a page or a form does, as others would ask for it: `as_curl` and `as_command`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from zstack_appliance.kernel.derive.route import CallRoute, Routes
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import SECRET, Record, fields_of

REST = "/zstack/v1"
COMMAND = "zstack-appliance"
HIDDEN = "******"


def route_of(routes: Routes, message: type[Request[Any]]) -> CallRoute | None:
    """Where an API is called."""
    return next((r for r in routes.all if isinstance(r, CallRoute) and r.message is message), None)


def curl_of_call(base: str, route: CallRoute, given: Mapping[str, Any]) -> str:
    """A call as curl sends it; secrets are starred out."""
    left: dict[str, Any] = censored(route.message, given)
    path = route.path
    for segment in route.path.split("/"):
        if segment.startswith("{"):
            wire = route.declared.rename.get(segment[1:-1], segment[1:-1])
            path = path.replace(segment, quote(str(left.pop(wire, segment)), safe="{}"))
    url = f"{base}{REST}{path}"
    if route.method in ("GET", "DELETE"):
        pairs = [(name, str(value)) for name, value in left.items()]
        return _curl(route.method, f"{url}?{urlencode(pairs)}" if pairs else url)
    tags: dict[str, Any] = {name: left.pop(name) for name in ("systemTags", "userTags") if name in left}
    body: dict[str, Any] = {route.key: left, **tags}
    return _curl(route.method, url, body)


def curl_of_query(base: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A query as curl sends it."""
    return _curl("GET", f"{base}{REST}{path}" + (f"?{urlencode(pairs)}" if pairs else ""))


def command_of_call(message: type[Request[Any]], given: Mapping[str, Any]) -> str:
    """A call on the command line."""
    words = [COMMAND, "api", message.__name__]
    for name, value in censored(message, given).items():
        words.append(f"{name}={value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
    return shlex.join(words)


def command_of_query(cls: type[Record], conditions: Sequence[str]) -> str:
    """A query on the command line."""
    return shlex.join([COMMAND, "query", query_name(cls), *conditions])


def censored(message: type[Request[Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values without secrets."""
    secret = {field.wire for field in fields_of(message) if field.marked(SECRET)}
    return {name: HIDDEN if name in secret else value for name, value in given.items()}


def _curl(method: str, url: str, body: object = None) -> str:
    lines = [f"curl -X {method} {shlex.quote(url)}", '-H "Authorization: OAuth $SESSION"']
    if body is not None:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(msgspec.json.encode(body).decode())}"]
    return " \\\n  ".join(lines)
