from __future__ import annotations

import enum
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from tests.kernel.small_cloud import L3NetworkDns, SecurityGroup, UsedIp, VmNicSecurityGroupRef
from tests.kernel.small_store import (
    ADMIN,
    ALICE,
    BOB,
    SmallStore,
    cluster,
    compiler,
    dates,
    host,
    key,
    kvm,
    l3,
    nic,
    vm,
    volume,
    zone,
)
from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.inventory import Inventories, schema_of
from zstack_appliance.kernel.schema import HIDDEN, Embed, OnOff, Record, Ref, Uuid, resource
from zstack_appliance.kernel.store.tables import Tables


def printed(millis: int) -> str:
    return f"at {millis}"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SmallStore]:
    made = SmallStore(tmp_path / "cloud.db")
    yield made
    made.connection.close()


@pytest.fixture
def inventories(store: SmallStore) -> Inventories:
    return Inventories(compiler(), printed)


def test_a_row_has_wire_names_values_and_no_nulls(store: SmallStore, inventories: Inventories) -> None:
    assert inventories.render(store, [zone("z", at=5)], ADMIN) == [
        {
            "uuid": key("z"),
            "createDate": "at 5",
            "lastOpDate": "at 5",
            "name": "z",
            "state": "Enabled",
            "isDefault": False,
        }
    ]


def test_secret_and_hidden_fields_are_left_out(store: SmallStore, inventories: Inventories) -> None:
    of = cluster("c", zone("z"))
    [rendered] = inventories.render(store, [kvm("h", of)], ADMIN)
    assert "password" not in rendered
    assert "secret" not in str(rendered)
    assert rendered["username"] == "root"
    [rendered] = inventories.render(store, [vm("v")], ADMIN)
    assert "process" not in rendered


def test_a_view_adds_what_the_table_does_not_have(store: SmallStore, inventories: Inventories) -> None:
    [rendered] = inventories.render(store, [vm("v")], ADMIN)
    assert rendered["memoryMiB"] == 128
    assert "lastHostUuid" not in rendered, "null is absent here too"


def test_a_date_is_formatted_wherever_it_is(store: SmallStore, inventories: Inventories) -> None:
    row = msgspec.structs.replace(vm("v"), stop_date=7)
    assert inventories.render(store, [row], ADMIN)[0]["stopDate"] == "at 7"


def test_lists_are_embedded_at_any_depth_in_their_order(store: SmallStore, inventories: Inventories) -> None:
    v = vm("v")
    second, first = nic("n2", v, device=1), nic("n1", v, device=0)
    big, small = volume("big", v, size=2), volume("small", v, size=1)
    ip = UsedIp(uuid=key("ip"), vm_nic_uuid=first.uuid, ip="10.0.0.7", **dates())
    store.put(v, vm("other"), second, first, big, small, volume("loose"), ip)
    [rendered] = inventories.render(store, [v], ADMIN)
    assert [found["uuid"] for found in rendered["vmNics"]] == [first.uuid, second.uuid]
    assert [found["name"] for found in rendered["allVolumes"]] == ["small", "big"]
    assert rendered["vmNics"][0]["usedIps"] == [
        {
            "uuid": key("ip"),
            "vmNicUuid": first.uuid,
            "ip": "10.0.0.7",
            "createDate": "at 0",
            "lastOpDate": "at 0",
        }
    ]
    assert rendered["vmNics"][1]["usedIps"] == []


def test_plucked_lists_hold_values(store: SmallStore, inventories: Inventories) -> None:
    z = zone("z")
    network, bare = l3("net", z), l3("bare", z)
    servers = [
        L3NetworkDns(uuid=key(server), l3_network_uuid=network.uuid, dns=server, **dates(at))
        for at, server in ((2, "9.9.9.9"), (1, "8.8.8.8"))
    ]
    store.put(z, network, bare, *servers)
    rendered = inventories.render(store, [network, bare], ADMIN)
    assert [found["dns"] for found in rendered] == [["8.8.8.8", "9.9.9.9"], []]


def test_a_list_stands_under_its_own_name(store: SmallStore, inventories: Inventories) -> None:
    v = vm("v")
    n = nic("n", v)
    group = SecurityGroup(uuid=key("g"), name="g", state=OnOff.ENABLED, **dates())
    member = VmNicSecurityGroupRef(uuid=key("m"), vm_nic_uuid=n.uuid, security_group_uuid=group.uuid, **dates())
    store.put(v, n, group, member)
    [rendered] = inventories.render(store, [n], ADMIN)
    assert rendered["securityGroupUuids"] == [group.uuid]
    assert "securityGroupRef" not in rendered
    [rendered] = inventories.render(store, [group], ADMIN, ("vmNicRefs",))
    assert [found["uuid"] for found in rendered["vmNicRefs"]] == [member.uuid]
    assert set(schema_of("inventory", rendered)) == {"inventory", "inventory.vmNicRefs[0]"}


def test_one_statement_per_edge_however_many_rows(store: SmallStore, inventories: Inventories) -> None:
    vms = [vm(f"v{i}") for i in range(50)]
    store.put(*vms, *(nic(f"n{i}", v) for i, v in enumerate(vms)), *(volume(f"d{i}", v) for i, v in enumerate(vms)))
    rendered = inventories.render(store, vms, ADMIN)
    assert all(len(found["vmNics"]) == len(found["allVolumes"]) == 1 for found in rendered)
    assert len(store.asked) == 4, "vmNics, allVolumes, the NICs' usedIps and securityGroupUuids"


def test_rows_of_several_classes_keep_their_order(store: SmallStore, inventories: Inventories) -> None:
    of = cluster("c", zone("z"))
    rendered = inventories.render(store, [kvm("k", of), host("h", of), kvm("k2", of)], ADMIN)
    assert [found["name"] for found in rendered] == ["k", "h", "k2"]
    assert ["sshPort" in found for found in rendered] == [True, False, True]


def test_lists_hold_only_what_the_account_may_see(store: SmallStore, inventories: Inventories) -> None:
    v = vm("v")
    store.put(v, volume("hers", v), owner=ALICE)
    store.put(volume("foreign", v), nic("n", v), owner=BOB)
    [rendered] = inventories.render(store, [v], ALICE)
    assert [found["name"] for found in rendered["allVolumes"]] == ["hers"]
    assert len(rendered["vmNics"]) == 1, "a part, which she sees with the whole"
    [rendered] = inventories.render(store, [v], ADMIN)
    assert len(rendered["allVolumes"]) == 2


def test_fields_cut_inventories_down_and_read_no_other_list(store: SmallStore, inventories: Inventories) -> None:
    v = vm("v")
    store.put(v, nic("n", v), volume("d", v))
    assert inventories.render(store, [v], ADMIN, ("name", "memoryMiB")) == [{"name": "v", "memoryMiB": 128}]
    assert store.asked == []
    [rendered] = inventories.render(store, [v], ADMIN, ("allVolumes",))
    assert list(rendered) == ["allVolumes"]
    assert rendered["allVolumes"][0]["name"] == "d"


def test_schema_names_the_class_of_every_inventory_by_its_place(store: SmallStore, inventories: Inventories) -> None:
    v = vm("v")
    n = nic("n", v)
    store.put(v, n, volume("d", v), UsedIp(uuid=key("ip"), vm_nic_uuid=n.uuid, ip="10.0.0.7", **dates()))
    rendered = inventories.render(store, [v, kvm("k", cluster("c", zone("z")))], ADMIN)
    assert schema_of("inventories", rendered) == {
        "inventories[0]": "org.zstack.header.vm.VmInstanceInventory",
        "inventories[0].vmNics[0]": "org.zstack.header.vm.VmNicInventory",
        "inventories[0].vmNics[0].usedIps[0]": "org.zstack.header.network.l3.UsedIpInventory",
        "inventories[0].allVolumes[0]": "org.zstack.header.volume.VolumeInventory",
        "inventories[1]": "org.zstack.kvm.KVMHostInventory",
    }
    assert schema_of("inventory", rendered[1]) == {"inventory": "org.zstack.kvm.KVMHostInventory"}


def test_an_inventory_is_plain_json(store: SmallStore, inventories: Inventories) -> None:
    [rendered] = inventories.render(store, [zone("z")], ADMIN)
    assert msgspec.json.decode(msgspec.json.encode(rendered)) == rendered


class Mode(enum.Enum):
    PLAIN = "Plain"


@resource(wire="x")
class Awkward(Record, frozen=True, kw_only=True):
    """Has the defaults and nulls that msgspec would leave out or keep where the wire does not."""

    mode: Mode = Mode.PLAIN
    words: list[str] = []
    forced: str | None
    odd: int | None = 5
    inner: Annotated[str, HIDDEN] = "x"


@resource(wire="x")
class Part(Record, frozen=True, kw_only=True):
    awkward_uuid: Annotated[Uuid, Ref(Awkward, back="parts", embed=Embed(pluck="number", order="number"))]
    number: int | None = None


def awkward(tmp_path: Path) -> tuple[SmallStore, Inventories]:
    resources = (Awkward, Part)
    store = SmallStore(tmp_path / "cloud.db", Tables(resources))
    return store, Inventories(Compiler(Graph(resources), store.tables), printed)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"forced": None}, {"mode": "Plain", "words": [], "odd": 5}),
        ({"forced": "y", "odd": None, "words": ["a"]}, {"mode": "Plain", "words": ["a"], "forced": "y"}),
    ],
)
def test_only_null_is_absent(tmp_path: Path, given: dict[str, Any], expected: dict[str, Any]) -> None:
    store, inventories = awkward(tmp_path)
    row = Awkward(uuid=key("a"), **dates(), **given)
    [rendered] = inventories.render(store, [row], ADMIN)
    common = {"uuid": key("a"), "createDate": "at 0", "lastOpDate": "at 0", "parts": []}
    assert rendered == common | expected
    store.connection.close()


def test_plucked_numbers_are_numbers_and_never_null(tmp_path: Path) -> None:
    store, inventories = awkward(tmp_path)
    row = Awkward(uuid=key("a"), forced="y", **dates())
    store.put(row, *(Part(uuid=key(str(n)), awkward_uuid=row.uuid, number=n, **dates()) for n in (2, 1)))
    store.put(Part(uuid=key("none"), awkward_uuid=row.uuid, **dates()))
    assert inventories.render(store, [row], ADMIN)[0]["parts"] == [1, 2]
    store.connection.close()


def test_classes_without_rows_render_nothing(inventories: Inventories, store: SmallStore) -> None:
    assert inventories.render(store, [], ADMIN) == []
    assert store.asked == []
