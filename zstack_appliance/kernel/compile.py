"""From a `Query` to SQL: `Compiler`, for a query's rows, for their number and for embedded lists.

A hop is ``column IN (SELECT key FROM target WHERE ...)``, so a negative operator behind a chain means "has
some child that does not", as in ZStack; on tags alone it means "has no tag that does". What the principal
may see confines every table touched: the resource's own, each hop's, those that a sort goes over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

import msgspec

from zstack_appliance.kernel.comparison import LISTED, Shape, Statement, compare, shape_of
from zstack_appliance.kernel.conditions import And, Cond, Or, Query, Term
from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.edges import Edge, Graph, lineage
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.paths import Path, narrow, resolve
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, describe
from zstack_appliance.kernel.scope import Shared, nothing_shared, visible
from zstack_appliance.kernel.store.tables import Tables


class Compiler:
    """Compiles queries over one set of resources.

    Args:
        graph: every edge.
        tables: how each resource is stored.
        shared: what has been shared with whom.
        zone: the time zone of dates that name none; None is the machine's.
    """

    def __init__(
        self, graph: Graph, tables: Tables, *, shared: Shared = nothing_shared, zone: tzinfo | None = None
    ) -> None:
        self.graph = graph
        self.tables = tables
        self.shared = shared
        self.zone = zone

    def rows(self, query: Query, cls: type[Record], principal: Principal) -> Statement:
        """The page of rows that a query asks for, to be decoded by the layout of its `narrow` class.

        Raises:
            InvalidArgument: conditions or the sort are wrong; it names all of them.
        """
        build = _Build(self, principal)
        scope = build.outermost(narrow(self.graph, cls, query.where))
        where = build.where(scope, build.term(scope, query.where))
        order = build.order(scope, query)
        refuse(*build.faults)
        select = self.tables.of(scope.cls).layout.select
        sql = f"{select} WHERE {where.sql} ORDER BY {order.sql} LIMIT ? OFFSET ?"
        return Statement(sql, (*where.bindings, *order.bindings, query.limit, query.start))

    def count(self, query: Query, cls: type[Record], principal: Principal) -> Statement:
        """The number of rows that match, whatever the page; one row of one column.

        Raises:
            InvalidArgument: conditions are wrong; it names all of them.
        """
        build = _Build(self, principal)
        scope = build.outermost(narrow(self.graph, cls, query.where))
        where = build.where(scope, build.term(scope, query.where))
        refuse(*build.faults)
        return _select("count(*)", scope, where)

    def embedded(self, edge: Edge, uuids: Sequence[str], principal: Principal) -> Statement:
        """The rows that stand in the inventories of `uuids` under an edge's name, in the edge's order.

        Plucked rows come as two columns, the holder's uuid and the value; others as the target's layout.
        """
        assert edge.embed is not None
        build = _Build(self, principal)
        scope = build.outermost(edge.target)
        holder = scope.column(edge.key)
        held = Statement(f"{holder} IN {LISTED}", (msgspec.json.encode(uuids).decode(),))
        where = build.where(scope, held)
        order = f"ORDER BY {scope.column(edge.embed.order)}, {scope.root}.uuid"
        if edge.embed.pluck is None:
            select = self.tables.of(edge.target).layout.select
            return Statement(f"{select} WHERE {where.sql} {order}", where.bindings)
        value = scope.column(edge.embed.pluck)
        where = Statement(f"{where.sql} AND {value} IS NOT NULL {order}", where.bindings)
        return _select(f"{holder}, {value}", scope, where)


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


class _Build:
    """One statement in the making; wrong conditions are gathered, so that a caller learns of all at once."""

    def __init__(self, compiler: Compiler, principal: Principal) -> None:
        self._compiler = compiler
        self._principal = principal
        self._named = 0
        self.faults: list[Fault] = []

    def outermost(self, cls: type[Record]) -> Scope:
        """The resource that the statement is about, under the names that its layout's text uses."""
        return Scope(cls, tuple((step, quoted(describe(step).table)) for step in lineage(cls)))

    def inner(self, cls: type[Record]) -> Scope:
        """A resource under SQL names that this statement does not use yet."""
        steps = lineage(cls)
        names = [f"t{self._named + place}" for place in range(len(steps))]
        self._named += len(steps)
        return Scope(cls, tuple(zip(steps, names, strict=True)))

    def where(self, scope: Scope, *conditions: Statement) -> Statement:
        """The WHERE clause: these conditions and what the principal may see."""
        sight = visible(scope.cls, scope.root, self._principal, self._compiler.shared)
        return _joined(" AND ", (*conditions, *((sight,) if sight else ())), empty="1")

    def term(self, scope: Scope, term: Term) -> Statement:
        """A condition tree as SQL."""
        match term:
            case And(terms):
                return _joined(" AND ", (self.term(scope, each) for each in terms), empty="1")
            case Or(terms):
                return _joined(" OR ", (self.term(scope, each) for each in terms), empty="0")
            case Cond():
                return self._condition(scope, term)

    def _condition(self, scope: Scope, cond: Cond) -> Statement:
        try:
            path = resolve(self._compiler.graph, scope.cls, cond.path)
        except ValueError as wrong:
            self.faults.append(Fault(cond.path, str(wrong)))
            return Statement("0")
        try:
            return self._hop(scope, path.hops, lambda end: self._compare(end, path, cond))
        except ValueError as wrong:
            self.faults.append(Fault(cond.path, f"field[{cond.path}] {wrong}"))
            return Statement("0")

    def _hop(self, scope: Scope, hops: tuple[Edge, ...], inside: Callable[[Scope], Statement]) -> Statement:
        if not hops:
            return inside(scope)
        edge, *rest = hops
        target = self.inner(edge.target)
        where = self.where(target, self._hop(target, tuple(rest), inside))
        return _in(scope.column(edge.column), "IN", _select(target.column(edge.key), target, where))

    def _compare(self, scope: Scope, path: Path, cond: Cond) -> Statement:
        if path.tags is None:
            return compare(path.field, scope.column(path.field.name), cond.op, cond.value, self._compiler.zone)
        tags = self.inner(path.tags)
        matches = compare(
            path.field, tags.column(path.field.name), cond.op.positive, cond.value, self._compiler.zone
        )
        word = "NOT IN" if cond.op.negative else "IN"
        tagged = _select(tags.column("resource_uuid"), tags, self.where(tags, matches))
        return _in(f"{scope.root}.uuid", word, tagged)

    def order(self, scope: Scope, query: Query) -> Statement:
        """The ORDER BY clause; the key comes last, so that pages neither overlap nor miss a row."""
        way = " DESC" if query.descending else ""
        try:
            key = self._sort_key(scope, query.sort or "createDate")
        except ValueError as wrong:
            self.faults.append(Fault("sort", str(wrong)))
            key = Statement("1")
        return Statement(f"{key.sql}{way}, {scope.root}.uuid{way}", key.bindings)

    def _sort_key(self, scope: Scope, name: str) -> Statement:
        path = resolve(self._compiler.graph, scope.cls, name)
        if path.tags is not None or any(edge.many for edge in path.hops):
            raise ValueError(f"path[{name}] may have several values for one row; sort by one that has one")
        if shape_of(path.field) is Shape.JSON:
            raise ValueError(f"field[{name}] holds a list or a structure; sort by a plain field")
        return self._follow(scope, path.hops, path.field.name)

    def _follow(self, scope: Scope, hops: tuple[Edge, ...], field: str) -> Statement:
        if not hops:
            return Statement(scope.column(field))
        edge, *rest = hops
        target = self.inner(edge.target)
        value = self._follow(target, tuple(rest), field)
        here = Statement(f"{target.column(edge.key)} = {scope.column(edge.column)}")
        where = self.where(target, here)
        inner = _select(value.sql, target, where)
        return Statement(f"({inner.sql})", value.bindings + inner.bindings)


def _select(what: str, source: Scope, where: Statement) -> Statement:
    return Statement(" ".join(("SELECT", what, "FROM", source.source, "WHERE", where.sql)), where.bindings)


def _in(column: str, word: str, inner: Statement) -> Statement:
    return Statement(f"{column} {word} ({inner.sql})", inner.bindings)


def _joined(word: str, parts: Iterable[Statement], *, empty: str) -> Statement:
    found = tuple(parts)
    if not found:
        return Statement(empty)
    if len(found) == 1:
        return found[0]
    sql = word.join(part.sql for part in found)
    return Statement(f"({sql})", tuple(value for part in found for value in part.bindings))
