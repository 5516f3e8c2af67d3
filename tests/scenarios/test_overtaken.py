"""Words that a host did not hear: runs that are stuck do nothing once another has overtaken them, and a
router that missed a change is told again, and a bridge's removal too. A drawn model found each of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from tests.eventually import eventually
from tests.running import Caller, SimulatedCloud, simulated_cloud
from tests.scenarios.test_faults import assert_no_orphans
from tests.scenarios.vms import act, named, new_vm
from zstack_appliance.cloud.host.schema import Host, HostCharge, HostStatus
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.journal import OPEN, FlowRun


async def no_run_is_open(cloud: SimulatedCloud) -> None:
    """Wait until what was stuck has been tried again, and has ended."""
    await eventually(lambda: not cloud.kernel.store.find(FlowRun, state=OPEN), within=600.0, every=1.0)


async def unheard(cloud: SimulatedCloud, admin: Caller, vm: dict[str, Any], method: str, body: object) -> None:
    """One call about a VM whose host does not answer for a moment."""
    machine = cloud.fleet.machines[vm["hostUuid"]]
    machine.reachable = False
    path = f"/vm-instances/{vm['uuid']}" + ("/actions" if method == "PUT" else "")
    await admin.refused(method, path, body)
    assert cloud.kernel.store.find(FlowRun, state=OPEN), "the run is stuck"
    machine.reachable = True


@pytest.mark.parametrize("action", ["rebootVmInstance", "stopVmInstance", "pauseVmInstance"])
async def test_a_stuck_command_leaves_a_vm_alone_that_was_destroyed_since(
    action: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "vm")
        await unheard(cloud, admin, vm, "PUT", {action: {}})
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        await no_run_is_open(cloud)
        row = cloud.kernel.store.require(VmInstance, vm["uuid"])
        assert (row.state, cloud.kernel.store.count(HostCharge)) == (VmState.DESTROYED, 0)


@pytest.mark.parametrize("after", ["recovered", "expunged"])
async def test_a_stuck_destruction_does_not_destroy_twice(
    after: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "vm")
        await unheard(cloud, admin, vm, "DELETE", None)
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        if after == "recovered":
            await act(admin, vm, "recoverVmInstance")
            await act(admin, vm, "startVmInstance")
        else:
            await act(admin, vm, "expungeVmInstance")
        await no_run_is_open(cloud)
        found = cloud.kernel.store.get(VmInstance, vm["uuid"])
        assert (found and found.state) == (VmState.RUNNING if after == "recovered" else None)


async def test_a_vm_whose_expunging_is_stuck_cannot_be_destroyed_into_leaving_its_disk(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "vm")
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        await unheard(cloud, admin, vm, "PUT", {"expungeVmInstance": {}})
        await admin.do("DELETE", f"/vm-instances/{vm['uuid']}")
        await no_run_is_open(cloud)
        assert_no_orphans(cloud, 0)


async def test_a_router_that_missed_a_change_is_told_again(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        [machine] = cloud.fleet.machines.values()
        network = await named(admin, "/l3-networks", "net1")
        machine.reachable = False
        await admin.create(f"/l3-networks/{network['uuid']}/dns", dns="1.1.1.1")
        machine.reachable = True

        def servers() -> list[str]:
            [router] = machine.shelf("router").values()
            return [str(server) for server in router.dns.upstreams]

        assert "1.1.1.1" not in servers()
        await eventually(lambda: "1.1.1.1" in servers(), within=120.0, every=1.0)


@pytest.mark.parametrize("gone", ["detached", "deleted"])
async def test_a_host_that_was_away_gives_up_the_bridges_that_went_meanwhile(
    gone: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        [machine] = cloud.fleet.machines.values()
        before = set(machine.shelf("bridge"))
        zone, cluster = await named(admin, "/zones", "zone1"), await named(admin, "/clusters", "cluster1")
        l2 = await admin.create("/l2-networks/no-vlan", name="short", zoneUuid=zone["uuid"], physicalInterface="")
        place = f"/l2-networks/{l2['uuid']}/clusters/{cluster['uuid']}"
        await admin.do("POST", place)
        assert set(machine.shelf("bridge")) > before
        machine.reachable = False
        [host] = cloud.kernel.store.find(Host)
        await admin.refused("PUT", f"/hosts/{host.uuid}/actions", {"reconnectHost": {}})
        await admin.do("DELETE", place if gone == "detached" else f"/l2-networks/{l2['uuid']}")
        machine.reachable = True

        def is_as_before() -> bool:
            [row] = cloud.kernel.store.find(Host)
            return row.status is HostStatus.CONNECTED and set(machine.shelf("bridge")) == before

        await eventually(is_as_before, within=600.0, every=1.0)
