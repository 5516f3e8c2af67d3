"""What a query ought to answer, worked out row by row in plain Python: `Oracle`.

It shares no code with the compiler but the graph and the declarations: values are read, compared and followed
its own way, so that where the two agree, neither is likely to be wrong.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from tests.kernel.small_cloud import Host, KvmHost
from tests.kernel.small_store import ADMIN, GRAPH
from zstack_appliance.kernel.conditions import And, Cond, Op, Or, Query, Term, Within
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, describe, owner_ref
from zstack_appliance.kernel.tag import SystemTagRow, UserTag

TAGS: dict[str, tuple[type[Record], str]] = {
    "__userTag__": (UserTag, "tag"),
    "__systemTag__": (SystemTagRow, "tag"),
    "__tagUuid__": (UserTag, "tag_pattern_uuid"),
}

PARTS = {"vmNics", "usedIps", "dns", "securityGroupRef", "securityGroupUuids"}
"""Edges to what is part of the row that they leave from; whoever sees that one sees them."""

NEGATIVE = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_LIKE: Op.LIKE, Op.IS_NULL: Op.NOT_NULL}


class Oracle:
    """Knows all rows and their owners."""

    def __init__(self, rows: Iterable[tuple[Record, Principal]]) -> None:
        self._rows = tuple(rows)

    def answer(self, query: Query, cls: type[Record], who: Principal) -> list[str]:
        """The uuids of the rows that a query finds, all pages, in order."""
        found = [row for row in self._visible(cls, who) if self._holds(row, query.where, who)]
        found.sort(key=lambda row: self._rank(row, query.sort or "createDate", who), reverse=query.descending)
        return [row.uuid for row in found]

    def _visible(self, cls: type[Record], who: Principal) -> list[Record]:
        return [row for row, owner in self._rows if isinstance(row, cls) and self._sees(row, owner, who)]

    def _sees(self, row: Record, owner: Principal, who: Principal) -> bool:
        options = describe(Host if isinstance(row, KvmHost) else type(row)).options
        if who.admin or options.readable:
            return True
        return owner == who and (options.owned or owner_ref(type(row)) is not None)

    def _rank(self, row: Record, path: str, who: Principal) -> tuple[Any, ...]:
        *chain, last = path.split(".")
        at: Record | None = row
        for name in chain:
            at = next(iter(self._children(at, name, who)), None) if at is not None else None
        value = _plain(getattr(at, _python(type(at), last))) if at is not None else None
        return (value is not None, value, row.uuid)

    def _children(self, row: Record, name: str, who: Principal) -> list[Record]:
        [edge] = GRAPH.expand(type(row), (name,))
        column = getattr(row, edge.column)
        found = self._visible(edge.target, ADMIN if name in PARTS else who)
        return [each for each in found if getattr(each, edge.key) == column is not None]

    def _holds(self, row: Record, term: Term, who: Principal) -> bool:
        if isinstance(term, And):
            return all(self._holds(row, each, who) for each in term.terms)
        if isinstance(term, Or):
            return any(self._holds(row, each, who) for each in term.terms)
        if isinstance(term, Within):
            return self._follow(row, term.path.split("."), self._spelled_out(term, who), who)
        return self._follow(row, term.path.split("."), term, who)

    def _spelled_out(self, term: Within, who: Principal) -> Cond:
        """A sub-query as the list of the values that it finds."""
        cls = GRAPH.named(term.target)
        assert cls is not None
        found = [row for row in self._visible(cls, who) if self._holds(row, term.where, who)]
        values = (_plain(getattr(row, _python(cls, term.field))) for row in found)
        return Cond(term.path, term.op, tuple(_text(value) for value in values if value is not None))

    def _follow(self, row: Record, path: list[str], cond: Cond, who: Principal) -> bool:
        name, *rest = path
        aliases = GRAPH.aliases(type(row))
        if name in aliases:
            return self._follow(row, [*aliases[name], *rest], cond, who)
        if rest:
            return any(self._follow(each, rest, cond, who) for each in self._children(row, name, who))
        if name in TAGS:
            return self._tagged(row, name, cond, who)
        edge = GRAPH.edges(type(row)).get(name)
        if edge is not None and edge.plucked is not None:
            values = (getattr(each, edge.plucked) for each in self._children(row, name, who))
            return any(fulfils(value, cond.op, cond.value) for value in values)
        return fulfils(getattr(row, _python(type(row), name)), cond.op, cond.value)

    def _tagged(self, row: Record, name: str, cond: Cond, who: Principal) -> bool:
        cls, column = TAGS[name]
        tags = [tag for tag in self._visible(cls, who) if getattr(tag, "resource_uuid", None) == row.uuid]
        positive = NEGATIVE.get(cond.op)
        matches = any(fulfils(getattr(tag, column), positive or cond.op, cond.value) for tag in tags)
        return matches if positive is None else not matches


def fulfils(value: Any, op: Op, wanted: str | tuple[str, ...]) -> bool:
    """Whether one stored value fulfils a comparison; a null fulfils none but ``is null``."""
    if op in (Op.IS_NULL, Op.NOT_NULL):
        return (value is None) == (op is Op.IS_NULL)
    if value is None:
        return False
    value = _plain(value)
    if op in NEGATIVE:
        return not fulfils(value, NEGATIVE[op], wanted)
    if op is Op.IN:
        return any(_equal(value, text) for text in wanted)
    assert isinstance(wanted, str)
    if op is Op.LIKE:
        return bool(_like(wanted).fullmatch(str(value)))
    if op is Op.EQ:
        return _equal(value, wanted)
    low, high = _span(value, wanted)
    return bool({Op.GT: value > high, Op.GE: value >= low, Op.LT: value < low, Op.LE: value <= high}[op])


def _equal(value: Any, text: str) -> bool:
    low, high = _span(value, text)
    return bool(low <= value <= high)


def _span(value: Any, text: str) -> tuple[Any, Any]:
    """What the text means, as the type of the value: one value, or for a printed date a second's first and last."""
    if isinstance(value, bool):
        return (text.lower() == "true",) * 2
    if not isinstance(value, int):
        return text, text
    if re.fullmatch(r"-?\d+", text):
        return int(text), int(text)
    first = int(datetime.fromisoformat(text).timestamp() * 1000)
    return first, first + 999


def _like(pattern: str) -> re.Pattern[str]:
    """SQL's wildcards and its escape as a regular expression; ASCII letters match in either case."""
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            at += 1
            # SQLite lets a pattern that ends in the escape match nothing.
            out += re.escape(pattern[at]) if at < len(pattern) else "(?!)"
        else:
            out += {"%": ".*", "_": "."}.get(char, re.escape(char))
        at += 1
    return re.compile(out, re.IGNORECASE | re.ASCII | re.DOTALL)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _python(cls: type[Record], wire: str) -> str:
    return next(field.name for field in describe(cls).fields if field.wire == wire)
