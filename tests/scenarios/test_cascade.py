"""Deleting what others stand on, in a whole cloud on simulated hosts: the plan, the refusal, the deed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from tests.changes import unchanged
from tests.eventually import eventually
from tests.running import Caller, SimulatedCloud, simulated_cloud
from tests.scenarios.vms import named, new_vm
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.host.schema import Host, HostCharge, HostStatus
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.l3_network.schema import UsedIp
from zstack_appliance.cloud.network_service.namespace_router.schema import NamespaceRouter
from zstack_appliance.cloud.primary_storage.schema import LocalStorageHostRef, PrimaryStorage, SpaceCharge
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.journal import OPEN, FlowRun


@asynccontextmanager
async def cloud_with_vms(data: Path, *names: str) -> AsyncIterator[tuple[SimulatedCloud, Caller, dict[str, Any]]]:
    """A cloud of two hosts, its administrator, and running VMs by name."""
    async with simulated_cloud(data) as cloud, cloud.login() as admin:
        yield cloud, admin, {name: await new_vm(admin, name) for name in names}


async def planned(caller: Caller, path: str, **more: str) -> list[tuple[str, str, str]]:
    answer = await caller.send("DELETE", path, params={"dryRun": "true", **more})
    assert answer.status_code == 200, answer.text
    return [(row["type"], row["name"], row["effect"]) for row in answer.json()["plan"]]


async def uuid_of(caller: Caller, path: str, name: str) -> str:
    return str((await named(caller, path, name))["uuid"])


async def test_a_host_goes_and_its_vms_are_stopped(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one", "two") as (cloud, admin, vms):
        store = cloud.kernel.store
        host = await uuid_of(admin, "/hosts", "host2")
        [vm] = [vm for vm in vms.values() if vm["hostUuid"] == host]
        before = store.feed.number
        plan = await planned(admin, f"/hosts/{host}")
        assert plan[0] == ("VmInstanceVO", vm["name"], "stop")
        assert plan[-1] == ("HostVO", "host2", "delete")
        assert store.feed.number == before, "a dry run changes nothing"
        await admin.do("DELETE", f"/hosts/{host}")
        row = store.require(VmInstance, vm["uuid"])
        assert (row.state, row.host_uuid, row.last_host_uuid) == (VmState.STOPPED, None, None)
        assert [row.name for row in store.find(Host)] == ["host1"]
        assert store.count(HostCharge) == 1
        shares = store.find(LocalStorageHostRef)
        assert store.find(PrimaryStorage)[0].total_capacity == sum(share.total_capacity for share in shares) > 0
        error = await admin.refused("PUT", f"/vm-instances/{vm['uuid']}/actions", {"startVmInstance": {}})
        assert "lay on a host that has been deleted" in error["details"]
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        await admin.do("PUT", f"/vm-instances/{vm['uuid']}/actions", {"expungeVmInstance": {}})
        assert store.get(VmInstance, vm["uuid"]) is None


async def test_the_router_of_a_deleted_host_moves(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one", "two") as (cloud, admin, _):
        store = cloud.kernel.store
        host2 = await uuid_of(admin, "/hosts", "host2")
        [backup] = await admin.query("/backup-storage")
        [router] = store.find(NamespaceRouter)
        gone = router.host_uuid
        if gone != host2:
            await admin.do("DELETE", f"/backup-storage/{backup['uuid']}")
        await admin.do("DELETE", f"/hosts/{gone}")
        [moved] = store.find(NamespaceRouter)
        assert moved.host_uuid != gone
        assert store.count(UsedIp, used_for=f"router of L3 network {router.l3_network_uuid}") == 1


async def test_what_forbids_a_deletion_is_named_and_nothing_changes(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one") as (cloud, admin, _):
        host = await uuid_of(admin, "/hosts", "host1")
        zone = await uuid_of(admin, "/zones", "zone1")
        with unchanged(cloud.kernel.store):
            dry = (await admin.send("DELETE", f"/hosts/{host}", params={"dryRun": "true"})).json()["error"]
            real = await admin.refused("DELETE", f"/hosts/{host}")
            assert (await admin.refused("DELETE", f"/zones/{zone}"))["code"] == "SYS.1004"
        for error in (dry, real):
            assert error["code"] == "SYS.1004"
            assert error["cause"]["details"].startswith("BackupStorage[bs1] refers to it by hostUuid")


async def test_a_zone_goes_with_its_vms(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one", "two") as (cloud, admin, _):
        store = cloud.kernel.store
        zone = await uuid_of(admin, "/zones", "zone1")
        backup = await uuid_of(admin, "/backup-storage", "bs1")
        await admin.do("DELETE", f"/backup-storage/{backup}")
        plan = await planned(admin, f"/zones/{zone}")
        assert ("VmInstanceVO", "one", "delete") in plan
        places = {row: at for at, row in enumerate(plan)}
        in_order = [
            ("VmInstanceVO", "one", "delete"),
            ("L3NetworkVO", "net1", "delete"),
            ("L2NetworkVO", "net1", "delete"),
            ("HostVO", "host1", "delete"),
            ("ClusterVO", "cluster1", "delete"),
            ("ZoneVO", "zone1", "delete"),
        ]
        assert sorted(in_order, key=lambda row: places[row]) == in_order
        await admin.do("DELETE", f"/zones/{zone}")
        for cls in (VmInstance, VmNic, Volume, Host, PrimaryStorage, UsedIp, SpaceCharge, HostCharge, NamespaceRouter):
            assert store.count(cls) == 0, cls.__name__
        for path in ("/zones", "/clusters", "/l2-networks", "/l3-networks", "/l3-networks/ip-ranges"):
            assert await admin.query(path) == [], path
        assert not any(store.find(FlowRun, state=state) for state in OPEN)


async def test_a_cluster_goes_and_leaves_stopped_vms(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one") as (cloud, admin, vms):
        store = cloud.kernel.store
        await admin.do("DELETE", f"/backup-storage/{await uuid_of(admin, '/backup-storage', 'bs1')}")
        await admin.do("DELETE", f"/clusters/{await uuid_of(admin, '/clusters', 'cluster1')}")
        vm = store.require(VmInstance, vms["one"]["uuid"])
        assert (vm.state, vm.cluster_uuid, vm.host_uuid) == (VmState.STOPPED, None, None)
        assert await admin.query("/hosts") == []
        [l2] = await admin.query("/l2-networks", "name=net1")
        assert l2["attachedClusterUuids"] == []


async def test_a_network_takes_nics_from_stopped_vms_alone(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one") as (cloud, admin, vms):
        store = cloud.kernel.store
        vm = vms["one"]["uuid"]
        network = await uuid_of(admin, "/l3-networks", "net1")
        with unchanged(store):
            error = await admin.refused("DELETE", f"/l3-networks/{network}")
        assert error["code"] == "SYS.1004"
        assert "VM[one] is Running and has a NIC" in error["cause"]["details"]
        await admin.do("PUT", f"/vm-instances/{vm}/actions", {"stopVmInstance": {"type": "cold"}})
        plan = await planned(admin, f"/l3-networks/{network}")
        assert plan[0] == ("VmNicVO", "", "detach")
        assert plan[-1] == ("L3NetworkVO", "net1", "delete")
        await admin.do("DELETE", f"/l3-networks/{network}")
        assert store.require(VmInstance, vm).default_l3_network_uuid is None
        assert (store.count(VmNic), store.count(UsedIp, l3_network_uuid=network)) == (0, 0)
        assert (await admin.query("/vm-instances"))[0]["vmNics"] == []


async def test_a_range_takes_the_nics_that_have_its_addresses(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one") as (cloud, admin, vms):
        [found] = await admin.query("/l3-networks/ip-ranges", "name=net1")
        assert (await admin.refused("DELETE", f"/l3-networks/ip-ranges/{found['uuid']}"))["code"] == "SYS.1004"
        await admin.do("DELETE", f"/l3-networks/ip-ranges/{found['uuid']}?deleteMode=Enforcing")
        assert cloud.kernel.store.count(VmNic) == 0
        assert cloud.kernel.store.require(VmInstance, vms["one"]["uuid"]).state is VmState.RUNNING


async def test_a_primary_storage_takes_its_vms_along(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one") as (cloud, admin, _):
        store = cloud.kernel.store
        storage = await uuid_of(admin, "/primary-storage", "ps1")
        plan = await planned(admin, f"/primary-storage/{storage}")
        assert ("VmInstanceVO", "one", "delete") in plan
        await admin.do("DELETE", f"/primary-storage/{storage}")
        for cls in (VmInstance, VmNic, Volume, PrimaryStorage, SpaceCharge, HostCharge):
            assert store.count(cls) == 0, cls.__name__


async def test_an_offering_and_an_image_leave_vms_as_they_are(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one") as (cloud, admin, vms):
        offering = await uuid_of(admin, "/instance-offerings", "tiny")
        assert await planned(admin, f"/instance-offerings/{offering}") == [
            ("VmInstanceVO", "one", "set_null"),
            ("InstanceOfferingVO", "tiny", "delete"),
        ]
        await admin.do("DELETE", f"/instance-offerings/{offering}")
        image = await uuid_of(admin, "/images", "tiny")
        await admin.do("DELETE", f"/images/{image}")
        await admin.do("PUT", f"/images/{image}/actions", {"expungeImage": {}})
        vm = cloud.kernel.store.require(VmInstance, vms["one"]["uuid"])
        assert (vm.state, vm.instance_offering_uuid, vm.image_uuid) == (VmState.RUNNING, None, None)


async def test_an_image_goes_though_its_copy_is_out_of_reach(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        store = cloud.kernel.store
        [storage] = store.find(BackupStorage)
        await admin.do("DELETE", f"/hosts/{storage.host_uuid}?deleteMode=Enforcing")
        path = f"/backup-storage/{storage.uuid}"
        error = await admin.refused("PUT", f"{path}/actions", {"reconnectBackupStorage": {}})
        assert "lay on a host that has been deleted" in error["details"]
        image = await uuid_of(admin, "/images", "tiny")
        await admin.do("DELETE", f"/images/{image}")
        await admin.do("PUT", f"/images/{image}/actions", {"expungeImage": {}})
        assert store.count(Image) == 0
        await admin.do("DELETE", path)
        assert store.count(BackupStorage) == 0


async def test_a_network_that_no_host_has_changes_without_alarm(
    tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        network = await uuid_of(admin, "/l3-networks", "net1")
        for host in cloud.kernel.store.find(Host):
            await admin.do("DELETE", f"/hosts/{host.uuid}?deleteMode=Enforcing")
        await admin.create(f"/l3-networks/{network}/dns", dns="9.9.9.9")
        assert "the services of L3 network net1 are not in line with it now: no Enabled" in caplog.text
        assert "Traceback" not in caplog.text


async def test_enforcing_passes_over_a_host_that_does_not_answer(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_with_vms(tmp_path, "one", "two") as (cloud, admin, _):
        store = cloud.kernel.store
        for machine in cloud.fleet.machines.values():
            machine.reachable = False
        await eventually(lambda: not store.find(Host, status=HostStatus.CONNECTED), within=3600.0, every=10.0)
        zone = await uuid_of(admin, "/zones", "zone1")
        await admin.do("DELETE", f"/zones/{zone}?deleteMode=Enforcing")
        for cls in (VmInstance, VmNic, Volume, Host, PrimaryStorage, UsedIp, SpaceCharge, HostCharge):
            assert store.count(cls) == 0, cls.__name__


@pytest.mark.parametrize("value", ["maybe", "1", ""])
async def test_a_slip_of_the_pen_deletes_nothing(tmp_path: Path, value: str) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        [offering] = await admin.query("/disk-offerings")
        answer = await admin.send("DELETE", f"/disk-offerings/{offering['uuid']}", params={"dryRun": value})
        assert (answer.status_code, "dryRun" in answer.text) == (400, True)
        assert len(await admin.query("/disk-offerings")) == 1
