"""The records follow what happens on hosts by itself."""

from __future__ import annotations

from pathlib import Path

import trio.testing
from trio.testing import MockClock

from tests.eventually import eventually
from tests.running import Caller, simulated_cloud
from tests.scenarios.vms import new_vm
from zstack_appliance.cloud.host.driver import VmState


async def state_of(caller: Caller, uuid: str) -> str:
    [vm] = await caller.query("/vm-instances", f"uuid={uuid}")
    return str(vm["state"])


async def test_a_guest_that_powers_off_is_stopped(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "web")
        await trio.testing.wait_all_tasks_blocked()
        cloud.fleet.machines[vm["hostUuid"]].settle(vm["uuid"], VmState.STOPPED, "shutdown by the guest")

        async def stopped() -> bool:
            return await state_of(admin, vm["uuid"]) == "Stopped"

        await eventually(stopped, within=30.0)
        [host] = await admin.query("/hosts", f"uuid={vm['hostUuid']}")
        assert host["availableCpuCapacity"] == host["totalCpuCapacity"]


async def test_vms_of_a_host_that_is_lost_are_unknown_until_it_is_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        stays, leaves = await new_vm(admin, "stays"), await new_vm(admin, "leaves")
        other = await new_vm(admin, "other")
        machine = cloud.fleet.machines[stays["hostUuid"]]
        on_it = [vm for vm in (stays, leaves, other) if vm["hostUuid"] == machine.uuid]
        gone = on_it[-1]
        machine.reachable = False

        async def lost() -> bool:
            [host] = await admin.query("/hosts", f"uuid={machine.uuid}")
            states = {await state_of(admin, vm["uuid"]) for vm in on_it}
            return (host["status"], states) == ("Disconnected", {"Unknown"})

        await eventually(lost, within=300.0, every=5.0)
        machine.shelf("vm")[gone["uuid"]] = VmState.STOPPED
        machine.reachable = True

        async def back() -> bool:
            [host] = await admin.query("/hosts", f"uuid={machine.uuid}")
            states = {vm["uuid"]: await state_of(admin, vm["uuid"]) for vm in on_it}
            wanted = {vm["uuid"]: "Stopped" if vm is gone else "Running" for vm in on_it}
            return host["status"] == "Connected" and states == wanted

        await eventually(back, within=300.0, every=5.0)


async def test_no_vm_is_put_onto_a_host_that_does_not_answer(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        # The network's router has to be reached for a new VM, so the other host is the one to lose.
        machines = cloud.fleet.machines
        [stays] = [uuid for uuid, machine in machines.items() if machine.shelf("router")]
        [lost] = set(machines) - {stays}
        machines[lost].reachable = False

        async def disconnected() -> bool:
            [host] = await admin.query("/hosts", f"uuid={lost}")
            return bool(host["status"] == "Disconnected")

        await eventually(disconnected, within=300.0, every=5.0)
        placed = {(await new_vm(admin, f"vm{number}"))["hostUuid"] for number in range(3)}
        assert placed == {stays}
