"""Answers queries: `Queries`, and its `QueryReply`.

The way of a query: text becomes a `Query` (conditions.py), its paths become edges and fields (paths.py,
edges.py), its values become bindings (comparison.py), all of it one SQL statement (compile.py) confined to
what the caller may see (scope.py); the rows that come back are rendered (inventory.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from zstack_appliance.kernel.bounded import MAX_ROWS, Snapshots, refuse_many, select_bounded
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.conditions import Query
from zstack_appliance.kernel.edges import Graph, lineage, public_fields
from zstack_appliance.kernel.errors import Fault, InvalidArgument, refuse
from zstack_appliance.kernel.inventory import Inventories, Inventory, schema_of
from zstack_appliance.kernel.paths import unknown
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, describe
from zstack_appliance.kernel.store.reader import Reader


@dataclass(frozen=True, slots=True)
class QueryReply:
    """What a query answers.

    Args:
        inventories: the page of matching rows; None when only their number was asked for.
        total: the number of matching rows; None unless it was asked for.
        schema: Java class of each inventory, by its place in the reply.
    """

    inventories: list[Inventory] | None
    total: int | None
    schema: Mapping[str, str]


class Queries:
    """Answers queries over one set of resources.

    Args:
        compiler: makes the statements.
        inventories: renders the rows.
        store: gives the rows.
    """

    def __init__(self, compiler: Compiler, inventories: Inventories, store: Snapshots) -> None:
        self._compiler = compiler
        self.inventories = inventories
        self._store = store

    async def run(self, query: Query, cls: type[Record], principal: Principal) -> QueryReply:
        """Answer one query; rows, lists and total are of one moment. Cancelling it interrupts it.

        Raises:
            InvalidArgument: it names a field that is not there or a value that does not fit, all of them; or
                more rows match than one answer holds, and it asks for all of them.
        """
        if query.filter_name is not None:
            raise InvalidArgument(f"there is no filter [{query.filter_name}]; leave filterName out, use conditions")
        wanted = self._compiler.narrowed(query, cls)
        refuse(*(_field_fault(self._compiler.graph, wanted, name) for name in query.fields))
        page = replace(query, limit=min(query.limit, MAX_ROWS + 1))
        rows = None if query.count else self._compiler.rows(page, cls, principal)
        quick = None if query.count else self._compiler.first_look(page, cls, principal)
        counted = query.count or query.reply_with_count
        total = self._compiler.count(query, cls, principal) if counted else None

        def look(reader: Reader) -> QueryReply:
            number = None if total is None else int(select_bounded(reader, total)[0][0])
            if rows is None:
                return QueryReply(None, number, {})
            decode = self._compiler.tables.of(wanted).layout.decode
            selected = [] if quick is None else select_bounded(reader, quick)
            if len(selected) < page.limit:
                selected = select_bounded(reader, rows)
            refuse_many(selected)
            found = [decode(row) for row in selected]
            inventories = self.inventories.render(reader, found, principal, query.fields)
            return QueryReply(inventories, number, schema_of("inventories", inventories))

        return await self._store.read(look, principal.account_uuid)


def _field_fault(graph: Graph, cls: type[Record], name: str) -> Fault | None:
    """What is wrong with a name in `Query.fields`; what a ``view`` computes cannot be known before it has."""
    for each in (cls, *graph.subtypes(cls)):
        if any(field.wire == name for field in public_fields(each)):
            return None
        if any(edge.listed == name for edge in graph.embeds(each)):
            return None
        if any(describe(step).options.view is not None for step in lineage(each)):
            return None
    return Fault("fields", unknown(graph, cls, name))
