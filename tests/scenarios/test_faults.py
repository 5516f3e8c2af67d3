"""Hosts that fail a part of what they are asked leave nothing behind in the end."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.eventually import eventually
from tests.running import Caller, SimulatedCloud, simulated_cloud
from tests.scenarios.vms import vm_params
from zstack_appliance.cloud.host.schema import HostCharge
from zstack_appliance.cloud.host.simulated.fleet import Weather
from zstack_appliance.cloud.l3_network.schema import UsedIp
from zstack_appliance.cloud.primary_storage.schema import SpaceCharge
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.journal import OPEN, FlowRun

VMS = 30


@pytest.mark.parametrize("seed", range(3))
async def test_many_creations_leave_no_orphan(seed: int, tmp_path: Path, autojump_clock: MockClock) -> None:
    weather = Weather(latency=0.2, fault_rate=0.15)
    async with simulated_cloud(tmp_path, hosts=4, seed=seed) as cloud, cloud.login() as admin:
        outcomes = await create_many(cloud, admin, weather)
        assert set(outcomes) == {200, 503}, f"with seed {seed} this proves nothing: {outcomes}"
        cloud.fleet.weather = Weather()
        store = cloud.kernel.store
        await eventually(lambda: not store.find(FlowRun, state=OPEN), within=3600.0, every=10.0)
        assert_no_orphans(cloud, outcomes.count(200))


async def create_many(cloud: SimulatedCloud, caller: Caller, weather: Weather) -> list[int]:
    """The HTTP status of each of `VMS` creations at once."""
    bodies: list[dict[str, object]] = [{"params": await vm_params(caller, f"vm{number}")} for number in range(VMS)]
    outcomes: list[int] = []

    async def create(body: dict[str, object]) -> None:
        outcomes.append((await caller.call("POST", "/vm-instances", body)).status_code)

    cloud.fleet.weather = weather
    async with trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(create, body)
    return outcomes


def assert_no_orphans(cloud: SimulatedCloud, expected: int) -> None:
    """Rows and hosts have the same VMs, each with its charges, its address and its disk, and nothing else."""
    store = cloud.kernel.store
    vms = {vm.uuid: vm for vm in store.find(VmInstance)}
    assert len(vms) == expected
    volumes = {volume.uuid for volume in store.find(Volume)}
    assert {charge.vm_uuid for charge in store.find(HostCharge)} == set(vms)
    assert {charge.uuid for charge in store.find(SpaceCharge)} == volumes
    assert {nic.vm_instance_uuid for nic in store.find(VmNic)} == set(vms)
    taken = {used.ip for used in store.find(UsedIp) if used.vm_nic_uuid is not None}
    assert taken == {nic.ip for nic in store.find(VmNic)}
    for uuid, machine in cloud.fleet.machines.items():
        assert set(machine.shelf("vm")) == {vm.uuid for vm in vms.values() if vm.host_uuid == uuid}
        disks = [path for path, _ in machine.files.below("") if "rootVolumes" in path]
        here = {volume.uuid for volume in store.find(Volume) if volume.host_uuid == uuid}
        assert {path.rpartition("/")[2].removesuffix(".qcow2") for path in disks} == here
