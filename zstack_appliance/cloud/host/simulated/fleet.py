"""A fleet of simulated hosts in this process: `Fleet`, a transport with latency and faults as asked for.

Everything crosses encoded, as it would a network. The fleet outlives the cloud that uses it, so a test can
kill one appliance and let the next one find the hosts as they were left.
"""

from __future__ import annotations

import copy
import random
import weakref
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import trio
from trio.abc import Stream

from zstack_appliance.cloud.host.driver import (
    Accelerator,
    HostDriver,
    HostFacts,
    HostNotice,
    OpenChannel,
    VmState,
    VmStateChanged,
    VmStatus,
)
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.channels import Pipe, open_channel
from zstack_appliance.cloud.host.simulated.schema import SimulatedHost
from zstack_appliance.cloud.host.simulated.vms import HANDLERS, STATES
from zstack_appliance.cloud.host.wire import decode_command, decode_notice, done, encode, failed, read_answer
from zstack_appliance.hostkit.simulated_files import SimulatedFile, SimulatedFiles
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler, HostSide, HostUnreachable

R = TypeVar("R")

_UNHEARD = 10_000
"""Notices kept for a listener that is not there; beyond that it has to compare by itself."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How well hosts answer.

    Args:
        latency: seconds before each answer.
        fault_rate: from 0 to 1, how many commands fail, half of them after having been done.
        strikes: paths of the only commands that may fail; empty for any.
    """

    latency: float = 0.0
    fault_rate: float = 0.0
    strikes: tuple[str, ...] = ()

    def rate(self, path: str) -> float:
        """How many commands of this path fail."""
        return self.fault_rate if not self.strikes or path in self.strikes else 0.0


@dataclass
class Machine:
    """One simulated host: what it has, and what was made on it."""

    uuid: str
    instance: str
    facts: HostFacts
    files: SimulatedFiles
    shelves: dict[str, dict[str, Any]] = field(default_factory=dict)
    listeners: list[trio.MemorySendChannel[HostNotice]] = field(default_factory=list)
    channels: weakref.WeakKeyDictionary[Pipe, str] = field(default_factory=weakref.WeakKeyDictionary)
    reachable: bool = True

    def shelf(self, kind: str) -> dict[str, Any]:
        """What the host has of one kind, by name."""
        return self.shelves.setdefault(kind, {})

    def report(self, fraction: float | None, text: str) -> None:
        """Progress of a command: simulated ones are done at once."""

    def settle(self, uuid: str, state: VmState, reason: str) -> VmStatus:
        """Put a VM into a state and say so, if it is another one than before."""
        if self.shelf(STATES).get(uuid) is not state:
            self.shelf(STATES)[uuid] = state
            if state not in (VmState.RUNNING, VmState.PAUSED):
                self._end_channels(uuid)
            for listener in self.listeners:
                try:
                    listener.send_nowait(VmStateChanged(uuid=uuid, state=state, reason=reason))
                except (trio.WouldBlock, trio.BrokenResourceError):
                    continue
        return VmStatus(uuid=uuid, state=state)

    def open(self, wish: OpenChannel) -> Pipe:
        """Connect with a VM; the stream ends with it.

        Raises:
            HostCommandFailed: the VM is off.
        """
        pipe = open_channel(wish, self.shelf(STATES).get(wish.uuid))
        self.channels[pipe] = wish.uuid
        return pipe

    def _end_channels(self, uuid: str) -> None:
        for pipe in [pipe for pipe, of in self.channels.items() if of == uuid]:
            pipe.end()

    def boot(self) -> None:
        """Start the host anew: what it held in memory has gone, and nobody was told."""
        self.facts = msgspec.structs.replace(self.facts, boot_id=str(int(self.facts.boot_id) + 1))
        for uuid in self.shelf(STATES):
            self._end_channels(uuid)
        self.shelf(STATES).clear()

    def inventory(self) -> dict[str, Any]:
        """Everything that was made on the host, for comparing before with after."""
        return {
            "shelves": {kind: copy.copy(things) for kind, things in sorted(self.shelves.items()) if things},
            "files": self.files.below(""),
        }


class Fleet:
    """The transport of simulated hosts.

    Args:
        instance: the appliance's id.
        sides: the simulated halves of all drivers.
        dice: decides which commands fail.
        weather: how well hosts answer; may be changed at any time.
        elsewhere: what every URL serves to image fetches, so that a simulated cloud has images.
        shared_folders: folders that all hosts see alike, as if mounted from one server.
    """

    def __init__(
        self,
        instance: str,
        sides: Iterable[HostSide],
        dice: random.Random,
        weather: Weather | None = None,
        elsewhere: SimulatedFile | None = None,
        shared_folders: Iterable[str] = (),
    ) -> None:
        self.weather = weather or Weather()
        self.machines: dict[str, Machine] = {}
        self._instance = instance
        self.dice = dice
        self._elsewhere = elsewhere
        self._mounts = {folder: SimulatedFiles() for folder in shared_folders}
        self._handlers: dict[str, tuple[type[Command[Any]], HostHandler]] = {}
        for side in (HostSide(simulated=HANDLERS), *sides):
            for command, handler in side.simulated.items():
                self._handlers[command.path] = (command, handler)

    def link(self, host: Host) -> HostDriver:
        """The driver of one host, which is made when it is first asked for."""
        if not isinstance(host, SimulatedHost):
            raise TypeError(f"host[{host.name}] is not a simulated one")
        if host.uuid not in self.machines:
            self.machines[host.uuid] = self._build(host)
        return _Link(self, self.machines[host.uuid])

    def inventory(self) -> dict[str, Any]:
        """Everything that was made on any host, by host uuid."""
        hosts = {uuid: machine.inventory() for uuid, machine in sorted(self.machines.items())}
        return {**hosts, "shared": {folder: files.below("") for folder, files in self._mounts.items()}}

    async def serve(self, machine: Machine, path: str, body: bytes) -> bytes:
        """One command over the simulated network: late, lost or refused as the weather has it."""
        await trio.sleep(self.weather.latency)
        if not machine.reachable:
            raise HostUnreachable("the simulated host is switched off")
        rate = self.weather.rate(path)
        fate = self.dice.random() if rate else 1.0
        if fate < rate / 2:
            return failed("a simulated fault before anything was done")
        answer = await self._carry_out(machine, path, body)
        if fate < rate:
            raise HostUnreachable("a simulated fault lost the answer")
        return answer

    async def _carry_out(self, machine: Machine, path: str, body: bytes) -> bytes:
        if path not in self._handlers:
            return failed(f"simulated hosts know no command {path}")
        command, handler = self._handlers[path]
        try:
            return done(await handler(decode_command(command, body), machine))
        except HostCommandFailed as error:
            return failed(str(error))

    def _build(self, host: SimulatedHost) -> Machine:
        return Machine(
            uuid=host.uuid,
            instance=self._instance,
            facts=HostFacts(
                hostname=host.management_ip,
                architecture="x86_64",
                cpu_threads=host.simulated_cpus,
                cpu_sockets=2,
                memory=host.simulated_memory,
                libvirt_version="simulated",
                qemu_version="simulated",
                accelerator=Accelerator.KVM,
                accelerator_reason="simulated",
                boot_id="1",
            ),
            files=SimulatedFiles(elsewhere=self._elsewhere, mounts=self._mounts),
        )


class _Link(HostDriver):
    """One simulated host as the management half sees it."""

    def __init__(self, fleet: Fleet, machine: Machine) -> None:
        self._fleet = fleet
        self._machine = machine

    async def connect(self) -> None:
        if not self._machine.reachable:
            raise HostUnreachable("the simulated host is switched off")

    async def ask(self, command: Command[R], *, report: Report | None = None) -> R:
        del report  # Simulated commands are done at once.
        return read_answer(command, await self._fleet.serve(self._machine, command.path, encode(command)))

    async def open(self, wish: OpenChannel) -> Stream:
        await trio.sleep(self._fleet.weather.latency)
        if not self._machine.reachable:
            raise HostUnreachable("the simulated host is switched off")
        return self._machine.open(wish)

    async def notices(self) -> AsyncGenerator[HostNotice, None]:
        send, receive = trio.open_memory_channel[HostNotice](_UNHEARD)
        self._machine.listeners.append(send)
        try:
            async for notice in receive:
                yield decode_notice(encode(notice))
        finally:
            self._machine.listeners.remove(send)
