"""Rows as ZStack's clients know them: `Inventories` renders them, `Inventory` is one, `schema_of` names classes.

An inventory has the row's public fields under their wire names and nothing for null, what the resource's
``view`` computes, and the lists that other resources embed in it. Lists are read level by level with one
SELECT per edge, however many rows are rendered.

Reading is kept out of rendering: `_Renderer` yields the statements that it needs and is sent their rows, so
that one row's reply can be read at once on the loop thread and a thousand rows' on the reader pool.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

import msgspec

from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.comparison import Statement
from zstack_appliance.kernel.edges import Edge, lineage, public_fields
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import TIMESTAMP, Record, describe, fields_of

Rows: TypeAlias = list[tuple[Any, ...]]
T = TypeVar("T")
Reading: TypeAlias = Generator[Statement, Rows, T]
"""Yields statements, is sent their rows, returns a `T`."""


class Source(Protocol):
    """What inventories are read from; the store is one."""

    def select(self, sql: str, bindings: tuple[Any, ...]) -> Rows:
        """The result rows of a statement, read at once on the calling thread."""

    async def query(self, sql: str, bindings: tuple[Any, ...]) -> Rows:
        """The result rows of a statement, read on a pool."""


class Inventory(dict[str, Any]):
    """One rendered row: a plain dictionary for JSON that also knows what it was rendered from."""

    __slots__ = ("form",)
    form: Form


@dataclass(frozen=True, slots=True)
class Form:
    """How rows of one class are rendered; see `_form`."""

    java: str
    """ZStack's full inventory class."""
    defaults: tuple[tuple[str, Any], ...]
    """Wire name and value of fields that msgspec leaves out when they have their default."""
    nullable: tuple[str, ...]
    """Wire names that msgspec gives as None instead of leaving them out."""
    private: tuple[str, ...]
    """Wire names that are left out."""
    dates: tuple[str, ...]
    """Wire names that are formatted."""
    views: tuple[Callable[[Any], dict[str, Any]], ...]
    embeds: tuple[Edge, ...]


class Inventories:
    """Renders rows.

    Args:
        compiler: makes the statements that read embedded lists.
        source: reads them.
        date: formats milliseconds UTC as the door prints dates.
    """

    def __init__(self, compiler: Compiler, source: Source, date: Callable[[int], Any]) -> None:
        self._compiler = compiler
        self._source = source
        self._date = date
        self._forms = {cls: self._form(cls) for cls in compiler.graph.resources}

    def render(self, rows: Sequence[Record], principal: Principal) -> list[Inventory]:
        """The inventories of a few rows, in their order; their lists are read at once on the calling thread.

        Args:
            rows: of any classes; each is rendered as what it is.
            principal: of owned resources, the lists hold what it may see.
        """
        reading = self._render(rows, principal, frozenset())
        answer: Rows | None = None
        while True:
            try:
                statement = reading.send(answer) if answer is not None else next(reading)
            except StopIteration as done:
                return list(done.value)
            answer = self._source.select(statement.sql, statement.bindings)

    async def load(
        self, rows: Sequence[Record], principal: Principal, fields: Sequence[str] = ()
    ) -> list[Inventory]:
        """Like `render` for many rows: the lists are read on the pool.

        Args:
            rows: of any classes.
            principal: as for `render`.
            fields: wire names to keep at the top; what they do not name is neither kept nor read. Empty
                keeps all.
        """
        reading = self._render(rows, principal, frozenset(fields))
        answer: Rows | None = None
        while True:
            try:
                statement = reading.send(answer) if answer is not None else next(reading)
            except StopIteration as done:
                return list(done.value)
            answer = await self._source.query(statement.sql, statement.bindings)
