"""From a `Query` to SQL: `Compiler`, for a query's rows, for their number and for embedded lists.

A hop is ``column IN (SELECT key FROM target WHERE ...)``, so a negative operator behind a chain means "has
some child that does not", as in ZStack; on tags alone it means "has no tag that does". What the principal
may see confines every table touched: the resource's own, each hop's, those that a sort goes over; but for
the parts of a row, which are seen with it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo

import msgspec

from zstack_appliance.kernel.absent import MISSING
from zstack_appliance.kernel.comparison import Shape, compare, shape_of
from zstack_appliance.kernel.conditions import And, Cond, Op, Or, Query, Term, Within
from zstack_appliance.kernel.edges import Edge, Graph, lineage
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.paths import TAG_FIELDS, Path, field_named, narrow, resolve, unknown
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Field, Record, describe, fields_of, root_of
from zstack_appliance.kernel.scope import Shared, is_part, nothing_shared, visible
from zstack_appliance.kernel.sql import (
    EVERYTHING,
    LISTED,
    NOTHING,
    Scope,
    Statement,
    all_of,
    any_of,
    member,
    outermost,
    select,
)
from zstack_appliance.kernel.store.tables import Tables

FIRST_LOOK = 2000
"""Rows that a page is looked for among before everything that matches is gathered; some 10 ms when in vain."""


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

    def narrowed(self, query: Query, cls: type[Record]) -> type[Record]:
        """The class that a query's rows are decoded as: the sub-type that it is confined to, or the base."""
        return narrow(self.graph, cls, query.where)

    def rows(self, query: Query, cls: type[Record], principal: Principal) -> Statement:
        """The page of rows that a query asks for, to be decoded by the layout of its `narrowed` class.

        Raises:
            InvalidArgument: conditions or the sort are wrong; it names all of them.
        """
        build = _Build(self, principal)
        scope = outermost(self.narrowed(query, cls))
        where = build.matching(scope, query)
        order = build.order(scope, query)
        refuse(*build.faults)
        return self._page(scope, where, order, query)

    def first_look(self, query: Query, cls: type[Record], principal: Principal) -> Statement | None:
        """The same page, looked for among the first `FIRST_LOOK` rows of the order alone, row by row.

        When it comes back full, it is the page. What matches many rows is found so in a few steps, where `rows`
        would gather all of them first; what matches few is not, and costs `FIRST_LOOK` steps in vain.

        Returns:
            None when such a look cannot be quick, or `rows` is quick by itself.

        Raises:
            InvalidArgument: as `rows` does.
        """
        scope = outermost(self.narrowed(query, cls))
        if query.group_by or not 0 < query.limit + query.start <= FIRST_LOOK // 4 or not _is_worth_a_look(query.where):
            return None
        if query.sort not in (None, "createDate") or _leads_to_few(query.where, scope.cls):
            return None
        build = _Build(self, principal, row_by_row=True)
        order = build.order(scope, query)
        among = self._first(build, scope, query)
        where = all_of((among, build.where(scope, build.term(scope, query.where))))
        refuse(*build.faults)
        return self._page(scope, where, order, query)

    def _first(self, build: _Build, scope: Scope, query: Query) -> Statement:
        """The condition that a row is among the first of the order that the principal may see."""
        root = build.inner(scope.tables[0][0])
        inner = build.order(root, query)
        seen = select(f"{root.root}.uuid", root, build.where(root))
        first = Statement(f"{seen.sql} ORDER BY {inner.sql} LIMIT {FIRST_LOOK}", seen.bindings)
        return member(f"{scope.root}.uuid", "IN", first, selective=True)

    def _page(self, scope: Scope, where: Statement, order: Statement, query: Query) -> Statement:
        text = self.tables.of(scope.cls).layout.select
        sql = f"{text} WHERE {where.sql} ORDER BY {order.sql} LIMIT ? OFFSET ?"
        return Statement(sql, (*where.bindings, *order.bindings, query.limit, query.start))

    def keys(
        self, query: Query, cls: type[Record], principal: Principal, among: Sequence[str] | None = None
    ) -> Statement:
        """The uuids of the rows that match, in no order and whatever the page.

        Args:
            query: gives the conditions.
            cls: the resource.
            principal: confines what is seen.
            among: only of these rows.

        Raises:
            InvalidArgument: conditions are wrong; it names all of them.
        """
        build = _Build(self, principal)
        scope = outermost(self.narrowed(query, cls))
        asked = [build.term(scope, query.where)]
        if among is not None:
            listed = msgspec.json.encode(list(among)).decode()
            asked.insert(0, Statement(f"{scope.column('uuid')} IN {LISTED}", (listed,), selective=True))
        where = build.where(scope, *asked)
        refuse(*build.faults)
        return select(f"{scope.root}.uuid", scope, where)

    def count(self, query: Query, cls: type[Record], principal: Principal) -> Statement:
        """The number of rows that match, whatever the page; one row of one column.

        Raises:
            InvalidArgument: conditions are wrong; it names all of them.
        """
        build = _Build(self, principal)
        scope = outermost(self.narrowed(query, cls))
        where = build.matching(scope, query)
        refuse(*build.faults)
        return select("count(*)", scope, where)

    def groups(self, query: Query, cls: type[Record], principal: Principal, sums: Sequence[str] = ()) -> Statement:
        """One row for each combination of values that the fields in `Query.group_by` have.

        A row holds those values as they are stored, then the sums of the fields named in `sums`, or without
        any the number of rows. The page is that of the query, in the order of the values.

        Raises:
            InvalidArgument: a field is none, or cannot be grouped by or added up; it names all of them.
        """
        build = _Build(self, principal)
        scope = outermost(self.narrowed(query, cls))
        where = build.where(scope, build.term(scope, query.where))
        by = ", ".join(build.grouped(scope, query.group_by))
        numbers = [f"sum({column})" for column in build.grouped(scope, sums, summed=True)] or ["count(*)"]
        refuse(*build.faults)
        found = select(", ".join((by, *numbers)), scope, where)
        return Statement(
            f"{found.sql} GROUP BY {by} ORDER BY {by} LIMIT ? OFFSET ?",
            (*found.bindings, query.limit, query.start),
        )

    def embedded(self, edge: Edge, uuids: Sequence[str], principal: Principal) -> Statement:
        """The rows that stand in the inventories of `uuids` under an edge's name, in the edge's order.

        Plucked rows come as two columns, the holder's uuid and the value; others as the target's layout.
        """
        assert edge.embed is not None
        build = _Build(self, principal)
        scope = outermost(edge.target)
        holder = scope.column(edge.key)
        held = Statement(f"{holder} IN {LISTED}", (msgspec.json.encode(uuids).decode(),), selective=True)
        where = held if is_part(edge) else build.where(scope, held)
        order = f"ORDER BY {scope.column(edge.embed.order)}, {scope.root}.uuid"
        if edge.plucked is None:
            text = self.tables.of(edge.target).layout.select
            return Statement(f"{text} WHERE {where.sql} {order}", where.bindings)
        value = scope.column(edge.plucked)
        where = Statement(f"{where.sql} AND {value} IS NOT NULL {order}", where.bindings)
        return select(f"{holder}, {value}", scope, where)


class _Build:
    """One statement in the making; wrong conditions are gathered, so that a caller learns of all at once."""

    def __init__(self, compiler: Compiler, principal: Principal, *, row_by_row: bool = False) -> None:
        self._compiler = compiler
        self._principal = principal
        self._row_by_row = row_by_row
        self._named = 0
        self.faults: list[Fault] = []

    def inner(self, cls: type[Record]) -> Scope:
        """A resource under SQL names that this statement does not use yet."""
        steps = lineage(cls)
        names = [f"t{self._named + place}" for place in range(len(steps))]
        self._named += len(steps)
        return Scope(cls, tuple(zip(steps, names, strict=True)))

    def where(self, scope: Scope, *conditions: Statement) -> Statement:
        """The WHERE clause: these conditions and what the principal may see."""
        asked = all_of(conditions)
        sight = visible(scope.cls, scope.root, self._principal, self._compiler.shared, selective=asked.selective)
        if sight is None:
            return asked
        return sight if asked == EVERYTHING else all_of((asked, sight))

    def matching(self, scope: Scope, query: Query) -> Statement:
        """The WHERE clause of a query: its conditions, what may be seen, and of each group the oldest."""
        if not query.group_by:
            return self.where(scope, self.term(scope, query.where))
        inner = self.inner(scope.cls)
        where = self.where(inner, self.term(inner, query.where))
        by = ", ".join(self.grouped(inner, query.group_by))
        age = f"ORDER BY {inner.column('create_date')}, {inner.root}.uuid"
        place = f"{inner.root}.uuid, row_number() OVER (PARTITION BY {by} {age}) AS place"
        placed = select(place, inner, where)
        first = Statement(f"SELECT uuid FROM ({placed.sql}) WHERE place = 1", placed.bindings)
        return member(f"{scope.root}.uuid", "IN", first, selective=False)

    def grouped(self, scope: Scope, names: Sequence[str], *, summed: bool = False) -> list[str]:
        """The columns of a resource's own fields, to be grouped by or added up."""
        columns: list[str] = []
        for name in names:
            field = field_named(scope.cls, name)
            shape = None if field is None else shape_of(field)
            if field is None:
                self.faults.append(Fault(name, unknown(self._compiler.graph, scope.cls, name)))
            elif summed and shape not in (Shape.INTEGER, Shape.REAL):
                self.faults.append(Fault(name, f"field[{name}] holds no number that could be added up"))
            elif shape is Shape.JSON:
                self.faults.append(Fault(name, f"field[{name}] holds a list or a structure; use a plain field"))
            else:
                columns.append(scope.column(field.name))
        return columns

    def term(self, scope: Scope, term: Term) -> Statement:
        """A condition tree as SQL."""
        match term:
            case And(terms):
                return all_of(self.term(scope, each) for each in terms)
            case Or(terms):
                return any_of(self.term(scope, each) for each in terms)
            case Cond() | Within():
                return self._condition(scope, term)

    def _condition(self, scope: Scope, cond: Cond | Within) -> Statement:
        try:
            path = resolve(self._compiler.graph, scope.cls, cond.path)
        except ValueError as wrong:
            self.faults.append(Fault(cond.path, str(wrong)))
            return NOTHING
        try:
            if isinstance(cond, Within):
                listed = self._listed(path, cond)
                return self._hop(scope, path.hops, lambda end: _among(end.column(path.field.name), cond.op, listed))
            return self._hop(scope, path.hops, lambda end: self._compare(end, path, cond))
        except ValueError as wrong:
            self.faults.append(Fault(cond.path, f"field[{cond.path}] {wrong}"))
            return NOTHING

    def _listed(self, path: Path, cond: Within) -> Statement:
        """What a sub-query finds: every value of its field that is not null."""
        graph = self._compiler.graph
        cls = graph.named(cond.target)
        if cls is None:
            raise ValueError(f"is compared with a query of [{cond.target}], which is no resource")
        cls = narrow(graph, cls, cond.where)
        field = field_named(cls, cond.field)
        if field is None:
            raise ValueError(f"is compared with [{cond.field}]: {unknown(graph, cls, cond.field)}")
        if path.tags is not None or Shape.JSON in (shape_of(field), shape_of(path.field)):
            raise ValueError("takes no sub-query; sub-queries compare plain fields")
        target = self.inner(cls)
        value = target.column(field.name)
        where = self.where(target, self.term(target, cond.where), Statement(f"{value} IS NOT NULL"))
        return select(value, target, where)

    def _hop(self, scope: Scope, hops: tuple[Edge, ...], inside: Callable[[Scope], Statement]) -> Statement:
        if not hops:
            return inside(scope)
        edge, *rest = hops
        target = self.inner(edge.target)
        asked = self._hop(target, tuple(rest), inside)
        if self._row_by_row:
            asked = all_of((_joined(target.column(edge.key), scope.column(edge.column)), asked))
        where = asked if is_part(edge) else self.where(target, asked)
        if self._row_by_row:
            return _exists(target, where)
        inner = select(target.column(edge.key), target, where)
        # One parent may have very many children, so an edge to one row may well lead back from all rows.
        return member(scope.column(edge.column), "IN", inner, selective=edge.many)

    def _compare(self, scope: Scope, path: Path, cond: Cond) -> Statement:
        if path.tags is None:
            return self._compare_field(scope, path.field, cond.op, cond.value)
        tags = self.inner(path.tags)
        matches = self._compare_field(tags, path.field, cond.op.positive, cond.value)
        if self._row_by_row:
            here = _joined(tags.column("resource_uuid"), scope.column("uuid"))
            found = _exists(tags, self.where(tags, all_of((here, matches))))
            return replace(found, sql=f"NOT {found.sql}") if cond.op.negative else found
        word = "NOT IN" if cond.op.negative else "IN"
        tagged = select(tags.column("resource_uuid"), tags, self.where(tags, matches))
        return member(scope.column("uuid"), word, tagged, selective=not cond.op.negative)

    def _compare_field(self, scope: Scope, field: Field, op: Op, value: str | tuple[str, ...]) -> Statement:
        kinds = self._compiler.tables.absent.kinds_of(scope.cls)
        if kinds and value == MISSING and field.name == root_of(scope.cls).options.discriminator:
            # As such rows are shown; what is stored are the kinds that nobody here knows.
            op, value = {Op.EQ: Op.IN, Op.NE: Op.NOT_IN}.get(op, op), kinds
        made = compare(field, scope.column(field.name), op, value, self._compiler.zone)
        selective = op in (Op.EQ, Op.IN) and field.name in _indexed(scope.cls)
        return replace(made, selective=selective)

    def order(self, scope: Scope, query: Query) -> Statement:
        """The ORDER BY clause; the key comes last, so that pages neither overlap nor miss a row."""
        way = " DESC" if query.descending else ""
        try:
            key = self._sort_key(scope, query.sort or "createDate")
        except ValueError as wrong:
            self.faults.append(Fault("sort", str(wrong)))
            key = EVERYTHING
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
        here = Statement(f"{target.column(edge.key)} = {scope.column(edge.column)}", selective=True)
        inner = select(value.sql, target, self.where(target, here))
        return Statement(f"({inner.sql})", value.bindings + inner.bindings)


def _joined(inner: str, outer: str) -> Statement:
    """The condition that joins a row of a sub-query to the row outside; an index leads to it."""
    return Statement(f"{inner} = {outer}", selective=True)


def _exists(target: Scope, where: Statement) -> Statement:
    found = select("1", target, where)
    return Statement(f"EXISTS ({found.sql})", found.bindings)


def _is_worth_a_look(term: Term) -> bool:
    """Whether a tree goes over edges or tags, and over no sub-query, whose rows would be gathered anyway."""
    leaves = tuple(_leaves(term))
    return any("." in leaf.path or leaf.path in TAG_FIELDS for leaf in leaves) and not any(
        isinstance(leaf, Within) for leaf in leaves
    )


def _leads_to_few(term: Term, cls: type[Record]) -> bool:
    """Whether one of the conditions that must all hold is an equation on an indexed field of the resource itself."""
    indexed = {field.wire for field in fields_of(cls) if field.name in _indexed(cls)}
    return any(
        isinstance(each, Cond) and each.op in (Op.EQ, Op.IN) and each.path in indexed
        for each in (term.terms if isinstance(term, And) else (term,))
    )


def _leaves(term: Term) -> Iterator[Cond | Within]:
    if isinstance(term, And | Or):
        for each in term.terms:
            yield from _leaves(each)
    else:
        yield term


def _among(column: str, op: Op, listed: Statement) -> Statement:
    found = member(column, op.value.upper(), listed, selective=False)
    # SQLite says that null is not in an empty list.
    return replace(found, sql=f"({column} IS NOT NULL AND {found.sql})") if op.negative else found


@functools.cache
def _indexed(cls: type[Record]) -> frozenset[str]:
    """The fields that an index leads with: key, name, references, and the first of each declared index."""
    options = [describe(step).options for step in lineage(cls)]
    declared = {columns[0] for each in options for columns in (*each.unique, *each.indexes)}
    named = {"name"} if options[0].path is not None else set()
    return frozenset({"uuid", *named, *declared, *(field.name for field in fields_of(cls) if field.ref is not None)})
