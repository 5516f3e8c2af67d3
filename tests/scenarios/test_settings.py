"""Settings and tags that change what the cloud does, at once: over HTTP, on simulated hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.eventually import eventually
from tests.running import Caller, SimulatedCloud, simulated_cloud
from tests.scenarios.vms import act, named, new_vm, vm_params
from zstack_appliance.cloud.host.driver import DomainSpec, Tuning, VmState
from zstack_appliance.cloud.host.simulated.fleet import Weather

GIB = 2**30


async def set_global(caller: Caller, path: str, value: str) -> None:
    category, _, name = path.partition(".")
    await caller.do(
        "PUT", f"/global-configurations/{category}/{name}/actions", {"updateGlobalConfig": {"value": value}}
    )


async def set_for(caller: Caller, row: dict[str, Any], path: str, value: str) -> None:
    category, _, name = path.partition(".")
    await caller.do(
        "PUT",
        f"/resource-configurations/{category}/{name}/{row['uuid']}/actions",
        {"updateResourceConfig": {"value": value}},
    )


async def tag(caller: Caller, kind: str, row: dict[str, Any], text: str) -> dict[str, Any]:
    made: dict[str, Any] = await caller.create("/system-tags", resourceType=kind, resourceUuid=row["uuid"], tag=text)
    return made


async def hosts(caller: Caller) -> dict[str, dict[str, Any]]:
    return {host["name"]: host for host in await caller.query("/hosts")}


async def test_cpus_are_promised_anew_when_the_ratio_changes(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "web")
        zone, cluster = await named(admin, "/zones", "zone1"), await named(admin, "/clusters", "cluster1")
        ratio = "host.cpu.overProvisioning.ratio"

        async def totals() -> list[int]:
            found = await hosts(admin)
            for host in found.values():
                held = host["totalCpuCapacity"] - host["availableCpuCapacity"]
                assert held == (1 if host["uuid"] == vm["hostUuid"] else 0)
            return [found[name]["totalCpuCapacity"] for name in ("host1", "host2")]

        assert await totals() == [40, 40]
        await set_global(admin, ratio, "5")
        assert await totals() == [20, 20]
        await set_for(admin, zone, ratio, "4")
        await set_for(admin, (await hosts(admin))["host2"], ratio, "3")
        assert await totals() == [16, 12]
        await set_for(admin, cluster, ratio, "2")
        assert await totals() == [8, 12]
        await admin.do("PUT", f"/hosts/{(await hosts(admin))['host1']['uuid']}/actions", {"reconnectHost": {}})
        assert await totals() == [8, 12], "a host that connects anew has its own ratio too"
        await admin.do("DELETE", f"/resource-configurations/host/cpu.overProvisioning.ratio/{cluster['uuid']}")
        assert await totals() == [16, 12]
        await admin.do("PUT", "/global-configurations/actions", {"resetGlobalConfig": {}})
        assert await totals() == [16, 12]
        await admin.do("DELETE", f"/resource-configurations/host/cpu.overProvisioning.ratio/{zone['uuid']}")
        assert await totals() == [40, 12]


async def test_memory_is_kept_free_as_the_nearest_says(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        zone, cluster = await named(admin, "/zones", "zone1"), await named(admin, "/clusters", "cluster1")
        big = await vm_params(admin, "big", cpuNum=1, memorySize=7 * GIB)
        big.pop("instanceOfferingUuid")

        async def where() -> str | None:
            answer = await admin.call("POST", "/vm-instances", {"params": big})
            if answer.status_code != 200:
                assert answer.json()["error"]["code"] == "HOST_ALLOCATION.1000"
                return None
            vm = answer.json()["inventory"]
            await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
            await admin.do("PUT", f"/vm-instances/{vm['uuid']}/actions", {"expungeVmInstance": {}})
            return str(vm["hostUuid"])

        found = await hosts(admin)
        assert await where() is not None
        await set_global(admin, "kvm.reservedMemory", "2G")
        assert await where() is None
        await set_for(admin, found["host2"], "kvm.reservedMemory", "512M")
        assert await where() == found["host2"]["uuid"]
        await tag(admin, "HostVO", found["host2"], "reservedMemory::3G")
        assert await where() is None, "a tag goes before a setting"
        await tag(admin, "ClusterVO", cluster, "host::reservedMemory::0")
        assert await where() == found["host1"]["uuid"]
        await set_global(admin, "hostAllocator.reservedCapacity.clusterLevel", "false")
        assert await where() is None
        await set_global(admin, "hostAllocator.reservedCapacity.hostLevel", "false")
        assert await where() == found["host2"]["uuid"]
        await tag(admin, "ZoneVO", zone, "host::reservedCpu::40")
        assert await where() is None
        wrong = {"resourceType": "ZoneVO", "resourceUuid": zone["uuid"], "tag": "host::reservedCpu::many"}
        assert "is no number" in (await admin.refused("POST", "/system-tags", {"params": wrong}))["details"]


async def test_hosts_may_promise_more_memory_than_they_have(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        host = await named(admin, "/hosts", "host1")
        params = {**await vm_params(admin, "web", cpuNum=1, memorySize=7 * GIB)}
        params.pop("instanceOfferingUuid")
        first = await admin.create("/vm-instances", **params)
        assert (await admin.refused("POST", "/vm-instances", {"params": params}))["code"] == "HOST_ALLOCATION.1000"
        await set_for(admin, host, "mevoco.overProvisioning.memory", "1.5")
        await admin.do("PUT", f"/vm-instances/{first['uuid']}/actions", {"stopVmInstance": {"type": "cold"}})
        await admin.do("PUT", f"/vm-instances/{first['uuid']}/actions", {"startVmInstance": {}})
        free = (await named(admin, "/hosts", "host1"))["availableMemoryCapacity"]
        assert free == 8 * GIB - -(-7 * GIB * 2 // 3)
        params["memorySize"] = 3 * GIB
        await admin.create("/vm-instances", **params)


async def test_a_network_chooses_addresses_in_its_own_way(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        network = await named(admin, "/l3-networks", "net1")
        await set_for(admin, network, "l3Network.ipAllocateStrategy", "FirstAvailableIpAllocatorStrategy")
        found = [(await new_vm(admin, f"vm{n}"))["vmNics"][0]["ip"] for n in range(3)]
        first = int(found[0].rpartition(".")[2])
        assert found == [f"10.0.0.{first + n}" for n in range(3)]


def made_as(cloud: SimulatedCloud, vm: dict[str, Any]) -> DomainSpec:
    """What the host was told when the VM started."""
    found: DomainSpec = cloud.fleet.machines[vm["hostUuid"]].shelf("domain")[vm["uuid"]]
    return found


async def restarted(caller: Caller, vm: dict[str, Any]) -> dict[str, Any]:
    await act(caller, vm, "stopVmInstance", type="cold")
    started: dict[str, Any] = await act(caller, vm, "startVmInstance")
    return started


async def test_how_a_vm_is_made_follows_its_own_settings_then_its_clusters(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        cluster = await named(admin, "/clusters", "cluster1")
        vm = await new_vm(admin, "web")
        assert made_as(cloud, vm).tuning == Tuning(vendor_id="Microsoft Hv")
        for path, value in (
            ("kvm.vm.cpuMode", "Haswell"),
            ("kvm.vm.cpu.hypervisor.feature", "false"),
            ("vm.kvmHiddenState", "true"),
            ("vm.emulateHyperV", "true"),
            ("vm.vendorId", "Nobody"),
            ("vm.videoType", "cirrus"),
            ("vm.nicMultiQueueNum", "4"),
        ):
            await set_for(admin, cluster, path, value)
        for path, value in (
            ("kvm.vm.cpuMode", "host-model"),
            ("kvm.vm.hyperv.clock.feature", "false"),
            ("kvm.vm.suspend.to.ram", "true"),
            ("kvm.vm.suspend.to.disk", "true"),
            ("kvm.vm.cacheMode", "writeback"),
            ("vm.vmPortOff", "true"),
            ("vm.vm.clock.track", "guest"),
            ("vm.bootMenuSplashTimeout", "500"),
        ):
            await set_for(admin, vm, path, value)
        await set_global(admin, "vm.bootMenu", "true")
        made = made_as(cloud, await restarted(admin, vm))
        assert made.tuning == Tuning(
            cpu_mode="host-model",
            hypervisor_feature=False,
            hidden=True,
            hyperv=True,
            hyperv_clock=False,
            vendor_id="Nobody",
            vmport=False,
            clock_track="guest",
            suspend_to_ram=True,
            suspend_to_disk=True,
            video="cirrus",
            boot_menu_millis=500,
        )
        assert ([disk.cache for disk in made.disks], [nic.queues for nic in made.nics]) == (["writeback"], [1])
        other = await new_vm(admin, "other", systemTags=["resourceConfig::vm::videoType::virtio"])
        assert made_as(cloud, other).tuning.video == "virtio", "a tag counts from the first start on"
        [root] = vm["allVolumes"]
        await set_for(admin, root, "kvm.vm.cacheMode", "writethrough")
        assert [disk.cache for disk in made_as(cloud, await restarted(admin, vm)).disks] == ["writethrough"]


@pytest.mark.parametrize(("auto", "status"), [("true", "Connected"), ("false", "Disconnected")])
async def test_a_lost_host_comes_back_by_itself_if_it_may(
    tmp_path: Path, autojump_clock: MockClock, auto: str, status: str
) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        await set_global(admin, "host.connection.autoReconnectOnError", auto)
        await set_global(admin, "host.ping.interval", "5")
        calm, cloud.fleet.weather = cloud.fleet.weather, Weather(fault_rate=1.0)

        async def is_(wanted: str) -> bool:
            return bool((await named(admin, "/hosts", "host1"))["status"] == wanted)

        await eventually(lambda: is_("Disconnected"), within=1000, every=5)
        cloud.fleet.weather = calm
        later = trio.current_time() + 100
        await eventually(lambda: trio.current_time() > later, within=1000, every=5)
        assert await is_(status)


async def test_a_lost_notice_is_made_good_by_the_next_ping(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vms = [await new_vm(admin, name) for name in ("a", "b")]

        async def state(vm: dict[str, Any]) -> str:
            return str((await admin.query("/vm-instances", f"uuid={vm['uuid']}"))[0]["state"])

        async def is_stopped(vm: dict[str, Any]) -> bool:
            return await state(vm) == "Stopped"

        await set_global(admin, "kvm.vmSyncOnHostPing", "false")
        cloud.fleet.machines[vms[0]["hostUuid"]].shelf("vm")[vms[0]["uuid"]] = VmState.STOPPED
        later = trio.current_time() + 200
        await eventually(lambda: trio.current_time() > later, within=1000, every=5)
        assert await state(vms[0]) == "Running", "nobody was told, and nobody looked"
        await set_global(admin, "kvm.vmSyncOnHostPing", "true")
        await eventually(lambda: is_stopped(vms[0]), within=200, every=5)
        assert await state(vms[1]) == "Running"


async def test_a_backup_storage_keeps_space_free(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        storage = await named(admin, "/backup-storage", "bs1")
        tiny = await named(admin, "/images", "tiny")
        params = {"name": "again", "url": tiny["url"], "backupStorageUuids": [storage["uuid"]]}
        await set_for(admin, storage, "backupStorage.reservedCapacity", "4T")
        error = await admin.refused("POST", "/images", {"params": params})
        assert error["code"] == "BS.1000"
        assert f"keeps {4 * 2**40} of them" in error["details"]
        await admin.do("DELETE", f"/resource-configurations/backupStorage/reservedCapacity/{storage['uuid']}")
        assert (await admin.create("/images", **params))["status"] == "Ready"


@pytest.mark.parametrize("policy", ["Direct", "Delay", "Never"])
async def test_a_deleted_image_is_kept_as_the_policy_says(
    tmp_path: Path, autojump_clock: MockClock, policy: str
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        tiny = await named(admin, "/images", "tiny")
        vm = await new_vm(admin, "web")
        await set_global(admin, "image.deletionPolicy", policy)
        await set_global(admin, "image.expungePeriod", "1200")
        await set_global(admin, "image.expungeInterval", "60")
        await admin.do("DELETE", f"/images/{tiny['uuid']}")
        if policy == "Direct":
            assert await admin.query("/images") == []
            return
        path = f"/images/{tiny['uuid']}/actions"
        assert (await admin.do("PUT", path, {"recoverImage": {}}))["status"] == "Ready"
        await admin.do("DELETE", f"/images/{tiny['uuid']}")
        later = trio.current_time() + 1000
        await eventually(lambda: trio.current_time() > later, within=10_000, every=100)
        assert [image["status"] for image in await admin.query("/images")] == ["Deleted"]
        later = trio.current_time() + 1000
        await eventually(lambda: trio.current_time() > later, within=10_000, every=100)
        assert [image["status"] for image in await admin.query("/images")] == ([] if policy == "Delay" else ["Deleted"])
        if policy == "Never":
            await admin.do("PUT", path, {"expungeImage": {}})
            assert await admin.query("/images") == []
        assert (await restarted(admin, vm))["state"] == "Running", "its disk stands on the cache"


@pytest.mark.parametrize("policy", ["Direct", "Delay", "Never"])
async def test_a_destroyed_vm_is_kept_as_the_policy_says(
    tmp_path: Path, autojump_clock: MockClock, policy: str
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "web")
        await set_global(admin, "vm.deletionPolicy", policy)
        await set_global(admin, "vm.expungePeriod", "1200")
        await set_global(admin, "vm.expungeInterval", "60")
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        if policy == "Direct":
            assert await admin.query("/vm-instances") == await admin.query("/volumes") == []
            return
        assert (await act(admin, vm, "recoverVmInstance"))["state"] == "Stopped"
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        later = trio.current_time() + 1000
        await eventually(lambda: trio.current_time() > later, within=10_000, every=100)
        assert [row["state"] for row in await admin.query("/vm-instances")] == ["Destroyed"]
        later = trio.current_time() + 1000
        await eventually(lambda: trio.current_time() > later, within=10_000, every=100)
        left = [row["state"] for row in await admin.query("/vm-instances")]
        assert left == ([] if policy == "Delay" else ["Destroyed"])
        if policy == "Never":
            await act(admin, vm, "expungeVmInstance")
        assert await admin.query("/volumes") == []
