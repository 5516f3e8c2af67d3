"""VMs on a simulated host: the host driver contract over a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from zstack_appliance.cloud.host.driver import (
    Connect,
    DestroyVm,
    DomainSpec,
    HostFacts,
    ListVms,
    PauseVm,
    Ping,
    Pong,
    RebootVm,
    ResumeVm,
    StartVm,
    StopVm,
    VmConsole,
    VmList,
    VmState,
    VmStatus,
    VncAddress,
)
from zstack_appliance.hostkit.simulated import SimulatedRuntime
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler

DOMAINS, STATES = "domain", "vm"
"""The shelves: what a VM was started as, and its state, both by uuid."""


class SimulatedMachine(SimulatedRuntime, Protocol):
    """What these handlers use of a simulated host beyond what every driver does."""

    @property
    def facts(self) -> HostFacts:
        """What the host has."""

    def settle(self, uuid: str, state: VmState, reason: str) -> VmStatus:
        """Put a VM into a state and say so to the listener, if it is another one than before."""


async def connect(_: Connect, host: SimulatedMachine) -> HostFacts:
    """Say what the host has."""
    return host.facts


async def ping(_: Ping, host: SimulatedMachine) -> Pong:
    """Answer."""
    return Pong(boot_id=host.facts.boot_id)


async def list_vms(_: ListVms, host: SimulatedMachine) -> VmList:
    """Name every VM."""
    states = host.shelf(STATES)
    return VmList(vms=tuple(VmStatus(uuid=uuid, state=states[uuid]) for uuid in sorted(states)), strangers=())


async def start(command: StartVm, host: SimulatedMachine) -> VmStatus:
    """Have the VM running, if its disks and bridges are there as a hypervisor would want them."""
    domain = command.domain
    running = host.shelf(STATES).get(domain.uuid)
    if running in (VmState.RUNNING, VmState.PAUSED):
        return VmStatus(uuid=domain.uuid, state=running)
    _check(domain, host)
    host.shelf(DOMAINS)[domain.uuid] = domain
    return host.settle(domain.uuid, VmState.RUNNING, "booted")


def _check(domain: DomainSpec, host: SimulatedMachine) -> None:
    for disk in domain.disks:
        if host.files.get(disk.path) is None:
            raise HostCommandFailed(f"cannot start VM {domain.uuid}: no such file {disk.path}")
    for nic in domain.nics:
        if nic.bridge not in host.shelf("bridge"):
            raise HostCommandFailed(f"cannot start VM {domain.uuid}: no such bridge {nic.bridge}")


async def stop(command: StopVm, host: SimulatedMachine) -> VmStatus:
    """Have the VM stopped; one that is not there counts as stopped."""
    if command.uuid not in host.shelf(STATES):
        return VmStatus(uuid=command.uuid, state=VmState.STOPPED)
    return host.settle(command.uuid, VmState.STOPPED, "shutdown")


async def destroy(command: DestroyVm, host: SimulatedMachine) -> None:
    """Have nothing of the VM."""
    if command.uuid in host.shelf(STATES):
        host.settle(command.uuid, VmState.STOPPED, "destroyed")
    host.shelf(STATES).pop(command.uuid, None)
    host.shelf(DOMAINS).pop(command.uuid, None)


async def reboot(command: RebootVm, host: SimulatedMachine) -> VmStatus:
    """Restart a running VM."""
    return VmStatus(uuid=command.uuid, state=_state(command.uuid, host, VmState.RUNNING))


async def pause(command: PauseVm, host: SimulatedMachine) -> VmStatus:
    """Halt a VM."""
    _state(command.uuid, host, VmState.RUNNING, VmState.PAUSED)
    return host.settle(command.uuid, VmState.PAUSED, "paused")


async def resume(command: ResumeVm, host: SimulatedMachine) -> VmStatus:
    """Let a VM go on."""
    _state(command.uuid, host, VmState.RUNNING, VmState.PAUSED)
    return host.settle(command.uuid, VmState.RUNNING, "unpaused")


async def console(command: VmConsole, host: SimulatedMachine) -> VncAddress:
    """Where a display would be."""
    _state(command.uuid, host, VmState.RUNNING, VmState.PAUSED)
    return VncAddress(host="127.0.0.1", port=5900)


def _state(uuid: str, host: SimulatedMachine, *allowed: VmState) -> VmState:
    state: VmState = host.shelf(STATES).get(uuid, VmState.STOPPED)
    if state not in allowed:
        raise HostCommandFailed(f"VM {uuid} is {state.value} on this host")
    return state


HANDLERS: Mapping[type[Command[Any]], HostHandler] = {
    Connect: connect,
    Ping: ping,
    ListVms: list_vms,
    StartVm: start,
    StopVm: stop,
    DestroyVm: destroy,
    RebootVm: reboot,
    PauseVm: pause,
    ResumeVm: resume,
    VmConsole: console,
}
