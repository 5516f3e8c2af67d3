"""Answers ZQL: `Zql`.

A statement becomes the same `Query` that REST's conditions become, so whatever holds there (the scope of an
account at every hop, bindings, limits) holds here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from zstack_appliance.kernel.bounded import MAX_ROWS, Snapshots, refuse_many, select_bounded
from zstack_appliance.kernel.comparison import Shape, shape_of
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.conditions import And, Cond, Query, Term
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.paths import field_named
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.query import Queries
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.zql.parser import parse
from zstack_appliance.kernel.zql.restrict import way_up
from zstack_appliance.kernel.zql.syntax import Restriction, Statement, Verb


class Zql:
    """Answers texts in ZQL.

    Args:
        compiler: makes the statements.
        queries: answers what is an ordinary query.
        store: gives the rows of sums and groups.
        date: formats milliseconds UTC as inventories print dates.
    """

    def __init__(self, compiler: Compiler, queries: Queries, store: Snapshots, date: Callable[[int], Any]) -> None:
        self._compiler = compiler
        self._queries = queries
        self._store = store
        self._date = date

    async def run(self, text: str, principal: Principal) -> list[dict[str, Any]]:
        """Answer every statement of a text, in order; the keys of an answer are those of ZStack's ZQLQueryReturn.

        Raises:
            InvalidArgument: the text is no ZQL, or names what is not there.
        """
        return [await self._answer(statement, principal) for statement in parse(text)]

    async def _answer(self, statement: Statement, principal: Principal) -> dict[str, Any]:
        cls = self._resource(statement.target)
        query = self._query(statement, cls)
        answer: dict[str, Any] = {}
        if statement.verb is Verb.SUM:
            rows = await self._groups(statement, query, cls, principal)
            answer["inventories"] = [[*values, *numbers] for values, numbers in rows]
        elif statement.verb is Verb.COUNT and statement.group_by:
            rows = await self._groups(statement, query, cls, principal)
            named = ((dict(zip(statement.group_by, values, strict=True)), *numbers) for values, numbers in rows)
            answer["inventoryCounts"] = [list(each) for each in named]
        else:
            reply = await self._queries.run(query, cls, principal)
            if reply.inventories is not None:
                answer["inventories"] = reply.inventories
            if reply.total is not None:
                answer["total"] = reply.total
        if statement.name is not None:
            answer["name"] = statement.name
        return answer

    def _resource(self, target: str) -> type[Record]:
        cls = self._compiler.graph.named(target)
        if cls is None:
            raise InvalidArgument(f"zql: there is no resource[{target[:100]}]; name one such as vmInstance or zone")
        return cls

    def _query(self, statement: Statement, cls: type[Record]) -> Query:
        restricted = (self._restricted(cls, each) for each in statement.restrict)
        return Query(
            where=And((*_flat(statement.where), *restricted)),
            sort=statement.sort,
            descending=statement.descending,
            limit=statement.limit,
            start=statement.offset,
            count=statement.verb is Verb.COUNT,
            reply_with_count=statement.total,
            fields=statement.fields if statement.verb is Verb.QUERY else (),
            group_by=statement.group_by,
        )

    def _restricted(self, cls: type[Record], by: Restriction) -> Cond:
        goal = self._resource(by.target)
        way = way_up(self._compiler.graph, cls, goal)
        if way is None:
            raise InvalidArgument(
                f"zql: {query_name(cls)} does not lie in a {query_name(goal)}, so it cannot be restricted by one;"
                " write a condition over edges behind where"
            )
        return Cond(".".join((*way, by.field)), by.op, by.value)

    async def _groups(
        self, statement: Statement, query: Query, cls: type[Record], principal: Principal
    ) -> list[tuple[list[Any], list[Any]]]:
        sums = statement.fields if statement.verb is Verb.SUM else ()
        page = replace(query, limit=min(query.limit, MAX_ROWS + 1))
        made = self._compiler.groups(page, cls, principal, sums)
        readers = [self._reader(self._compiler.narrowed(query, cls), name) for name in statement.group_by]

        def look(reader: Reader) -> list[tuple[list[Any], list[Any]]]:
            rows = select_bounded(reader, made)
            refuse_many(rows)
            return [
                ([read(value) for read, value in zip(readers, row, strict=False)], list(row[len(readers) :]))
                for row in rows
            ]

        return await self._store.read(look, principal.account_uuid)

    def _reader(self, cls: type[Record], name: str) -> Callable[[Any], Any]:
        """How a stored value of a field that was grouped by is printed."""
        field = field_named(cls, name)
        shape = None if field is None else shape_of(field)
        if shape is Shape.TIME:
            return lambda value: None if value is None else self._date(value)
        if shape is Shape.BOOLEAN:
            return lambda value: None if value is None else bool(value)
        return lambda value: value


def _flat(where: Term) -> tuple[Term, ...]:
    """The parts that all hold, so that an equation on a base's discriminator is found among them."""
    return where.terms if isinstance(where, And) else (where,)
