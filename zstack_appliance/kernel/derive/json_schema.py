"""JSON Schema of what travels: `Schemas` turns declared types into schemas and collects those that have a name.

A field's schema says what ZStack's clients are told to send. The doors take more: numbers and booleans as
text, unknown keys, nulls.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Callable, Iterable
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from zstack_appliance.kernel.edges import Graph, public_fields
from zstack_appliance.kernel.schema import TIMESTAMP, Field, Record, describe, fields_of

Schema = dict[str, Any]

_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    Any: {},
}

DATE: Schema = {"type": "string", "examples": ["Apr 30, 2014 6:11:47 PM"]}
"""How ZStack's doors print dates."""


class Schemas:
    """Schemas over one set of resources.

    Args:
        graph: the resources and what stands in their inventories.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.named: dict[str, Schema] = {}
        """The schemas that others refer to, by name, in the order of their first mention."""

    def fields(self, fields: Iterable[Field]) -> Schema:
        """An object with these fields."""
        chosen = list(fields)
        made: Schema = {"type": "object", "properties": {field.wire: self.field(field) for field in chosen}}
        required = [field.wire for field in chosen if field.required and not field.nullable]
        if required:
            made["required"] = required
        return made

    def field(self, field: Field) -> Schema:
        """One field's value, with its bounds."""
        if field.marked(TIMESTAMP):
            return DATE
        made = {**self.of(field.type), **_bounds(field)}
        default = msgspec.to_builtins(field.default)
        if default is not None and not field.required:
            made["default"] = list(default) if isinstance(default, tuple) else default
        return made

    def of(self, declared: Any) -> Schema:
        """A value of a declared type."""
        origin = get_origin(declared) or declared
        arguments = get_args(declared)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(arm) for arm in arguments]}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin in (list, tuple):
            return {"type": "array", "items": self.of(arguments[0] if arguments else Any)}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(arguments[1] if arguments else Any)}
        return self._class(origin)

    def _class(self, cls: Any) -> Schema:
        if isinstance(cls, type) and issubclass(cls, enum.Enum):
            return {"enum": [member.value for member in cls]}
        if isinstance(cls, type) and issubclass(cls, msgspec.Struct):
            return self.inventory(cls) if issubclass(cls, Record) else self._struct(cls)
        return _PLAIN.get(cls, {})

    def inventory(self, cls: type[Record]) -> Schema:
        """A resource as queries and replies show it; a sub-type shows more than its base."""
        return self._refer(describe(cls).inventory.rpartition(".")[2], lambda: self._inventory(cls))

    def _struct(self, cls: type[msgspec.Struct]) -> Schema:
        return self._refer(cls.__name__, lambda: self._described(self.fields(fields_of(cls)), cls))

    def _inventory(self, cls: type[Record]) -> Schema:
        made = self._described(self.fields(public_fields(cls)), cls)
        for edge in self._graph.embeds(cls):
            assert edge.listed is not None
            if edge.plucked is None:
                items = self.inventory(edge.target)
            else:
                items = self.field(describe(edge.target).field(edge.plucked))
            made["properties"][edge.listed] = {"type": "array", "items": items}
        # `fields=` cuts inventories down, so none of their fields is sure to be there.
        made.pop("required", None)
        return made

    def _described(self, made: Schema, cls: type[msgspec.Struct]) -> Schema:
        return {**made, "description": _first_line(cls)}

    def _refer(self, name: str, make: Callable[[], Schema]) -> Schema:
        if name not in self.named:
            self.named[name] = {}  # Named before it is made, since structures may hold themselves.
            self.named[name] = make()
        return {"$ref": f"#/components/schemas/{name}"}


def _first_line(cls: type) -> str:
    return (cls.__doc__ or cls.__name__).partition("\n")[0]


def _bounds(field: Field) -> Schema:
    made: Schema = {}
    many = get_origin(field.type) in (list, tuple)
    for meta in field.meta:
        for key, value in (
            ("minimum", meta.ge),
            ("maximum", meta.le),
            ("exclusiveMinimum", meta.gt),
            ("exclusiveMaximum", meta.lt),
            ("pattern", meta.pattern),
            ("minItems" if many else "minLength", meta.min_length),
            ("maxItems" if many else "maxLength", meta.max_length),
            ("description", meta.description),
        ):
            if value is not None:
                made[key] = value
    return made
