from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.kernel.small_cloud import (
    RESOURCES,
    Cluster,
    Host,
    KvmHost,
    L3Network,
    L3NetworkDns,
    SecurityGroup,
    VmInstance,
    VmNic,
    VmNicSecurityGroupRef,
    VmState,
    Volume,
    Zone,
)
from tests.kernel.small_store import (
    ADMIN,
    ALICE,
    BOB,
    GRAPH,
    TABLES,
    PlainSealer,
    SmallStore,
    cluster,
    compiler,
    dates,
    host,
    key,
    kvm,
    l3,
    nic,
    system_tag,
    user_tag,
    vm,
    volume,
    zone,
)
from zstack_appliance.kernel import bounded
from zstack_appliance.kernel import query as query_module
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.conditions import Query, parse_rest
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.principal import NOBODY, Principal
from zstack_appliance.kernel.query import Queries, QueryReply
from zstack_appliance.kernel.schema import OnOff, Record
from zstack_appliance.kernel.sql import Statement
from zstack_appliance.kernel.store import Store, Tx
from zstack_appliance.kernel.world import WallClock


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path / "cloud.db")
    yield made
    made.connection.close()


def queries(store: SmallStore, made: Compiler | None = None) -> Queries:
    made = made or compiler()
    return Queries(made, Inventories(made, str), store)


async def ask(
    store: SmallStore, cls: type[Record], *conditions: str, who: Principal = ADMIN, **more: str
) -> QueryReply:
    query = parse_rest([*(("q", text) for text in conditions), *more.items()])
    return await queries(store).run(query, cls, who)


async def names(
    store: SmallStore, cls: type[Record], *conditions: str, who: Principal = ADMIN, **more: str
) -> list[str]:
    """The names of the rows that are found, in order; of those without a name the uuid."""
    reply = await ask(store, cls, *conditions, who=who, **more)
    assert reply.inventories is not None
    return [found.get("name", found["uuid"]) for found in reply.inventories]


def fill(store: SmallStore) -> None:
    """Two zones; a KVM host and a simulated one; three VMs, two of them on the hosts, with NICs on two networks."""
    east, west = zone("east", at=1), zone("west", at=2, state=OnOff.DISABLED)
    c1, c2 = cluster("c1", east), cluster("c2", west)
    real, fake = kvm("real", c1, ssh_port=2222), host("fake", c2)
    web, db, idle = (
        vm("web", on=real, at=3, cpus=4),
        vm("db", on=fake, at=2, cpus=2),
        vm("idle", at=1, state=VmState.STOPPED),
    )
    front, back = l3("front", east), l3("back", west)
    n1, n2, n3 = nic("n1", web, on=front, ip="10.0.0.1"), nic("n2", web, on=back, device=1), nic("n3", db, on=back)
    group = SecurityGroup(uuid=key("open"), name="open", state=OnOff.ENABLED, **dates())
    member = VmNicSecurityGroupRef(uuid=key("member"), vm_nic_uuid=n1.uuid, security_group_uuid=group.uuid, **dates())
    dns = L3NetworkDns(uuid=key("dns"), l3_network_uuid=front.uuid, dns="8.8.8.8", **dates())
    store.put(east, west, c1, c2, real, fake, web, db, idle, front, back, n1, n2, n3, group, member, dns)
    store.put(user_tag("blue", web), user_tag("green", web), user_tag("blue", db), user_tag("near", c1))
    store.put(system_tag("hostname::web", web), volume("root", web))


@pytest.mark.parametrize(
    ("cls", "conditions", "expected"),
    [
        (VmInstance, [], ["idle", "db", "web"]),
        (VmInstance, ["name=web"], ["web"]),
        (VmInstance, ["name=web", "name=db"], []),
        (VmInstance, [f"uuid={key('db')}"], ["db"]),
        (VmInstance, ["uuid=nowhere"], []),
        (VmInstance, ["cpuNum>=2"], ["db", "web"]),
        (VmInstance, ["name?=web,idle,"], ["idle", "web"]),
        (VmInstance, ["name!?=web,idle"], ["db"]),
        (VmInstance, ["name~=%b"], ["db", "web"]),
        (VmInstance, ["name~=b"], []),
        (VmInstance, ["state=Stopped"], ["idle"]),
        (VmInstance, ["state=Unheard"], []),
        (VmInstance, ["hostUuid is null"], ["idle"]),
        (VmInstance, ["hostUuid not null"], ["db", "web"]),
        (VmInstance, ["host.name!=fake"], ["web"]),
        (VmInstance, [f"hostUuid!={key('fake')}"], ["web"]),
        (VmInstance, ["createDate>1970-01-01T00:00:00.002Z"], ["web"]),
        (VmInstance, ["createDate=1970-01-01T00:00:00Z"], ["idle", "db", "web"]),
        (VmInstance, ["vmNics.l3Network.name=back"], ["db", "web"]),
        (VmInstance, ["vmNics.l3Network.zone.name=east"], ["web"]),
        (VmInstance, ["vmNics.l3Network.name!=back"], ["web"]),
        (VmInstance, ["vmNics.ip is null"], ["db", "web"]),
        (VmInstance, ["vmNics.l3Network.name=front", "vmNics.l3Network.name=back"], ["web"]),
        (VmInstance, ["vmNics.securityGroup.name=open"], ["web"]),
        (VmInstance, ["allVolumes.size>0"], ["web"]),
        (L3Network, ["dns=8.8.8.8"], ["front"]),
        (VmInstance, [f"vmNics.securityGroupUuids?={key('open')},x"], ["web"]),
        (L3Network, ["dns~=8%"], ["front"]),
        (Cluster, ["vm.name=web"], ["c1"]),
        (Zone, ["isDefault=false", "state!=Enabled"], ["west"]),
        (Zone, ["cluster.host.vmInstance.vmNics.ip=10.0.0.1"], ["east"]),
        (VmInstance, ["__userTag__=blue"], ["db", "web"]),
        (VmInstance, ["__userTag__!=green"], ["idle", "db"]),
        (VmInstance, ["__userTag__!=blue", "__userTag__!=green"], ["idle"]),
        (VmInstance, ["__userTag__?=green,red"], ["web"]),
        (VmInstance, ["__userTag__!?=green,red"], ["idle", "db"]),
        (VmInstance, ["__userTag__~=bl%"], ["db", "web"]),
        (VmInstance, ["__userTag__!~=gr%"], ["idle", "db"]),
        (VmInstance, ["__userTag__ is null"], ["idle"]),
        (VmInstance, ["__userTag__ not null"], ["db", "web"]),
        (VmInstance, ["__systemTag__~=hostname::%"], ["web"]),
        (VmInstance, ["host.cluster.__userTag__=near"], ["web"]),
        (VmInstance, ["host.cluster.__userTag__!=near"], ["db"]),
        (VmInstance, ["__tagUuid__ not null"], []),
        (Host, ["hypervisorType=KVM", "sshPort=2222"], ["real"]),
        (Host, ["hypervisorType=KVM", "sshPort=22"], []),
        (Host, ["hypervisorType=KVM", "osVersion is null", "cluster.name=c1"], ["real"]),
        (Host, ["hypervisorType!=KVM"], ["fake"]),
        (KvmHost, [], ["real"]),
        (KvmHost, ["vmInstance.name=web", "name=real", "sshPort>22"], ["real"]),
    ],
)
async def test_conditions_find_rows(
    store: SmallStore, cls: type[Record], conditions: list[str], expected: list[str]
) -> None:
    fill(store)
    assert await names(store, cls, *conditions) == expected
    total = (await ask(store, cls, *conditions, count="true")).total
    assert total == len(expected)


async def test_a_query_on_a_base_answers_with_what_each_row_is(store: SmallStore) -> None:
    fill(store)
    reply = await ask(store, Host, sort="name")
    assert reply.inventories is not None
    assert [("sshPort" in found, "password" in found) for found in reply.inventories] == [
        (False, False),
        (True, False),
    ]
    assert dict(reply.schema) == {
        "inventories[0]": "org.zstack.header.host.HostInventory",
        "inventories[1]": "org.zstack.kvm.KVMHostInventory",
    }


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", ["idle", "db", "web"]),
        ("name", ["db", "idle", "web"]),
        ("+name", ["db", "idle", "web"]),
        ("-name", ["web", "idle", "db"]),
        ("-createDate", ["web", "db", "idle"]),
        ("host.name", ["idle", "db", "web"]),
        ("-host.cluster.zone.name", ["db", "web", "idle"]),
        ("state", ["db", "web", "idle"]),
    ],
)
async def test_sort(store: SmallStore, sort: str, expected: list[str]) -> None:
    fill(store)
    if sort == "state":  # equal values are told apart by the key, so that every page has its own rows
        expected = [*sorted(["db", "web"], key=key), "idle"]
    assert await names(store, VmInstance, sort=sort) == expected


async def test_pages_and_totals(store: SmallStore) -> None:
    store.put(*(vm(f"v{i}", at=i) for i in range(5)))
    assert await names(store, VmInstance, limit="2", start="1") == ["v1", "v2"]
    assert await names(store, VmInstance, start="4") == ["v4"]
    assert await names(store, VmInstance, limit="0") == []
    reply = await ask(store, VmInstance, "name!=v0", limit="1", replyWithCount="true")
    assert reply.total == 4
    assert reply.inventories is not None
    assert len(reply.inventories) == 1
    assert await ask(store, VmInstance, count="true", limit="1") == QueryReply(None, 5, {})
    assert (await ask(store, VmInstance)).total is None


async def test_the_limit_is_1000_unless_given(store: SmallStore) -> None:
    store.put(*(zone(f"z{i:04}") for i in range(1001)))
    assert len(await names(store, Zone)) == 1000
    assert len(await names(store, Zone, limit="2000")) == 1001


async def test_an_answer_holds_so_many_rows_and_no_more(store: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "MAX_ROWS", 3)
    monkeypatch.setattr(query_module, "MAX_ROWS", 3)
    store.put(*(zone(f"z{i}", at=i) for i in range(4)))
    assert await names(store, Zone, limit="3") == ["z0", "z1", "z2"]
    assert await names(store, Zone, limit="1000000", start="1") == ["z1", "z2", "z3"], "what is allowed is not met"
    with pytest.raises(InvalidArgument, match="more than 3 rows match"):
        await ask(store, Zone, limit="1000000")
    assert (await ask(store, Zone, limit="1000000", count="true")).total == 4


async def test_a_filter_is_refused(store: SmallStore) -> None:
    with pytest.raises(InvalidArgument, match=r"no filter \[a:b\]"):
        await ask(store, Zone, filterName="a:b")


async def test_fields(store: SmallStore) -> None:
    fill(store)
    reply = await ask(store, VmInstance, "name=web", fields="name,vmNics")
    assert reply.inventories is not None
    assert set(reply.inventories[0]) == {"name", "vmNics"}
    assert len(reply.inventories[0]["vmNics"]) == 2
    reply = await ask(store, Host, fields="sshPort", sort="name")
    assert reply.inventories == [{}, {"sshPort": 2222}], "a field of a sub-type, where rows have it"
    with pytest.raises(InvalidArgument, match="did you mean name"):
        await ask(store, Zone, fields="uuid,nmae")
    with pytest.raises(InvalidArgument, match="password"):
        await ask(store, KvmHost, fields="password")


async def test_a_subtypes_fields_need_the_condition_that_confines_to_it(store: SmallStore) -> None:
    with pytest.raises(InvalidArgument, match="add the condition hypervisorType=KVM"):
        await ask(store, Host, "sshPort=22")


# --- what an account may see ---------------------------------------------------------------------------


async def test_an_account_finds_its_own_rows_and_readable_ones(store: SmallStore) -> None:
    fill(store)
    store.put(vm("hers"), owner=ALICE)
    store.put(vm("his"), owner=BOB)
    assert await names(store, VmInstance, who=ALICE) == ["hers"]
    assert await names(store, VmInstance, f"uuid={key('his')}", who=ALICE) == []
    assert await names(store, Zone, who=ALICE) == ["east", "west"]
    assert await names(store, Host, who=ALICE) == []
    assert await names(store, KvmHost, who=ALICE) == []
    assert await names(store, VmInstance, who=NOBODY) == []
    assert len(await names(store, VmInstance)) == 5


async def test_foreign_rows_cannot_be_guessed_at_through_an_edge(store: SmallStore) -> None:
    z = zone("z")
    of = cluster("c", z)
    private, shared_host = l3("private", z), host("h", of)
    hers = vm("hers", on=shared_host)
    store.put(z, of, shared_host)
    store.put(private, owner=BOB)
    store.put(hers, nic("n", hers, on=private), user_tag("mine", hers), owner=ALICE)
    store.put(volume("his", hers), user_tag("his", hers), owner=BOB)
    for condition in (
        "vmNics.l3Network.name=private",
        "vmNics.l3Network.name~=p%",
        "vmNics.l3Network.uuid not null",
        "vmNics.l3Network.zone.name=z",
        "host.name=h",
        "host.cluster.zone.name=z",
        "host.hypervisorType not null",
        "allVolumes.name not null",
        "__userTag__=his",
    ):
        assert await names(store, VmInstance, condition) == ["hers"], "the administrator finds it"
        assert await names(store, VmInstance, condition, who=ALICE) == [], condition
        assert (await ask(store, VmInstance, condition, who=ALICE, count="true")).total == 0, condition
    # A negative condition may tell no more: what she may not see counts as not there.
    assert await names(store, VmInstance, "__userTag__!=his", who=ALICE) == ["hers"]
    assert await names(store, VmInstance, "__userTag__=mine", who=ALICE) == ["hers"]


async def test_foreign_rows_do_not_show_in_the_sort(store: SmallStore) -> None:
    z = zone("z")
    first, second = l3("aaa", z), l3("zzz", z)
    store.put(z)
    store.put(first, second, owner=BOB)
    rows = [vm(name, at=at) for at, name in enumerate(("v0", "v1"))]
    v0 = msgspec.structs.replace(rows[0], default_l3_network_uuid=second.uuid)
    v1 = msgspec.structs.replace(rows[1], default_l3_network_uuid=first.uuid)
    store.put(v0, v1, owner=ALICE)
    assert await names(store, VmInstance, sort="defaultL3Network.name") == ["v1", "v0"]
    for sort in ("defaultL3Network.name", "-defaultL3Network.name"):
        found = await names(store, VmInstance, sort=sort, who=ALICE)
        assert found == sorted(("v0", "v1"), key=key, reverse=sort.startswith("-")), "by the key alone"


async def test_foreign_rows_do_not_count(store: SmallStore) -> None:
    store.put(vm("hers"), owner=ALICE)
    store.put(vm("his"), vm("his too"), owner=BOB)
    assert (await ask(store, VmInstance, who=ALICE, count="true")).total == 1
    assert (await ask(store, VmInstance, who=ALICE, replyWithCount="true", limit="0")).total == 1


async def test_foreign_rows_do_not_stand_in_lists(store: SmallStore) -> None:
    hers = vm("hers")
    store.put(hers, volume("own", hers), owner=ALICE)
    store.put(volume("his", hers), owner=BOB)
    reply = await ask(store, VmInstance, who=ALICE)
    assert reply.inventories is not None
    assert [found["name"] for found in reply.inventories[0]["allVolumes"]] == ["own"]


async def test_what_was_shared_is_seen_at_every_hop(store: SmallStore) -> None:
    def shared(cls: type[Record], uuid: str, principal: Principal) -> Statement | None:
        if cls is not L3Network or principal != ALICE:
            return None
        return Statement(f"{uuid} = ?", (key("lent"),))

    z = zone("z")
    lent, kept = l3("lent", z), l3("kept", z)
    store.put(z)
    store.put(lent, kept, owner=BOB)
    v, w = vm("v"), vm("w")
    store.put(v, w, nic("n", v, on=lent), nic("m", w, on=kept), owner=ALICE)
    asked = queries(store, Compiler(GRAPH, TABLES, shared=shared))

    async def found(cls: type[Record], condition: str, who: Principal) -> list[str]:
        reply = await asked.run(parse_rest([("q", condition)]), cls, who)
        assert reply.inventories is not None
        return [each["name"] for each in reply.inventories]

    assert await found(L3Network, "name not null", ALICE) == ["lent"]
    assert await found(VmInstance, "vmNics.l3Network.name not null", ALICE) == ["v"]
    assert await found(L3Network, "name not null", BOB) == sorted(("lent", "kept"), key=key)


# --- over the store ------------------------------------------------------------------------------------


async def test_a_query_over_the_store_itself(tmp_path: Path) -> None:
    async with Store.open(tmp_path / "cloud.db", RESOURCES, WallClock(), sealer=PlainSealer(), threads=False) as store:
        z = zone("z")
        of = cluster("c", z)

        def insert(*rows: Record) -> Callable[[Tx], None]:
            def change(tx: Tx) -> None:
                for row in rows:
                    tx.insert(row)

            return change

        v = vm("v")
        await store.write(insert(z, of, kvm("real", of)))
        await store.write(insert(v, nic("n", v, ip="10.0.0.9"), volume("d", v)), owner=ALICE.account_uuid)
        made = Compiler(GRAPH, store.tables)
        asked = Queries(made, Inventories(made, str), store)
        reply = await asked.run(
            parse_rest([("q", "vmNics.ip=10.0.0.9"), ("replyWithCount", "true")]), VmInstance, ALICE
        )
        assert reply.total == 1
        assert reply.inventories is not None
        assert reply.inventories[0]["vmNics"][0]["ip"] == "10.0.0.9"
        assert (await asked.run(Query(), Volume, BOB)).inventories == []
        [real] = (await asked.run(parse_rest([("q", "hypervisorType=KVM")]), Host, ADMIN)).inventories or []
        assert real["username"] == "root"
        assert "password" not in real
        assert (await asked.run(Query(), VmNic, ALICE)).schema == {
            "inventories[0]": "org.zstack.header.vm.VmNicInventory"
        }
