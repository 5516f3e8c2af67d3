"""Pieces of SQL and how they are put together: `Statement`, and `Scope`, one resource in a FROM clause."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.edges import lineage
from zstack_appliance.kernel.schema import Record, describe

Bound: TypeAlias = str | int | float

LISTED = "(SELECT value FROM json_each(?))"
"""The right side of an IN whose values are bound as one JSON list."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL, whole or a part of one.

    Args:
        sql: the text.
        bindings: the values bound to its question marks, in order.
        selective: for a condition: an index leads to the rows that fulfil it, and they are few.
    """

    sql: str
    bindings: tuple[Bound, ...] = ()
    selective: bool = False


EVERYTHING = Statement("1")
"""The condition that every row fulfils."""

NOTHING = Statement("0")
"""The condition that no row fulfils."""


@dataclass(frozen=True)
class Scope:
    """One resource in a FROM clause: its own table and its bases', each under an SQL name of its own."""

    cls: type[Record]
    tables: tuple[tuple[type[Record], str], ...]
    """From the root down."""

    @property
    def root(self) -> str:
        """The SQL name of the root's table, which has the columns that all rows share."""
        return self.tables[0][1]

    @property
    def source(self) -> str:
        """The FROM clause without its keyword."""
        (first, root), *rest = self.tables
        joined = (f"JOIN {quoted(describe(cls).table)} {name} ON {name}.uuid = {root}.uuid" for cls, name in rest)
        return " ".join((f"{quoted(describe(first).table)} {root}", *joined))

    def column(self, field: str) -> str:
        """SQL of the column that stores a field, whichever of the tables has it."""
        return f"{self.tables[_home(self.cls, field)][1]}.{quoted(field)}"


@functools.cache
def _home(cls: type[Record], field: str) -> int:
    """Which table of a resource's lineage stores a field, counted from the root."""
    for place, step in enumerate(lineage(cls)):
        if any(own.name == field for own in describe(step).own_fields):
            return place
    raise KeyError(f"{cls.__name__} has no column {field}")


@functools.cache
def outermost(cls: type[Record]) -> Scope:
    """The resource that a statement is about, under the names that its layout's text uses."""
    return Scope(cls, tuple((step, quoted(describe(step).table)) for step in lineage(cls)))


def select(what: str, source: Scope, where: Statement) -> Statement:
    """Columns of the rows that fulfil a condition."""
    return Statement(" ".join(("SELECT", what, "FROM", source.source, "WHERE", where.sql)), where.bindings)


def member(column: str, word: str, inner: Statement, *, selective: bool) -> Statement:
    """The condition that a column is ``IN``, or ``NOT IN``, what another statement selects."""
    return Statement(f"{column} {word} ({inner.sql})", inner.bindings, selective)


def all_of(conditions: Iterable[Statement]) -> Statement:
    """The condition that all of these hold."""
    parts = tuple(conditions)
    if not parts:
        return EVERYTHING
    return _joined(" AND ", parts, selective=any(part.selective for part in parts))


def any_of(conditions: Iterable[Statement]) -> Statement:
    """The condition that at least one of these holds."""
    parts = tuple(conditions)
    if not parts:
        return NOTHING
    return _joined(" OR ", parts, selective=all(part.selective for part in parts))


def _joined(word: str, parts: tuple[Statement, ...], *, selective: bool) -> Statement:
    if len(parts) == 1:
        return parts[0]
    sql = word.join(part.sql for part in parts)
    return Statement(f"({sql})", tuple(value for part in parts for value in part.bindings), selective)
