"""OpenAPI 3.1 of ZStack's REST door, read from the routes and the declarations. Primitive: `openapi`.

A path whose PUT means several actions has one operation with one body for each of them: OpenAPI tells
operations apart by method alone, ZStack by the only key of the body. What a job ends with stands under
``x-job-result``, since OpenAPI has no word for an answer that is fetched elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from zstack_appliance.kernel.conditions import DEFAULT_LIMIT
from zstack_appliance.kernel.derive.json_schema import Schema, Schemas
from zstack_appliance.kernel.derive.route import CallRoute, QueryRoute, Route
from zstack_appliance.kernel.edges import Graph, query_name
from zstack_appliance.kernel.errors import ErrorCode
from zstack_appliance.kernel.message import Create, action_name, reply_of, resource_of
from zstack_appliance.kernel.schema import fields_of

TAGS = ("systemTags", "userTags")
"""Fields that stand beside the parameters in a body, not among them."""

_UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_REFUSED = {"description": "the request cannot be read; the body says why in plain text"}
_QUERY: tuple[tuple[str, Schema, str], ...] = (
    ("q", {"type": "array", "items": {"type": "string"}}, "a condition, such as name=web; all of them hold"),
    ("limit", {"type": "integer", "minimum": 0, "default": DEFAULT_LIMIT}, "rows at most"),
    ("start", {"type": "integer", "minimum": 0, "default": 0}, "rows to skip"),
    ("sort", {"type": "string"}, "a field, with + or - before it"),
    ("fields", {"type": "string"}, "the fields to answer, joined by commas"),
    ("count", {"type": "boolean", "default": False}, "answer the number of rows alone"),
    ("replyWithCount", {"type": "boolean", "default": False}, "answer the number of rows besides"),
)


def openapi(routes: Iterable[Route], graph: Graph, version: str) -> Schema:
    """The document, as plain values for JSON.

    Args:
        routes: every route of the door.
        graph: what stands in inventories.
        version: of the API.
    """
    schemas = Schemas(graph)
    writer = _Writer(schemas)
    paths: dict[str, dict[str, list[Route]]] = {}
    names: dict[str, str] = {}
    for route in routes:
        # Paths that differ in the names of their variables alone are one path; the first one names it.
        path = names.setdefault(re.sub(r"{\w+}", "{}", route.path), route.path)
        paths.setdefault(path, {}).setdefault(route.method.lower(), []).append(route)
    described = {
        path: {method: writer.operation(path, method, found) for method, found in sorted(methods.items())}
        for path, methods in sorted(paths.items())
    }
    described["/api-jobs/{uuid}"] = {"get": _poll()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ZStack appliance",
            "version": version,
            "description": "ZStack's REST API. What takes time is answered 202, with the address of its job.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/zstack/v1"}],
        "security": [{"session": []}],
        "paths": described,
        "components": {
            "schemas": {**dict(sorted(schemas.named.items())), **writer.errors()},
            "responses": _responses(),
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "OAuth and the uuid of a session, as PUT /accounts/login answers it",
                }
            },
        },
    }


class _Writer:
    """Writes operations; what they refer to is collected by `schemas`."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def errors(self) -> dict[str, Schema]:
        """What failures look like."""
        members = {field.wire: self._schemas.of(field.type) for field in fields_of(ErrorCode)}
        members["cause"] = {"$ref": "#/components/schemas/ErrorCode"}
        return {"ErrorCode": {"type": "object", "properties": members, "required": ["code"]}}

    def operation(self, path: str, method: str, routes: list[Route]) -> Schema:
        """One method at one path."""
        variables = re.findall(r"{(\w+)}", path)
        parameters = [self._variable(name, place, routes[0]) for place, name in enumerate(variables)]
        first = routes[0]
        if isinstance(first, QueryRoute):
            return self._query(first, parameters)
        calls = [route for route in routes if isinstance(route, CallRoute)]
        made: Schema = {
            "operationId": _operation_id(path, method, calls),
            "summary": "; ".join(_sentence(call) for call in calls),
            "tags": [_subject(calls[0])],
            "responses": self._results(calls),
        }
        later = [self._reply(call) for call in calls if not call.declared.sync]
        if later:
            made["x-job-result"] = _any_of(later)
        if method in ("get", "delete"):
            parameters += self._parameters(calls[0])
        else:
            bodies = [self._body(call) for call in calls]
            schema = bodies[0] if len(bodies) == 1 else {"oneOf": bodies}
            made["requestBody"] = {"content": {"application/json": {"schema": schema}}}
        if parameters:
            made["parameters"] = parameters
        if not any(call.declared.session for call in calls):
            made["security"] = []
        return made

    def _variable(self, name: str, place: int, route: Route) -> Schema:
        schema: Schema = {"type": "string"}
        if isinstance(route, QueryRoute):
            schema = _UUID
        else:
            wire = route.fields[place]
            schema = next(self._schemas.field(f) for f in fields_of(route.message) if f.wire == wire)
        return {"name": name, "in": "path", "required": True, "schema": schema}

    def _parameters(self, call: CallRoute) -> list[Schema]:
        return [
            {
                "name": field.wire,
                "in": "query",
                "required": field.required and not field.nullable,
                "schema": self._schemas.field(field),
            }
            for field in fields_of(call.message)
            if field.wire not in call.fields and field.wire not in TAGS
        ]

    def _body(self, call: CallRoute) -> Schema:
        inside = [field for field in fields_of(call.message) if field.wire not in (*call.fields, *TAGS)]
        beside = [field for field in fields_of(call.message) if field.wire in TAGS]
        wrapped = self._schemas.fields(inside)
        made: Schema = {"type": "object", "properties": {call.key: wrapped}}
        made["properties"].update((field.wire, self._schemas.field(field)) for field in beside)
        if call.method == "PUT" or "required" in wrapped:
            made["required"] = [call.key]
        return made

    def _results(self, calls: list[CallRoute]) -> Schema:
        found: Schema = {"400": _REFUSED, "503": {"$ref": "#/components/responses/Failure"}}
        at_once = [self._reply(call) for call in calls if call.declared.sync]
        if at_once:
            found["200"] = {"description": "done", "content": {"application/json": {"schema": _any_of(at_once)}}}
        if len(at_once) < len(calls):
            found["202"] = {"$ref": "#/components/responses/Accepted"}
        return dict(sorted(found.items()))

    def _reply(self, call: CallRoute) -> Schema:
        reply = reply_of(call.message)
        if reply is None or reply is type(None):
            return {"type": "object"}
        made = self._schemas.of(reply)
        return made if call.declared.reply is None else {"type": "object", "properties": {call.declared.reply: made}}

    def _query(self, route: QueryRoute, parameters: list[Schema]) -> Schema:
        name = query_name(route.resource)
        one = bool(route.fields)
        for parameter, schema, words in () if one else _QUERY:
            parameters.append({"name": parameter, "in": "query", "schema": schema, "description": words})
        inventories = {"type": "array", "items": self._schemas.inventory(route.resource)}
        reply: Schema = {
            "type": "object",
            "properties": {
                "inventories": inventories,
                "total": {"type": "integer"},
                "schema": {"type": "object", "additionalProperties": {"type": "string"}},
            },
        }
        return {
            "operationId": f"{'get' if one else 'query'}{name}",
            "summary": f"One {name}, or none." if one else f"Query {name}.",
            "tags": [name],
            "parameters": parameters,
            "responses": {
                "200": {"description": "what was found", "content": {"application/json": {"schema": reply}}},
                "400": _REFUSED,
                "503": {"$ref": "#/components/responses/Failure"},
            },
        }


def _any_of(found: list[Schema]) -> Schema:
    distinct = [each for place, each in enumerate(found) if each not in found[:place]]
    return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}


def _operation_id(path: str, method: str, calls: list[CallRoute]) -> str:
    """A name that no other operation has: one API may stand at several paths."""
    if len(calls) == 1 and path == calls[0].declared.path:
        return action_name(calls[0].message)
    return "_".join((method, *re.findall(r"\w+", path)))


def _sentence(call: CallRoute) -> str:
    return (call.message.__doc__ or call.message.__name__).partition("\n")[0].rstrip(".")


def _subject(call: CallRoute) -> str:
    resource = resource_of(call.message)
    if resource is not None:
        return query_name(resource)
    return "Cloud" if not issubclass(call.message, Create) else call.message.__name__


def _poll() -> Schema:
    return {
        "operationId": "pollJob",
        "summary": "What became of a call that was answered 202",
        "tags": ["Job"],
        "security": [],
        "parameters": [
            {"name": "uuid", "in": "path", "required": True, "schema": _UUID},
            {
                "name": "Prefer",
                "in": "header",
                "schema": {"type": "string"},
                "description": "wait=30 waits that many seconds for the end of the job",
            },
        ],
        "responses": {
            "200": {"description": "it succeeded", "content": {"application/json": {"schema": {"type": "object"}}}},
            "202": {"description": "it runs", "content": {"application/json": {"schema": {"type": "object"}}}},
            "404": {"description": "the job is unknown or has been expired"},
            "503": {"$ref": "#/components/responses/Failure"},
        },
    }


def _responses() -> Schema:
    location = {"type": "string", "format": "uri", "description": "where to ask for the result"}
    accepted = {
        "type": "object",
        "properties": {"location": location, "apiTimeout": {"type": "integer", "description": "milliseconds"}},
        "required": ["location"],
    }
    failure = {
        "type": "object",
        "properties": {"error": {"$ref": "#/components/schemas/ErrorCode"}},
        "required": ["error"],
    }
    return {
        "Accepted": {"description": "a job runs", "content": {"application/json": {"schema": accepted}}},
        "Failure": {"description": "it failed", "content": {"application/json": {"schema": failure}}},
    }


def document(routes: Iterable[Route], graph: Graph, version: str) -> bytes:
    """The document as JSON, the same for the same declarations."""
    return msgspec.json.encode(openapi(routes, graph, version))
