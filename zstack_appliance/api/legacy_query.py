"""Queries as the legacy door gets them: `read_query`, from a message's fields to a `Query`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from zstack_appliance.api.parameters import typed
from zstack_appliance.kernel.conditions import DEFAULT_LIMIT, Cond, Op, Query, all_of
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.message import Message

Whole = Annotated[int, msgspec.Meta(ge=0)]


class QueryCondition(msgspec.Struct, frozen=True):
    """One comparison as clients write it: a value of any type, lists also joined by commas."""

    name: str
    op: str
    value: Any = None


class QueryFields(Message, frozen=True, kw_only=True):
    """What every query message carries."""

    conditions: tuple[QueryCondition, ...] = ()
    limit: Whole | None = None
    start: Whole | None = None
    count: bool = False
    reply_with_count: bool = False
    sort_by: str | None = None
    sort_direction: Literal["asc", "desc"] = "asc"
    fields: tuple[str, ...] = ()
    filter_name: str | None = None


def read_query(fields: Mapping[str, Any], called: str) -> Query:
    """The query that a message asks.

    Args:
        fields: the message's fields.
        called: how errors name the message.

    Raises:
        Refusal: a number or a boolean is none.
        InvalidArgument: a condition has no such operator, or anything else is wrong.
    """
    asked = typed(QueryFields, fields, called)
    return Query(
        where=all_of(dict.fromkeys(map(_condition, asked.conditions))),
        sort=asked.sort_by or None,
        descending=asked.sort_direction == "desc",
        limit=DEFAULT_LIMIT if asked.limit is None else asked.limit,
        start=asked.start or 0,
        count=asked.count,
        reply_with_count=asked.reply_with_count,
        fields=asked.fields,
        filter_name=asked.filter_name or None,
    )


def _condition(given: QueryCondition) -> Cond:
    op = _OPERATORS.get(" ".join(given.op.lower().split()))
    if op is None:
        names = ", ".join(_OPERATORS)
        raise InvalidArgument(f"there is no operator [{given.op[:50]}] as in condition[{given.name}]; use {names}")
    path = given.name.strip()
    if not op.takes_value:
        return Cond(path, op)
    if op.takes_list:
        return Cond(path, op, _texts(given.value))
    return Cond(path, op, _text(given.value))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list | tuple) else tuple(_text(value).split(","))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


_OPERATORS = {op.value: op for op in Op}
