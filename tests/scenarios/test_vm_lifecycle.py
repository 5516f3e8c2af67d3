"""A VM's life as a client sees it over HTTP."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from tests.running import simulated_cloud
from tests.scenarios.vms import act, named, new_vm, vm_params
from zstack_appliance.cloud.account.passwords import client_hash


async def test_from_creation_to_expunging(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        empty = cloud.fleet.inventory()
        vm = await new_vm(admin, "web")
        assert vm["state"] == "Running"
        assert vm["hostUuid"]
        [nic] = vm["vmNics"]
        assert nic["ip"].startswith("10.0.0.")
        [root] = vm["allVolumes"]
        assert (root["status"], root["type"]) == ("Ready", "Root")
        assert vm["uuid"] in cloud.fleet.machines[vm["hostUuid"]].shelf("vm")

        assert (await act(admin, vm, "pauseVmInstance"))["state"] == "Paused"
        assert (await act(admin, vm, "resumeVmInstance"))["state"] == "Running"
        assert (await act(admin, vm, "rebootVmInstance"))["state"] == "Running"
        stopped = await act(admin, vm, "stopVmInstance", type="cold")
        assert (stopped["state"], stopped.get("hostUuid")) == ("Stopped", None)
        started = await act(admin, vm, "startVmInstance")
        assert (started["state"], started["hostUuid"]) == ("Running", vm["hostUuid"])
        assert started["vmNics"][0]["ip"] == nic["ip"]

        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        [destroyed] = await admin.query("/vm-instances", f"uuid={vm['uuid']}")
        assert destroyed["state"] == "Destroyed"
        assert (await act(admin, vm, "recoverVmInstance"))["state"] == "Stopped"
        assert (await act(admin, vm, "startVmInstance"))["vmNics"][0]["ip"]
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        await act(admin, vm, "expungeVmInstance")
        assert await admin.query("/vm-instances") == []
        assert await admin.query("/volumes") == []
        left = cloud.fleet.inventory()[vm["hostUuid"]]
        assert left["shelves"] == empty[vm["hostUuid"]]["shelves"]
        assert all("imagecache" in path for path, _ in left["files"])
        host = await named(admin, "/hosts", "host1")
        assert host["availableCpuCapacity"] == host["totalCpuCapacity"]


async def test_what_a_state_does_not_allow(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "web")
        error = await admin.refused("PUT", f"/vm-instances/{vm['uuid']}/actions", {"resumeVmInstance": {}})
        assert error["code"] == "VM.1010"
        assert "allowed states are [Paused]" in error["details"]


async def test_a_static_address(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        l3 = (await named(admin, "/l3-networks", "net1"))["uuid"]
        wish = {"systemTags": [f"staticIp::{l3}::10.0.0.77"]}
        vm = await new_vm(admin, "fixed", **wish)
        assert vm["vmNics"][0]["ip"] == "10.0.0.77"
        body = {"params": await vm_params(admin, "twin"), **wish}
        error = await admin.refused("POST", "/vm-instances", body)
        assert "address 10.0.0.77 is in use" in error["details"]
        outside = {"params": await vm_params(admin, "out"), "systemTags": [f"staticIp::{l3}::10.9.9.9"]}
        error = await admin.refused("POST", "/vm-instances", outside)
        assert "is in no range of the network" in error["details"]
        assert [found["name"] for found in await admin.query("/vm-instances")] == ["fixed"]


async def test_an_allocation_that_fails_says_why_for_each_host(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        await admin.do(
            "PUT",
            f"/hosts/{(await named(admin, '/hosts', 'host2'))['uuid']}/actions",
            {"changeHostState": {"stateEvent": "disable"}},
        )
        params = await vm_params(admin, "huge", cpuNum=1, memorySize=2**40)
        error = await admin.refused("POST", "/vm-instances", {"params": params})
        assert error["code"] == "HOST_ALLOCATION.1000"
        rejections = {row["name"]: row for row in error["opaque"]["rejections"]}
        assert set(rejections) == {"host1", "host2"}
        assert str(2**40) in str(rejections["host1"])
        assert "Disabled" in str(rejections["host2"])
        assert await admin.query("/vm-instances") == []


async def test_two_accounts_do_not_see_each_others_vms(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        for name in ("anna", "ben"):
            await admin.create("/accounts", name=name, password=client_hash(name))
        async with cloud.login("anna", "anna") as anna, cloud.login("ben", "ben") as ben:
            body = await vm_params(admin, "annas")
            made = await anna.call("POST", "/vm-instances", {"params": body})
            assert made.status_code == 200, made.text
            vm = made.json()["inventory"]
            assert [found["uuid"] for found in await anna.query("/vm-instances")] == [vm["uuid"]]
            assert await ben.query("/vm-instances") == []
            assert await ben.query("/vm-instances/nics") == []
            assert await ben.query("/volumes") == []
            error = await ben.call("PUT", f"/vm-instances/{vm['uuid']}/actions", {"stopVmInstance": {}})
            assert error.status_code >= 400
            assert (await admin.query("/vm-instances"))[0]["state"] == "Running"
