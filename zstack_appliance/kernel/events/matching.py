"""Whether a row fulfils conditions on its own fields: `Matching`, which asks SQLite about that row alone.

The conditions are compiled as for any query, and run over a database in memory that holds nothing but the row.
So a row as it was can be judged as well as one that is stored, by the same rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import apsw

from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.conditions import Cond, Query, all_of
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.paths import resolve
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.schema import Record, root_of
from zstack_appliance.kernel.sql import Statement


@dataclass(frozen=True, slots=True)
class Condition:
    """The conditions of one query, compiled."""

    statement: Statement
    """The uuids of the rows that fulfil them."""
    tables: frozenset[str]
    """The base tables that they lead to from the resource's own; empty when a row alone decides."""


class Matching:
    """Judges rows.

    Args:
        compiler: compiles conditions.
    """

    def __init__(self, compiler: Compiler) -> None:
        self._compiler = compiler
        self._tables = compiler.tables
        self._memory: apsw.Connection | None = None

    def condition(self, conditions: Sequence[Cond], cls: type[Record]) -> Condition:
        """Conditions on a resource.

        Raises:
            InvalidArgument: they are wrong; it names all of them.
        """
        query = Query(where=all_of(conditions))
        statement = self._compiler.keys(query, cls, SYSTEM)
        return Condition(statement, reached(self._compiler.graph, self._compiler.narrowed(query, cls), conditions))

    def holds(self, row: Record, condition: Condition) -> bool:
        """Whether a row fulfils conditions on its own fields."""
        memory = self._opened()
        table = self._tables.of(type(row))
        for text, bindings in table.insert(row, ""):
            memory.execute(text, bindings)
        try:
            return bool(memory.execute(condition.statement.sql, condition.statement.bindings).fetchall())
        finally:
            for text in table.deletes:
                memory.execute(text, (row.uuid,))

    def _opened(self) -> apsw.Connection:
        if self._memory is None:
            self._memory = apsw.Connection(":memory:")
            for statements in self._tables.schema.values():
                for statement in statements:
                    self._memory.execute(statement)
        return self._memory


def reached(graph: Graph, cls: type[Record], conditions: Sequence[Cond]) -> frozenset[str]:
    """The base tables that the paths of conditions lead to, beside the resource's own fields."""
    found: set[str] = set()
    for cond in conditions:
        path = resolve(graph, cls, cond.path)
        found |= {root_of(edge.target).table for edge in path.hops}
        if path.tags is not None:
            found.add(root_of(path.tags).table)
    return frozenset(found)
