"""Tags that find resources, and tags that steer what is made of them: over HTTP, on simulated hosts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trio.testing import MockClock

from tests.running import Caller, simulated_cloud
from tests.scenarios.vms import act, named, new_vm, vm_params

GIB = 2**30


async def user_tag(caller: Caller, kind: str, row: dict[str, Any], text: str) -> None:
    await caller.create("/user-tags", resourceType=kind, resourceUuid=row["uuid"], tag=text)


async def test_the_vms_that_run_on_fast_servers(tmp_path: Path, autojump_clock: MockClock) -> None:
    """A tag of the administrator's own is a property of hosts, and a way to find what runs on them."""
    async with simulated_cloud(tmp_path, hosts=3) as cloud, cloud.login() as admin:
        vms = [await new_vm(admin, f"vm{n}") for n in range(4)]
        fast = vms[0]["hostUuid"]
        await user_tag(admin, "HostVO", {"uuid": fast}, "high-performance-server")
        there = {vm["uuid"] for vm in vms if vm["hostUuid"] == fast}
        conditions = ("host.__userTag__=high-performance-server", "state=Running")
        assert {vm["uuid"] for vm in await admin.query("/vm-instances", *conditions)} == there
        stopped = next(vm for vm in vms if vm["hostUuid"] == fast)
        await act(admin, stopped, "stopVmInstance", type="cold")
        assert {vm["uuid"] for vm in await admin.query("/vm-instances", *conditions)} == there - {stopped["uuid"]}
        elsewhere = {
            vm["uuid"] for vm in await admin.query("/vm-instances", "host.__userTag__!=high-performance-server")
        }
        assert elsewhere == {vm["uuid"] for vm in vms} - there


async def storage(admin: Caller, name: str, *tags: str) -> dict[str, Any]:
    """Another primary storage of the cluster's hosts."""
    zone, cluster = await named(admin, "/zones", "zone1"), await named(admin, "/clusters", "cluster1")
    params = {"name": name, "url": f"/mnt/{name}", "zoneUuid": zone["uuid"]}
    made: dict[str, Any] = await admin.do(
        "POST", "/primary-storage/local-storage", {"params": params, "userTags": list(tags)}
    )
    await admin.do("POST", f"/clusters/{cluster['uuid']}/primary-storage/{made['uuid']}", {})
    return made


async def where(admin: Caller, name: str, **params: object) -> str:
    """The primary storage that a new VM's root volume went to."""
    vm = await admin.create("/vm-instances", **await vm_params(admin, name, **params))
    return str(vm["allVolumes"][0]["primaryStorageUuid"])


async def test_a_disk_offerings_tags_steer_its_volumes(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        plain = await storage(admin, "plain")
        ssd = await storage(admin, "ssd", "SSD")
        offerings = {}
        for name, tag in (
            ("exact", f"uuid::{plain['uuid']}"),
            ("preferred", "userTag::SSD"),
            ("required", "userTag::SSD::required"),
            ("vain", "userTag::NVMe::required"),
            ("hope", "userTag::NVMe"),
        ):
            body = {
                "params": {"name": name, "diskSize": GIB},
                "systemTags": [f"primaryStorage::allocator::{tag}"],
            }
            offerings[name] = (await admin.do("POST", "/disk-offerings", body))["uuid"]
        for name, wanted in (("exact", plain), ("preferred", ssd), ("required", ssd)):
            assert await where(admin, name, rootDiskOfferingUuid=offerings[name]) == wanted["uuid"]
        assert await where(admin, "hope", rootDiskOfferingUuid=offerings["hope"])
        params = await vm_params(admin, "vain", rootDiskOfferingUuid=offerings["vain"])
        error = await admin.refused("POST", "/vm-instances", {"params": params})
        assert error["code"] == "HOST_ALLOCATION.1000"
        assert "is not attached to a primary storage" in error["details"]
        await user_tag(admin, "PrimaryStorageVO", plain, "NVMe")
        assert await where(admin, "now", rootDiskOfferingUuid=offerings["vain"]) == plain["uuid"]

        await admin.do(
            "PUT", f"/primary-storage/{ssd['uuid']}/actions", {"changePrimaryStorageState": {"stateEvent": "disable"}}
        )
        assert await where(admin, "other", rootDiskOfferingUuid=offerings["preferred"]) != ssd["uuid"]
        params = await vm_params(admin, "none", rootDiskOfferingUuid=offerings["required"])
        error = await admin.refused("POST", "/vm-instances", {"params": params})
        assert error["code"] == "PS.1000"
        assert {row["name"]: row["reason"] for row in error["opaque"]["rejections"]}[
            "plain"
        ] == "it has no user tag[SSD]"


async def test_without_a_disk_offering_the_instance_offerings_tags_count(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        ssd = await storage(admin, "ssd", "SSD")
        ps1 = await named(admin, "/primary-storage", "ps1")
        tiny = await named(admin, "/instance-offerings", "tiny")
        await admin.create(
            "/system-tags",
            resourceType="InstanceOfferingVO",
            resourceUuid=tiny["uuid"],
            tag="primaryStorage::allocator::userTag::SSD::required",
        )
        assert await where(admin, "a") == ssd["uuid"]
        assert await where(admin, "b", primaryStorageUuidForRootVolume=ps1["uuid"]) == ps1["uuid"], "who asks is asked"


async def test_a_storage_may_promise_more_than_it_has(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        ps1 = await named(admin, "/primary-storage", "ps1")
        offering = await admin.create("/disk-offerings", name="large", diskSize=ps1["availableCapacity"] * 3 // 4)
        params = await vm_params(admin, "large", rootDiskOfferingUuid=offering["uuid"])
        assert (await admin.refused("POST", "/vm-instances", {"params": params}))["code"] == "PS.1000"
        path = f"/resource-configurations/mevoco/overProvisioning.primaryStorage/{ps1['uuid']}/actions"
        await admin.do("PUT", path, {"updateResourceConfig": {"value": "2"}})
        vm = await admin.create("/vm-instances", **params)
        left = (await named(admin, "/primary-storage", "ps1"))["availableCapacity"]
        assert left == ps1["availableCapacity"] - -(-offering["diskSize"] // 2)
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        await act(admin, vm, "expungeVmInstance")
        assert (await named(admin, "/primary-storage", "ps1"))["availableCapacity"] == ps1["availableCapacity"]


async def test_host_names_are_unique_on_a_network(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        first = await new_vm(admin, "a", systemTags=["hostname::web"])
        body = {"params": await vm_params(admin, "b"), "systemTags": ["hostname::web"]}
        assert "has the tag[hostname::web]" in (await admin.refused("POST", "/vm-instances", body))["details"]
        second = await new_vm(admin, "b", systemTags=["hostname::db"])
        tag = {"resourceType": "VmInstanceVO", "resourceUuid": second["uuid"], "tag": "hostname::web"}
        assert "choose another name" in (await admin.refused("POST", "/system-tags", {"params": tag}))["details"]
        [held] = await admin.query("/system-tags", f"resourceUuid={second['uuid']}")
        change = {"updateSystemTag": {"tag": "hostname::web"}}
        path = f"/system-tags/{held['uuid']}/actions"
        assert "choose another name" in (await admin.refused("PUT", path, change))["details"]
        await admin.do("DELETE", f"/vm-instances/{first['uuid']}")
        await act(admin, first, "expungeVmInstance")
        assert (await admin.do("PUT", path, change))["tag"] == "hostname::web"


async def test_a_hardware_address_of_ones_own(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        net = (await named(admin, "/l3-networks", "net1"))["uuid"]
        vm = await new_vm(admin, "a", systemTags=[f"customMac::{net}::FA:16:3E:00:00:07"])
        assert vm["vmNics"][0]["mac"] == "fa:16:3e:00:00:07"
        for mac, words in (
            ("fa:16:3e:00:00:07", "exists already"),
            ("x", "no hardware"),
            ("01:00:5e:00:00:01", "even"),
        ):
            body = {"params": await vm_params(admin, "b"), "systemTags": [f"customMac::{net}::{mac}"]}
            assert words in (await admin.refused("POST", "/vm-instances", body))["details"]
        assert len(await admin.query("/system-tags", "resourceType=VmInstanceVO")) == 1, "a failed create leaves none"


async def test_several_tags_are_all_or_none(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        host = await named(admin, "/hosts", "host1")
        path = f"/system-tags/{host['uuid']}/tags"

        def body(*tags: str) -> dict[str, Any]:
            return {"params": {"resourceType": "HostVO", "tags": list(tags)}}

        await admin.refused("POST", path, body("reservedCpu::1", "reservedMemory::x"))
        assert await admin.query("/system-tags", f"resourceUuid={host['uuid']}") == []
        answer = await admin.call("POST", path, body("reservedCpu::1", "reservedMemory::1G", "reservedCpu::1"))
        assert [row["tag"] for row in answer.json()["inventories"]] == ["reservedCpu::1", "reservedMemory::1G"]
