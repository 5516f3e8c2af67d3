"""Replies as ZStack's clients expect them: what stands under which key, and how values are printed.

Primitive: `Answers`. It makes the bodies of results, whether they are answered at once or kept in a job.
"""

from __future__ import annotations

from typing import Any

import msgspec

from zstack_appliance.api.dates import printed
from zstack_appliance.kernel.conditions import Query
from zstack_appliance.kernel.inventory import Inventories, Inventory, schema_of
from zstack_appliance.kernel.message import Request, api_of
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.query import Queries
from zstack_appliance.kernel.schema import TIMESTAMP, Record, fields_of
from zstack_appliance.kernel.store import Reader


class Answers:
    """Makes bodies.

    Args:
        inventories: renders rows.
        queries: answers queries.
        reader: gives the lists of a reply's few rows, on the loop thread.
    """

    def __init__(self, inventories: Inventories, queries: Queries, reader: Reader) -> None:
        self._inventories = inventories
        self._queries = queries
        self._reader = reader

    async def __call__(self, message: Request[Any], reply: Any, principal: Principal) -> dict[str, Any]:
        """The body of a result.

        A reply stands under the key that its API names, or gives the body's own keys where it names none.
        """
        declared = api_of(type(message))
        if reply is None:
            return {}
        body = self._value(reply, principal)
        if declared is not None and declared.reply is not None:
            return {declared.reply: body}
        assert isinstance(body, dict), f"{type(message).__name__} names no key for its reply, which has none"
        return body

    async def query(self, resource: type[Record], query: Query, principal: Principal) -> dict[str, Any]:
        """The body of a query.

        Raises:
            InvalidArgument: a condition names no field, or compares it with what it cannot hold.
        """
        found = await self._queries.run(query, resource, principal)
        body: dict[str, Any] = {}
        if found.inventories is not None:
            body["inventories"] = found.inventories
        if found.total is not None:
            body["total"] = found.total
        body["schema"] = found.schema
        return body

    def _value(self, value: Any, principal: Principal) -> Any:
        if isinstance(value, Record):
            return self._inventories.render(self._reader, [value], principal)[0]
        if isinstance(value, msgspec.Struct):
            return self._struct(value, principal)
        if isinstance(value, list | tuple):
            if value and all(isinstance(item, Record) for item in value):
                return self._inventories.render(self._reader, value, principal)
            return [self._value(item, principal) for item in value]
        if isinstance(value, dict):
            return {key: self._value(item, principal) for key, item in value.items()}
        return value

    def _struct(self, reply: msgspec.Struct, principal: Principal) -> dict[str, Any]:
        """What is no row: every field but nulls, rows inside it as inventories."""
        body: dict[str, Any] = {}
        for field in fields_of(type(reply)):
            value = getattr(reply, field.name)
            if value is not None:
                body[field.wire] = printed(value) if field.marked(TIMESTAMP) else self._value(value, principal)
        return body


def with_schema(body: dict[str, Any]) -> dict[str, Any]:
    """A body and ZStack's ``schema`` beside it: the class of each inventory in it, by its place."""
    schema: dict[str, str] = {}
    for name, value in body.items():
        if isinstance(value, Inventory) or (value and isinstance(value, list) and isinstance(value[0], Inventory)):
            schema.update(schema_of(name, value))
    return {**body, "schema": schema}
