"""What SQLite means to do for the queries that everybody sends: no table is gone through from end to end.

Generic over every declared resource: a new one, or a new edge, is held to it without a word here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.kernel.small_store import PlainSealer, SmallStore
from tests.running import every_plugin
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.conditions import parse_rest
from zstack_appliance.kernel.edges import Edge, Graph, public_fields, query_name
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.paths import TAG_FIELDS, steps
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.schema import Record, Resource, describe
from zstack_appliance.kernel.scope import visible
from zstack_appliance.kernel.sharing import shared
from zstack_appliance.kernel.sql import NOTHING, Statement
from zstack_appliance.kernel.store.tables import Tables

ACCOUNT = Principal("a" * 32, admin=False)
RESOURCES: list[type[Record]] = [*(cls for plugin in every_plugin() for cls in plugin.resources), Job, FlowRun]
GRAPH = Graph(RESOURCES)
ASKED = [cls for cls in GRAPH.resources if describe(cls).options.path is not None]
TABLES = Tables(RESOURCES, PlainSealer())
COMPILER = Compiler(GRAPH, TABLES, shared=shared)

SORTS = "USE TEMP B-TREE"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path_factory.mktemp("plans") / "cloud.db", TABLES)
    yield made
    made.connection.close()


BARRED = {describe(cls).table for cls in GRAPH.resources if visible(cls, "t", ACCOUNT, shared) == NOTHING}
"""Tables that accounts see nothing of. SQLite says that it scans them, under a condition that never holds."""


def scans(store: SmallStore, statement: Statement, who: Principal = SYSTEM) -> list[str]:
    """The tables that a plan goes through from end to end, lists of bound values apart."""
    tables = {name: table for table, name in re.findall(r'(?:FROM|JOIN) "(\w+)" (t\d+)', statement.sql)}
    lines = [line for line in store.plan(statement) if line.startswith("SCAN")]
    names = [line.split()[1] for line in lines if "VIRTUAL TABLE" not in line]
    barred = set() if who.admin else BARRED
    return [found for name in names if (found := tables.get(name, name)) not in barred]


def chains(cls: type[Record], hops: int) -> Iterator[tuple[str, type[Record]]]:
    """Every chain of edges, and where it leads."""
    for name, target in steps(GRAPH, cls).items():
        yield name, target
        if hops > 1:
            for rest, end in chains(target, hops - 1):
                yield f"{name}.{rest}", end


def ask(cls: type[Record], condition: str, who: Principal) -> Iterator[Statement]:
    """The page and the number of what a condition finds."""
    query = parse_rest([("q", condition)])
    yield COMPILER.rows(query, cls, who)
    yield COMPILER.count(query, cls, who)


@pytest.mark.parametrize("who", [SYSTEM, ACCOUNT], ids=["admin", "account"])
@pytest.mark.parametrize("cls", ASKED, ids=query_name)
def test_conditions_over_up_to_three_edges_are_looked_up(store: SmallStore, cls: type[Record], who: Principal) -> None:
    for chain, end in chains(cls, 3):
        for field in ("uuid", "name"):
            if any(each.wire == field for each in public_fields(end)):
                for statement in ask(cls, f"{chain}.{field}=x", who):
                    assert scans(store, statement, who) == [], (chain, field, store.plan(statement))


@pytest.mark.parametrize("who", [SYSTEM, ACCOUNT], ids=["admin", "account"])
@pytest.mark.parametrize("cls", ASKED, ids=query_name)
def test_what_is_mostly_asked_for_is_looked_up(store: SmallStore, cls: type[Record], who: Principal) -> None:
    """Key, name, tags, and every reference."""
    own = [field.wire for field in public_fields(cls) if field.ref is not None or field.wire == "uuid"]
    named = [field.wire for field in public_fields(cls) if issubclass(cls, Resource) and field.wire == "name"]
    for path in (*own, *named, *TAG_FIELDS):
        if path != "__tagUuid__":  # There are no tag patterns yet, so nobody asks for one.
            for statement in ask(cls, f"{path}=x", who):
                assert scans(store, statement, who) == [], (path, store.plan(statement))


@pytest.mark.parametrize("cls", ASKED, ids=query_name)
def test_pages_of_everything_come_in_the_order_of_an_index(store: SmallStore, cls: type[Record]) -> None:
    for sort in ("createDate", "-createDate"):
        statement = COMPILER.rows(parse_rest([("sort", sort)]), cls, SYSTEM)
        plan = store.plan(statement)
        assert not any(SORTS in line for line in plan), plan
        assert any(f"{describe(cls).table}__create_date__uuid" in line for line in plan), plan


@pytest.mark.parametrize("cls", [cls for cls in ASKED if describe(cls).options.owned], ids=query_name)
def test_an_accounts_own_rows_are_found_by_its_name(store: SmallStore, cls: type[Record]) -> None:
    query = parse_rest([])
    for statement in (COMPILER.rows(query, cls, ACCOUNT), COMPILER.count(query, cls, ACCOUNT)):
        plan = store.plan(statement)
        assert scans(store, statement) == [], plan
        assert any("owner_uuid=?" in line for line in plan), plan
    if not describe(cls).options.shareable:
        assert not any(SORTS in line for line in store.plan(COMPILER.rows(query, cls, ACCOUNT)))


@pytest.mark.parametrize("cls", ASKED, ids=query_name)
def test_counting_everything_reads_an_index_alone(store: SmallStore, cls: type[Record]) -> None:
    plan = store.plan(COMPILER.count(parse_rest([]), cls, SYSTEM))
    assert all("COVERING INDEX" in line for line in plan), plan


EMBEDDED = [(cls, edge) for cls in GRAPH.resources for edge in GRAPH.embeds(cls) if edge.source is cls]


@pytest.mark.parametrize("who", [SYSTEM, ACCOUNT], ids=["admin", "account"])
@pytest.mark.parametrize(("cls", "edge"), EMBEDDED, ids=[f"{cls.__name__}.{edge.listed}" for cls, edge in EMBEDDED])
def test_lists_in_inventories_are_found_by_what_holds_them(
    store: SmallStore, cls: type[Record], edge: Edge, who: Principal
) -> None:
    statement = COMPILER.embedded(edge, ("a" * 32, "b" * 32), who)
    assert scans(store, statement) == [], store.plan(statement)
    assert any(f"{edge.key}=?" in line for line in store.plan(statement)), store.plan(statement)
