"""A simulated host keeps the host driver contract; the fleet adds weather to it."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from tests.contracts.host_driver import Bench, HostDriverContract
from tests.running import every_plugin, simulated_fleet
from zstack_appliance.cloud.host.driver import (
    Channel,
    DiskSpec,
    DomainSpec,
    ListVms,
    NicSpec,
    OpenChannel,
    PauseVm,
    Ping,
    StartVm,
    StopVm,
    VmState,
)
from zstack_appliance.cloud.host.schema import HostState, HostStatus
from zstack_appliance.cloud.host.simulated.fleet import Fleet, Machine, Weather
from zstack_appliance.cloud.host.simulated.schema import SimulatedHost
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, bridge_name
from zstack_appliance.hostkit.simulated_files import SimulatedFile
from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable

HOST = SimulatedHost(
    uuid="a" * 32,
    create_date=0,
    last_op_date=0,
    name="host1",
    zone_uuid="b" * 32,
    cluster_uuid="c" * 32,
    management_ip="simulated-1",
    hypervisor_type="Simulator",
    state=HostState.ENABLED,
    status=HostStatus.CONNECTED,
    cpu_num=4,
    cpu_sockets=1,
    total_cpu_capacity=40,
    available_cpu_capacity=40,
    total_memory_capacity=2**33,
    available_memory_capacity=2**33,
    vm_count=0,
    simulated_cpus=4,
    simulated_memory=2**33,
)
NETWORK = "d" * 32


@pytest.fixture
def fleet() -> Fleet:
    return simulated_fleet(every_plugin(), Path("/cloud"))


@pytest.fixture
async def bench(fleet: Fleet) -> Bench:
    driver = fleet.link(HOST)
    machine = fleet.machines[HOST.uuid]
    bridge = bridge_name(machine.instance, NETWORK)
    await driver.ask(ApplyBridge(l2_network_uuid=NETWORK))
    machine.files.put("/disk", SimulatedFile("qcow2", 2**30, 2**20))
    domain = DomainSpec(
        uuid="f" * 32,
        name="guest",
        vcpus=1,
        memory=2**27,
        disks=(DiskSpec(device_id="1" * 32, path="/disk", format="qcow2", boot_order=1),),
        nics=(NicSpec(mac="fa:00:00:00:00:00", bridge=bridge, tap="tap0"),),
    )
    gone = msgspec.structs.replace(domain.disks[0], path="/gone")
    return Bench(
        driver,
        domain,
        missing_disk=msgspec.structs.replace(domain, disks=(gone,)),
        power_off=lambda uuid: _power_off(machine, uuid),
    )


def _power_off(machine: Machine, uuid: str) -> None:
    machine.settle(uuid, VmState.STOPPED, "shutdown")


class TestContract(HostDriverContract):
    """The contract, kept by a simulated host."""


async def test_a_vm_needs_its_bridge(bench: Bench) -> None:
    nic = msgspec.structs.replace(bench.domain.nics[0], bridge="nowhere")
    with pytest.raises(HostCommandFailed, match="no such bridge nowhere"):
        await bench.ask(StartVm(domain=msgspec.structs.replace(bench.domain, nics=(nic,))))


@pytest.mark.parametrize("channel", Channel)
async def test_what_one_sees_of_a_vm_ends_with_it(channel: Channel, fleet: Fleet, bench: Bench) -> None:
    wish = OpenChannel(uuid=bench.domain.uuid, channel=channel)
    await bench.ask(StartVm(domain=bench.domain))
    async with await bench.driver.open(wish) as stream, await bench.driver.open(wish) as beside:
        assert await stream.receive_some()
        await bench.ask(PauseVm(uuid=bench.domain.uuid))
        await stream.send_all(b"RFB 003.008\n")
        assert await stream.receive_some(), "a VM that is paused still shows what it showed"
        await bench.ask(StopVm(uuid=bench.domain.uuid))
        assert await stream.receive_some() == b""
        await beside.receive_some()
        assert await beside.receive_some() == b""
    await bench.ask(StartVm(domain=bench.domain))
    async with await bench.driver.open(wish) as stream:
        await stream.receive_some()
        fleet.machines[HOST.uuid].boot()
        assert await stream.receive_some() == b""


async def test_latency_is_waited_for(fleet: Fleet, bench: Bench, autojump_clock: MockClock) -> None:
    fleet.weather = Weather(latency=3.0)
    began = trio.current_time()
    await bench.ask(Ping())
    assert trio.current_time() - began == 3.0


async def test_a_host_that_is_off_does_not_answer(fleet: Fleet, bench: Bench) -> None:
    fleet.machines[HOST.uuid].reachable = False
    with pytest.raises(HostUnreachable):
        await bench.ask(Ping())
    with pytest.raises(HostUnreachable):
        await bench.driver.connect()


async def test_weather_strikes_only_the_commands_that_it_names(fleet: Fleet, bench: Bench) -> None:
    fleet.weather = Weather(fault_rate=1.0, strikes=(ListVms.path,))
    await bench.driver.ask(Ping())
    with pytest.raises((HostCommandFailed, HostUnreachable), match="a simulated fault"):
        await bench.driver.ask(ListVms())


async def test_half_of_the_faults_come_before_and_half_after_the_deed(fleet: Fleet, bench: Bench) -> None:
    fleet.weather = Weather(fault_rate=1.0)
    fleet.dice = random.Random(4)
    refused = lost = 0
    for _ in range(40):
        fleet.machines[HOST.uuid].shelf("vm").clear()
        try:
            await bench.ask(StartVm(domain=bench.domain))
        except HostCommandFailed:
            refused += 1
            assert not fleet.machines[HOST.uuid].shelf("vm")
        except HostUnreachable:
            lost += 1
            assert fleet.machines[HOST.uuid].shelf("vm")
    assert refused + lost == 40
    assert 10 <= refused <= 30


async def test_the_inventory_names_what_was_made(fleet: Fleet, bench: Bench) -> None:
    before = fleet.inventory()
    await bench.ask(StartVm(domain=bench.domain))
    after = fleet.inventory()
    assert after != before
    assert after[HOST.uuid]["shelves"]["vm"] == {bench.domain.uuid: VmState.RUNNING}
    assert [vm.uuid for vm in (await bench.ask(ListVms())).vms] == [bench.domain.uuid]
