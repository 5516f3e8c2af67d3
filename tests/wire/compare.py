"""How a declaration differs from the facts of the catalogue, one line each: `api_differences`, `row_differences`.

A line names the class and what differs, so that a known deviation can be listed by it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from zstack_appliance.kernel.derive.legacy import reply_class
from zstack_appliance.kernel.derive.route import CallRoute
from zstack_appliance.kernel.edges import Graph, public_fields
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import TIMESTAMP, Field, Record, fields_of

PLAIN = {"string": str, "int": int, "long": int, "bool": bool}
"""Type in the catalogue to Python type."""


def api_differences(routes: list[CallRoute], facts: dict[str, Any]) -> Iterator[str]:
    """What differs in one API.

    Args:
        routes: all routes of its message, the main one first.
        facts: its row in the catalogue.
    """
    route = routes[0]
    name = route.wire.rpartition(".")[2]
    declared = route.declared
    paths = {_anonymous(each.path) for each in routes}
    found: dict[str, tuple[object, object]] = {
        "method": (declared.method, facts["method"]),
        "sync": (declared.sync, facts["sync"]),
        "session": (declared.session, not facts["noSession"]),
        "reply": (declared.reply, facts["response"]["allTo"]),
        "answer": (reply_class(route.message, declared), facts["response"]["class"]),
    }
    if route.fields != facts_of_path(facts) or route.path != facts["path"]:
        found["path"] = ((route.path, route.fields), (facts["path"], facts_of_path(facts)))
    for path in facts["optionalPaths"]:
        found[f"path {path}"] = (_anonymous(path) in paths, True)
    if declared.method in ("POST", "PUT") and facts["bodyKey"] is not None:
        found["key"] = (route.key, facts["bodyKey"])
    for what, (mine, theirs) in found.items():
        if mine != theirs:
            yield f"{name} {what}: {mine!r} instead of {theirs!r}"
    yield from _field_differences(name, route.message, facts["fields"])


def facts_of_path(facts: dict[str, Any]) -> tuple[str, ...]:
    """The fields that the variables of an API's path set, in order."""
    renamed = dict(pair.split("=") for pair in facts["mappingFields"])
    variables = (part[1:-1] for part in facts["path"].split("/") if part.startswith("{"))
    return tuple(renamed.get(variable, variable) for variable in variables)


def _anonymous(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def _field_differences(name: str, message: type[Request[Any]], facts: list[dict[str, Any]]) -> Iterator[str]:
    mine = {field.wire: field for field in fields_of(message)}
    required = {fact["name"] for fact in facts if fact["required"]}
    for fact in facts:
        field = mine.get(fact["name"])
        if field is None:
            yield f"{name}.{fact['name']} is missing"
        else:
            yield from _field_difference(f"{name}.{fact['name']}", field, fact)
    for wire, field in mine.items():
        if field.required and wire not in required:
            yield f"{name}.{wire} is required"


def _field_difference(place: str, field: Field, fact: dict[str, Any]) -> Iterator[str]:
    if fact["required"] and not field.required and field.default is not None:
        yield f"{place} is not required"
    if not _fits(field.type, fact["type"]):
        yield f"{place} is of type {field.type} instead of {fact['type']}"
    allowed, choices = set(fact.get("validValues", ())), _choices(field)
    if allowed and not choices:
        yield f"{place} takes any value instead of {sorted(allowed)}"
    elif allowed and not choices <= allowed:
        yield f"{place} takes {sorted(choices - allowed)}, which ZStack does not"
    longest = _longest(field)
    is_text = fact["type"] == "string" and not choices and not _is_uuid(field)
    if is_text and "maxLength" in fact and (longest is None or longest > fact["maxLength"]):
        yield f"{place} may be {longest} characters long instead of {fact['maxLength']}"


def _fits(mine: Any, theirs: str) -> bool:
    origin = get_origin(mine) or mine
    if theirs.startswith("list<"):
        return origin in (list, tuple)
    if theirs.startswith("map<"):
        return origin is dict
    if theirs.startswith("enum:"):
        return isinstance(mine, type) and issubclass(mine, enum.Enum)
    if origin is Literal:
        return all(isinstance(value, PLAIN[theirs]) for value in get_args(mine))
    if isinstance(mine, type) and issubclass(mine, enum.Enum):
        return all(isinstance(member.value, PLAIN[theirs]) for member in mine)
    # Seconds with a fraction are whole ones too.
    return mine is PLAIN[theirs] or (mine is float and theirs in ("int", "long"))


def _choices(field: Field) -> set[str]:
    if field.enum is not None:
        return {str(member.value) for member in field.enum}
    if get_origin(field.type) is Literal:
        return {str(value) for value in get_args(field.type)}
    for meta in field.meta:
        if meta.ge is not None and meta.ge == meta.le:
            return {str(meta.ge)}
    return set()


def _longest(field: Field) -> int | None:
    return next((meta.max_length for meta in field.meta if meta.max_length is not None), None)


def _is_uuid(field: Field) -> bool:
    return any(meta.pattern is not None for meta in field.meta)


def row_differences(graph: Graph, cls: type[Record], facts: dict[str, Any]) -> Iterator[str]:
    """What differs between a resource and its inventory: its fields, their types, and its edges."""
    name = facts["class"].rpartition(".")[2]
    mine = {field.wire: field for field in public_fields(cls)}
    listed = {edge.listed for edge in graph.embeds(cls)}
    for wire, kind in facts["fields"].items():
        if wire not in mine and wire not in listed:
            yield f"{name}.{wire} is missing"
        elif wire in mine and not _holds(mine[wire], kind):
            yield f"{name}.{wire} is of type {mine[wire].type} instead of {kind}"
    for wire in mine.keys() - facts["fields"].keys():
        yield f"{name}.{wire} is not ZStack's"
    for edge in facts["edges"]:
        if edge not in graph.edges(cls) and edge not in graph.aliases(cls):
            yield f"{name} -> {edge} is missing"


def _holds(field: Field, kind: str) -> bool:
    if field.marked(TIMESTAMP):
        return kind == "timestamp"
    return kind not in PLAIN or _fits(field.type, kind)
