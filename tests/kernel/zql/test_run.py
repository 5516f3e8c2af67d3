from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.small_cloud import Host, L3Network, VmInstance, VmNic, VmState, Volume
from tests.kernel.small_crowd import EVERYBODY, ROWS
from tests.kernel.small_oracle import Oracle
from tests.kernel.small_store import (
    ADMIN,
    ALICE,
    BOB,
    SmallStore,
    cluster,
    compiler,
    host,
    key,
    kvm,
    user_tag,
    vm,
    volume,
    zone,
)
from tests.kernel.test_compile import comparisons
from zstack_appliance.kernel.conditions import And, Cond, Op, Or, Query, Term, Within
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.query import Queries
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.zql.parser import MAX_DEPTH, parse
from zstack_appliance.kernel.zql.run import Zql


def zql(store: SmallStore) -> Zql:
    made = compiler()
    return Zql(made, Queries(made, Inventories(made, str), store), store, lambda millis: f"at {millis}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path / "cloud.db")
    east, west = zone("east"), zone("west")
    c1, c2 = cluster("c1", east), cluster("c2", west)
    h1, h2 = host("h1", c1), kvm("h2", c2)
    made.put(east, west, c1, c2, h1, h2)
    web, db = vm("web", on=h1, at=1, cpus=2), vm("db", on=h2, at=2, cpus=4, state=VmState.STOPPED)
    made.put(web, db, volume("d1", web, size=5), volume("d2", db, size=7), owner=ALICE)
    made.put(user_tag("gold", web), user_tag("ssd", web), user_tag("gold", db), owner=ALICE)
    made.put(vm("other", on=h1, at=3, cpus=8), volume("d3", size=11), owner=BOB)
    yield made
    made.connection.close()


async def one(store: SmallStore, text: str, who: Principal = ADMIN) -> dict[str, Any]:
    [answer] = await zql(store).run(text, who)
    return answer


async def names(store: SmallStore, text: str, who: Principal = ADMIN) -> list[str]:
    answer = await one(store, text, who)
    return [each["name"] for each in answer["inventories"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("query vmInstance", ["web", "db", "other"]),
        ("query VMINSTANCE where name = 'db' or cpuNum > 4", ["db", "other"]),
        ("query vmInstance where host.cluster.zone.name = 'east'", ["web", "other"]),
        ("query vmInstance order by cpuNum desc limit 1 offset 1", ["db"]),
        ("query vmInstance where hostUuid in (query host.uuid where name = 'h1')", ["web", "other"]),
        ("query vmInstance where hostUuid not in (query host.uuid where name = 'h1')", ["db"]),
        ("query vmInstance where hostUuid in (query host.uuid where hypervisorType='KVM' and sshPort=22)", ["db"]),
        ("query vmInstance where allVolumes.uuid in (query volume.uuid where size > 6)", ["db"]),
        ("query vmInstance where hostUuid in (query host.uuid where zoneUuid in (query zone.uuid where name = 'west'))",
         ["db"]),
        ("query vmInstance where clusterUuid not in (query zone.uuid where name = 'none')", []),
        ("query vmInstance where __userTag__ has ('gold', 'ssd')", ["web"]),
        ("query vmInstance where __userTag__ not has ('gold', 'ssd')", ["db", "other"]),
        ("query vmInstance restrict by (host.name != 'h1')", ["db"]),
        ("query volume restrict by (host.name = 'h1', vmInstance.name like 'w%')", ["d1"]),
        ("query host where hypervisorType = 'KVM' and sshPort = 22", ["h2"]),
        ("query vmInstance group by state", ["web", "db"]),
        ("query vmInstance where cpuNum > 2 group by state", ["db", "other"]),
    ],
)  # fmt: skip
async def test_what_a_query_finds(store: SmallStore, text: str, found: list[str]) -> None:
    assert await names(store, text) == found


async def test_fields_and_totals(store: SmallStore) -> None:
    answer = await one(store, "query vmInstance.name,cpuNum return with (total) limit 1 named as 'vms'")
    assert answer == {"inventories": [{"name": "web", "cpuNum": 2}], "total": 3, "name": "vms"}
    assert await one(store, "count vmInstance where cpuNum < 8 limit 1") == {"total": 2}
    assert await one(store, "query vmInstance.name return with (total) group by state") == {
        "inventories": [{"name": "web"}, {"name": "db"}], "total": 2,
    }  # fmt: skip


async def test_sums_and_counts_by_group(store: SmallStore) -> None:
    assert await one(store, "sum vmInstance.cpuNum,memorySize by state") == {
        "inventories": [["Running", 10, 2 * (128 << 20)], ["Stopped", 4, 128 << 20]]
    }
    assert await one(store, "sum vmInstance.cpuNum by createDate where name = 'db'") == {"inventories": [["at 2", 4]]}
    assert await one(store, "count vmInstance group by state,hostUuid") == {
        "inventoryCounts": [
            [{"state": "Running", "hostUuid": key("h1")}, 2],
            [{"state": "Stopped", "hostUuid": key("h2")}, 1],
        ]
    }


async def test_several_statements_are_answered_in_order(store: SmallStore) -> None:
    answers = await zql(store).run("count zone; query cluster.name order by name limit 1 named as 'c'", ADMIN)
    assert answers == [{"total": 2}, {"inventories": [{"name": "c1"}], "name": "c"}]


async def test_an_account_sees_its_own_rows_at_every_hop(store: SmallStore) -> None:
    assert await names(store, "query vmInstance", ALICE) == ["web", "db"]
    assert await one(store, "sum vmInstance.cpuNum by state", BOB) == {"inventories": [["Running", 8]]}
    assert await one(store, "count vmInstance group by state", BOB) == {"inventoryCounts": [[{"state": "Running"}, 1]]}
    assert await names(store, "query vmInstance group by cpuNum", BOB) == ["other"]
    # Hosts are the administrator's: neither a sub-query nor a restriction looks through them.
    assert await names(store, "query vmInstance where hostUuid in (query host.uuid)", ALICE) == []
    assert await names(store, "query vmInstance restrict by (host.name = 'h1')", ALICE) == []
    assert await names(store, "query volume where uuid in (query volume.uuid where size > 6)", ALICE) == ["d2"]
    assert await names(store, "query volume where vmInstanceUuid not in (query vmInstance.uuid)", BOB) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("query nothing", r"there is no resource\[nothing\]"),
        ("query vmInstance where nmae = 'x'", r"no field\[nmae\]; did you mean name"),
        ("query cluster.nmae", r"no field\[nmae\]"),
        ("query vmInstance group by labels", "holds a list"),
        ("query vmInstance group by host.name", r"no field\[host.name\]"),
        ("count vmInstance group by nmae", r"no field\[nmae\]"),
        ("sum vmInstance.name by state", "holds no number"),
        ("sum vmInstance.cpuNum by nmae", r"no field\[nmae\]"),
        ("query vmInstance where hostUuid in (query nothing.uuid)", "which is no resource"),
        ("query vmInstance where hostUuid in (query host.nmae)", r"compared with \[nmae\]"),
        ("query vmInstance where hostUuid in (query host.password)", r"compared with \[password\]"),
        ("query vmInstance where labels in (query host.uuid)", "takes no sub-query"),
        ("query vmInstance where __userTag__ in (query host.uuid)", "takes no sub-query"),
        ("query vmInstance where hostUuid in (query host.uuid where nmae = 'x')", r"no field\[nmae\]"),
        ("query zone restrict by (host.name = 'x')", "Zone does not lie in a Host"),
        ("query zone restrict by (nothing.name = 'x')", r"there is no resource\[nothing\]"),
    ],
)
async def test_what_cannot_be_asked(store: SmallStore, text: str, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        await one(store, text)


# --- against plain Python --------------------------------------------------------------------------------


def spelled(term: Term) -> str:
    """A condition tree as ZQL; `quoted` keeps out the one character that no text can hold beside its other quote."""
    match term:
        case And(terms):
            return f"({' and '.join(spelled(each) for each in terms)})"
        case Or(terms):
            return f"({' or '.join(spelled(each) for each in terms)})"
        case Within(path, op, target, field, where):
            return f"{path} {op.value} (query {target}.{field} where {spelled(where)})"
        case Cond(path, op, value):
            return f"{path} {op.value} {value_of(op, value)}"


def value_of(op: Op, value: str | tuple[str, ...]) -> str:
    if not op.takes_value:
        return ""
    return f"({', '.join(map(repr_of, value))})" if isinstance(value, tuple) else repr_of(value)


def repr_of(text: str) -> str:
    return f"'{text}'"


CLASSES: tuple[type[Record], ...] = (VmInstance, VmNic, Host, Volume, L3Network)

SUBQUERIES: tuple[tuple[type[Record], str, type[Record], str], ...] = (
    (VmInstance, "hostUuid", Host, "uuid"),
    (VmInstance, "name", Volume, "name"),
    (VmInstance, "defaultL3NetworkUuid", L3Network, "uuid"),
    (VmInstance, "cpuNum", VmNic, "deviceId"),
    (VmInstance, "vmNics.l3NetworkUuid", VmInstance, "defaultL3NetworkUuid"),
    (VmNic, "vmInstanceUuid", VmInstance, "uuid"),
    (Volume, "vmInstanceUuid", VmInstance, "uuid"),
    (Volume, "vmInstance.hostUuid", Host, "uuid"),
)


def given_values(cls: type[Record]) -> st.SearchStrategy[Cond]:
    """ZQL's lists hold one value or more."""
    return comparisons(cls).filter(lambda cond: cond.value != ())


def trees(leaves: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    def joined(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
        parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.builds(And, parts) | st.builds(Or, parts)

    return st.recursive(leaves, joined, max_leaves=4)


@st.composite
def asked(draw: st.DrawFn) -> tuple[type[Record], Term, Principal]:
    cls = draw(st.sampled_from(CLASSES))
    leaves: st.SearchStrategy[Term] = given_values(cls)
    for start, path, target, field in SUBQUERIES:
        if start is cls:
            op = draw(st.sampled_from((Op.IN, Op.NOT_IN)))
            inner = draw(trees(given_values(target)))
            leaves |= st.just(Within(path, op, query_name(target), field, inner))
    return cls, draw(trees(leaves)), draw(st.sampled_from(EVERYBODY))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path_factory.mktemp("crowd") / "cloud.db")
    for row, owner in ROWS:
        made.put(row, owner=owner)
    yield made
    made.connection.close()


@given(asked())
@settings(deadline=None, max_examples=60)
def test_a_text_means_what_its_conditions_mean_in_plain_python(
    crowded: SmallStore, question: tuple[type[Record], Term, Principal]
) -> None:
    cls, where, who = question
    [statement] = parse(f"query {query_name(cls)} where {spelled(where)}")
    assert statement.where == where
    query = Query(where=statement.where)
    rows = compiler().rows(query, cls, who)
    decode = compiler().tables.of(compiler().narrowed(query, cls)).layout.decode
    found = [decode(row).uuid for row in crowded.select(rows.sql, rows.bindings)]
    assert found == Oracle(ROWS).answer(query, cls, who)


@pytest.mark.parametrize("verb", ["query", "count"])
@pytest.mark.parametrize("clause", ["", " group by state"])
async def test_what_is_too_deep_for_sqlite_is_told(store: SmallStore, verb: str, clause: str) -> None:
    path = "vmNics.vmInstance." * 8 + "uuid"
    text = f"{path} = 'x'"
    for _ in range(MAX_DEPTH):
        text = f"{path} not in (query vmInstance.uuid where {text})"
    with pytest.raises(InvalidArgument, match="nested too deep"):
        await one(store, f"{verb} vmInstance where {text}{clause}", ALICE)


async def test_four_sub_queries_inside_one_another_are_not_too_deep(store: SmallStore) -> None:
    text = "name = 'web'"
    for _ in range(4):
        text = f"uuid in (query vmInstance.uuid where {text} or vmNics.l3Network.zone.name = 'x')"
    assert await names(store, f"query vmInstance where {text}", ALICE) == ["web"]
