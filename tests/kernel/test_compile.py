from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.small_cloud import Host, L3Network, VmInstance, VmNic, Volume, Zone
from tests.kernel.small_crowd import EVERYBODY, NUMBERS, ROWS, SECONDS, WORDS
from tests.kernel.small_oracle import Oracle
from tests.kernel.small_store import ADMIN, ALICE, GRAPH, TABLES, SmallStore, compiler, key
from zstack_appliance.kernel.comparison import Shape, operators_of, shape_of
from zstack_appliance.kernel.conditions import And, Cond, Op, Or, Query, parse_rest
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.paths import ends, steps
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path / "cloud.db")
    yield made
    made.connection.close()


def asking(*conditions: str, sort: str = "") -> Query:
    return parse_rest([*(("q", text) for text in conditions), ("sort", sort)])


def test_values_are_bound_and_never_part_of_the_text() -> None:
    nasty = "x'; DROP TABLE zone; --"
    statement = compiler().rows(
        asking(f"name={nasty}", f"vmNics.ip?={nasty}", f"__userTag__~={nasty}"), VmInstance, ALICE
    )
    assert "DROP" not in statement.sql
    assert statement.bindings.count(nasty) == 2
    assert statement.sql.count("?") == len(statement.bindings)


@pytest.mark.parametrize(
    ("cls", "conditions", "who", "scanned"),
    [
        (VmInstance, ["vmNics.l3Network.uuid=x"], ADMIN, []),
        (VmInstance, ["vmNics.l3Network.zone.uuid=x"], ADMIN, []),
        (VmInstance, ["host.cluster.zone.uuid=x", "vmNics.securityGroup.uuid=x"], ADMIN, []),
        (VmInstance, ["vmNics.l3Network.name=x"], ADMIN, []),
        (VmInstance, ["vmNics.l3Network.system=true"], ADMIN, ["l3_network"]),
        (VmInstance, ["vmNics.l3Network.name=x"], ALICE, []),
        (VmInstance, ["__userTag__=x"], ADMIN, []),
        (VmInstance, ["vmNics.securityGroup.__systemTag__=x"], ALICE, []),
        (VmInstance, ["uuid=x"], ALICE, []),
        (VmInstance, [], ALICE, []),
        (Host, ["uuid=x", "hypervisorType=KVM", "sshPort=22"], ADMIN, []),
        (VmInstance, ["name=x"], ADMIN, []),
        (VmInstance, ["cpuNum=1"], ADMIN, ["vm_instance"]),
        (VmInstance, [], ADMIN, ["vm_instance"]),
    ],
)
def test_chains_use_indexes_and_scan_only_the_table_of_a_field_without_one(
    store: SmallStore, cls: type[Record], conditions: list[str], who: Principal, scanned: list[str]
) -> None:
    statement = compiler().rows(asking(*conditions), cls, who)
    plan = store.plan(statement)
    scans = [line.split()[1] for line in plan if line.startswith("SCAN")]
    # SQLite calls a hop's table by the name that the statement gives it, t0, t1, …
    tables = {name: table for table, name in re.findall(r'FROM "(\w+)" (t\d+)', statement.sql)}
    assert [tables.get(name, name) for name in scans] == scanned, plan


def test_a_vms_lists_are_found_by_the_vm_even_for_an_account_with_many_rows(store: SmallStore) -> None:
    for edge in GRAPH.embeds(VmInstance):
        plan = store.plan(compiler().embedded(edge, (key("v"),), ALICE))
        assert any("vm_instance_uuid=?" in line for line in plan), plan
        assert not any("owner_uuid=?" in line for line in plan), plan


def test_all_wrong_conditions_are_named_at_once() -> None:
    with pytest.raises(InvalidArgument) as raised:
        compiler().rows(
            asking("nmae=x", "cpuNum=many", "vmNics=x", "state=Running", sort="vmNics.ip"), VmInstance, ADMIN
        )
    assert [fault.field for fault in raised.value.faults] == ["nmae", "cpuNum", "vmNics", "sort"]
    assert raised.value.details.startswith(
        "inventory class[org.zstack.header.vm.VmInstanceInventory] has no field[nmae]"
    )
    assert raised.value.faults[1].text == "field[cpuNum] takes a whole number of 64 bits, but got [many]"
    with pytest.raises(InvalidArgument):
        compiler().count(asking("nmae=x"), VmInstance, ADMIN)


@pytest.mark.parametrize(
    ("sort", "words"),
    [
        ("nmae", "did you mean name"),
        ("vmNics.ip", r"path\[vmNics.ip\] may have several values"),
        ("__userTag__", "may have several values"),
        ("labels", "holds a list"),
        ("process", r"has no field\[process\]"),
    ],
)
def test_what_cannot_be_sorted_by(sort: str, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        compiler().rows(asking(sort=sort), VmInstance, ADMIN)


def test_conditions_may_be_a_tree(store: SmallStore) -> None:
    tree = Or(
        (
            And((Cond("name", Op.EQ, "a"), Cond("cpuNum", Op.GT, "1"))),
            Cond("vmInstance.name", Op.EQ, "b"),
            And(),
            Or(),
        )
    )
    with pytest.raises(InvalidArgument, match=r"no field\[name\]"):
        compiler().rows(Query(where=tree), VmNic, ADMIN)
    statement = compiler().count(Query(where=Or((And(), Or()))), VmNic, ADMIN)
    assert statement.sql.endswith("WHERE (1 OR 0)")
    assert store.select(statement.sql, statement.bindings) == [(0,)]


def test_the_largest_query_is_not_too_large_for_sqlite(store: SmallStore) -> None:
    path = "vmNics.vmInstance." * 8 + "name"
    many = asking(*(f"{path}={i}" for i in range(256)))
    for statement in (compiler().rows(many, VmInstance, ALICE), compiler().count(many, VmInstance, ALICE)):
        store.select(statement.sql, statement.bindings)


# --- against plain Python --------------------------------------------------------------------------------

SORTS: dict[type[Record], tuple[str | None, ...]] = {
    VmInstance: (
        None,
        "name",
        "cpuNum",
        "state",
        "host.name",
        "defaultL3Network.zone.name",
        "host.cluster.createDate",
    ),
    VmNic: (None, "deviceId", "ip", "vmInstance.host.managementIp", "l3Network.system"),
    Host: (None, "name", "cluster.zone.isDefault"),
    Volume: (None, "size", "vmInstance.name", "vmInstance.memorySize"),
    L3Network: (None, "zone.name"),
    Zone: (None, "state"),
}


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path_factory.mktemp("crowd") / "cloud.db")
    for row, owner in ROWS:
        made.put(row, owner=owner)
    yield made
    made.connection.close()


@st.composite
def comparisons(draw: st.DrawFn, cls: type[Record]) -> Cond:
    """Any path over at most three edges, any operator that its field takes, a value that may well occur."""
    at, chain = cls, []
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(steps(GRAPH, at))))
        chain.append(name)
        at = steps(GRAPH, at)[name]
    last, field = draw(st.sampled_from(sorted(ends(GRAPH, at).items(), key=itemgetter(0))))
    op = draw(st.sampled_from(operators_of(field)))
    values = {
        Shape.TEXT: WORDS if field.ref is None and field.name != "uuid" else tuple(row.uuid for row, _ in ROWS),
        Shape.INTEGER: WORDS if op.positive is Op.LIKE else NUMBERS,
        Shape.BOOLEAN: ("true", "FALSE"),
        Shape.TIME: (*SECONDS, "0", "1999", "500"),
        Shape.JSON: ("",),
    }[shape_of(field)]
    if field.name == "hypervisor_type":
        values = ("KVM", "Simulator")
    if op.positive is Op.LIKE:
        values = (*values, "%a%", "%", "_", "a\\%", "%\\")
    value: str | tuple[str, ...] = draw(st.sampled_from(values)) if op.takes_value else ""
    if op.takes_list:
        value = tuple(draw(st.lists(st.sampled_from(values), max_size=3)))
    return Cond(".".join((*chain, last)), op, value)


@st.composite
def asked(draw: st.DrawFn) -> tuple[type[Record], Query, Principal]:
    cls = draw(st.sampled_from(sorted(SORTS, key=lambda each: each.__name__)))
    where = draw(
        st.recursive(
            comparisons(cls),
            lambda inner: (
                st.builds(And, st.lists(inner, max_size=3).map(tuple))
                | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
            ),
            max_leaves=5,
        )
    )
    query = Query(where=where, sort=draw(st.sampled_from(SORTS[cls])), descending=draw(st.booleans()))
    return cls, query, draw(st.sampled_from(EVERYBODY))


@given(asked())
@settings(deadline=None, max_examples=100)
def test_a_query_answers_what_plain_python_does(
    crowded: SmallStore, question: tuple[type[Record], Query, Principal]
) -> None:
    cls, query, who = question
    expected = Oracle(ROWS).answer(query, cls, who)
    rows, count = compiler().rows(query, cls, who), compiler().count(query, cls, who)
    decode = TABLES.of(compiler().narrowed(query, cls)).layout.decode
    assert [decode(row).uuid for row in crowded.select(rows.sql, rows.bindings)] == expected
    assert crowded.select(count.sql, count.bindings) == [(len(expected),)]


@given(asked(), st.integers(1, 4), st.integers(0, 3))
@settings(deadline=None, max_examples=100)
def test_a_first_look_finds_the_page_or_less(
    crowded: SmallStore, question: tuple[type[Record], Query, Principal], limit: int, start: int
) -> None:
    cls, asking_all, who = question
    query = replace(asking_all, sort=None, limit=limit, start=start)
    look = compiler().first_look(query, cls, who)
    if look is None:
        return
    expected = Oracle(ROWS).answer(query, cls, who)[start : start + limit]
    decode = TABLES.of(compiler().narrowed(query, cls)).layout.decode
    assert [decode(row).uuid for row in crowded.select(look.sql, look.bindings)] == expected


@pytest.mark.parametrize(
    ("conditions", "more", "looked"),
    [
        (["vmNics.ip=x"], {}, True),
        (["__userTag__!=x"], {"sort": "-createDate"}, True),
        (["name~=x", "vmNics.ip=x"], {}, True),
        (["name~=x"], {}, False),
        (["name=x", "vmNics.ip=x"], {}, False),
        (["vmNics.ip=x"], {"sort": "name"}, False),
        (["vmNics.ip=x"], {"limit": "1000"}, False),
        (["vmNics.ip=x"], {"limit": "0"}, False),
        (["vmNics.ip=x"], {"start": "500"}, False),
    ],
)
def test_a_first_look_is_for_small_pages_of_conditions_over_edges(
    conditions: list[str], more: dict[str, str], looked: bool
) -> None:
    given_ = [("limit", "100"), *(("q", text) for text in conditions)]
    query = parse_rest([*(pair for pair in given_ if pair[0] not in more), *more.items()])
    assert (compiler().first_look(query, VmInstance, ADMIN) is not None) == looked


def test_a_first_look_goes_through_the_rows_in_their_order(store: SmallStore) -> None:
    for who, index in (
        (ADMIN, "create_date__uuid"),
        (ALICE, "owner_uuid__create_date__uuid"),
    ):
        look = compiler().first_look(replace(asking("vmNics.l3Network.zone.name=x"), limit=9), VmInstance, who)
        assert look is not None
        plan = store.plan(look)
        assert any(f"USING COVERING INDEX vm_instance__{index}" in line for line in plan), plan
        assert [line for line in plan if line.startswith("SCAN") and "t0" not in line and "t1" not in line] == [], plan
