"""A cloud whose hosts and storages are partly of a plugin that has gone starts, and works with all the others."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from trio.testing import MockClock

from tests.cloud import rows
from tests.running import Caller, SimulatedCloud, every_plugin, first_cloud, on, running, simulated_fleet
from tests.scenarios.vms import act, named, new_vm
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.messages import ListOrphans
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.host.simulated.fleet import Fleet
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage, PrimaryStorageClusterRef
from zstack_appliance.first_cloud import make_first_cloud
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import resource
from zstack_appliance.kernel.store import Tx


@resource(wire="com.example.steel", kind="Steel")
class SteelHost(Host, frozen=True, kw_only=True):
    """A host of the plugin that goes."""

    alloy: str


@resource(wire="com.example.steel", kind="Tape")
class TapeStorage(PrimaryStorage, frozen=True, kw_only=True):
    """A storage of the plugin that goes; it has no fields of its own."""


STEEL = Plugin(name="steel", resources=(SteelHost, TapeStorage))


@pytest.fixture
async def fleet(tmp_path: Path, autojump_clock: MockClock) -> Fleet:
    """The hosts of a cloud that also has a host and a storage of the plugin."""
    fleet = simulated_fleet(every_plugin(), tmp_path)
    async with running(tmp_path, plugins=(*every_plugin(), STEEL), hosts=on(fleet)) as cloud:
        await make_first_cloud(cloud.appliance, first_cloud(tmp_path, 2))
        await cloud.kernel.store.write(add_steel)
    return fleet


def add_steel(tx: Tx) -> None:
    """A connected host in the cluster of the others, and a storage that serves that cluster."""
    [cluster] = tx.find(Cluster)
    places = {"zone_uuid": cluster.zone_uuid, "cluster_uuid": cluster.uuid}
    plain = msgspec.structs.asdict(rows.host("steel", hypervisor_type="Steel", **places))
    tx.insert(SteelHost(**{name: plain[name] for name in Host.__struct_fields__}, alloy="304"))
    storage = msgspec.structs.asdict(tx.find(PrimaryStorage)[0])
    # It has most room of all, so that the allocator would take it.
    changes = {"uuid": rows.uuid("tape"), "name": "tape", "type": "Tape", "url": "/tape", "available_capacity": 2**60}
    tx.insert(TapeStorage(**{**storage, **changes}))
    tx.insert(
        PrimaryStorageClusterRef(
            uuid=rows.uuid("ref"),
            create_date=0,
            last_op_date=0,
            primary_storage_uuid=rows.uuid("tape"),
            cluster_uuid=cluster.uuid,
        )
    )


async def test_the_others_are_connected_and_run_vms(tmp_path: Path, fleet: Fleet) -> None:
    async with running(tmp_path, plugins=every_plugin(), hosts=on(fleet)) as opened, opened.login() as admin:
        cloud = SimulatedCloud(opened.appliance, tmp_path, fleet)
        by_name = {host.name: host for host in cloud.kernel.store.find(Host)}
        assert by_name.pop("steel").status is HostStatus.DISCONNECTED
        assert {host.status for host in by_name.values()} == {HostStatus.CONNECTED}
        assert (await new_vm(admin, "vm"))["state"] == "Running"
        orphans = await cloud.kernel.as_system().call(ListOrphans())
        assert [(row.kind, row.name, row.problem) for row in orphans.orphans] == [("host", "steel", "missing")]
        await refused_and_deleted(cloud, admin)
        await act(admin, await named(admin, "/vm-instances", "vm"), "stopVmInstance")


async def refused_and_deleted(cloud: SimulatedCloud, admin: Caller) -> None:
    """Both show as missing, are refused for operations, and go by force."""
    for path, kind, action, name in (
        ("/hosts", "hypervisorType", "reconnectHost", "steel"),
        ("/primary-storage", "type", "reconnectPrimaryStorage", "tape"),
    ):
        row = await named(admin, path, name)
        assert (row[kind], row["missingPlugin"]) == ("missing", "steel")
        refused = await admin.refused("PUT", f"{path}/{row['uuid']}/actions", {action: {}})
        assert "put steel back" in refused["details"]
        assert "put steel back" in str(await admin.refused("DELETE", f"{path}/{row['uuid']}"))
        await admin.do("DELETE", f"{path}/{row['uuid']}?deleteMode=Enforcing")
        assert await admin.query(path, f"name={name}") == []
    for table in ("steel_host", "tape_storage"):
        assert cloud.kernel.store.reader.select(f"SELECT * FROM {table}") == []


async def test_a_zone_goes_by_force_with_all_that_is_missing_in_it(tmp_path: Path, fleet: Fleet) -> None:
    async with running(tmp_path, plugins=every_plugin(), hosts=on(fleet)) as cloud, cloud.login() as admin:
        backup = await named(admin, "/backup-storage", "bs1")
        await admin.do("DELETE", f"/backup-storage/{backup['uuid']}")
        zone = await named(admin, "/zones", "zone1")
        refused = await admin.refused("DELETE", f"/zones/{zone['uuid']}")
        assert "the plugin steel, which brought that, is missing" in str(refused)
        await admin.do("DELETE", f"/zones/{zone['uuid']}?deleteMode=Enforcing")
        assert await admin.query("/hosts") == []
        assert await admin.query("/primary-storage") == []
    async with running(tmp_path, plugins=(*every_plugin(), STEEL), hosts=on(fleet)) as cloud:
        assert cloud.kernel.store.find(SteelHost) == []
