"""The host driver contract: what every hypervisor's hosts promise, as a suite that any of them can be put to.

A test module derives from `HostDriverContract` and gives it a fixture ``bench``: a `Bench`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
import trio
import trio.testing

from tests.eventually import eventually
from zstack_appliance.cloud.host.driver import (
    AcceleratorChoice,
    Channel,
    Connect,
    DestroyVm,
    DomainSpec,
    HostDriver,
    HostNotice,
    ListVms,
    OpenChannel,
    PauseVm,
    Ping,
    RebootVm,
    ResumeVm,
    StartVm,
    StopVm,
    VmConsole,
    VmState,
    VmStateChanged,
    VmStatus,
)
from zstack_appliance.kernel.remote import Command, HostCommandFailed

R = TypeVar("R")

WITHIN = 60.0
"""Seconds that an emulated guest may take for what a real one does at once."""


@dataclass(frozen=True)
class Bench:
    """A host under test.

    Args:
        driver: reaches it; not connected yet.
        domain: a VM that it can start, with disks and bridges that are there.
        missing_disk: the same VM, with a disk that is not there.
        power_off: has the guest of a VM's uuid go off by itself.
    """

    driver: HostDriver
    domain: DomainSpec
    missing_disk: DomainSpec
    power_off: Callable[[str], None]

    async def ask(self, command: Command[R]) -> R:
        """One command, carried out."""
        return await self.driver.ask(command)

    async def state(self) -> VmState | None:
        """The VM's state as the host lists it; None when it lists no such VM."""
        listed = await self.ask(ListVms())
        return next((vm.state for vm in listed.vms if vm.uuid == self.domain.uuid), None)

    async def connect(self) -> None:
        """Connect, as the cloud does."""
        await self.driver.connect()
        await self.ask(Connect(accelerator=AcceleratorChoice.AUTO))


class HostDriverContract:
    """Each test is one promise."""

    async def test_a_connected_host_says_what_it_has(self, bench: Bench) -> None:
        await bench.driver.connect()
        facts = await bench.ask(Connect(accelerator=AcceleratorChoice.AUTO))
        assert facts.cpu_threads > 0
        assert facts.memory > 2**27
        assert facts.hostname
        assert facts.accelerator_reason
        assert await bench.ask(Connect(accelerator=AcceleratorChoice.AUTO)) == facts
        first, second = await bench.ask(Ping()), await bench.ask(Ping())
        assert first == second, "a boot id changes with a boot alone"

    async def test_a_vm_lives_and_leaves_nothing(self, bench: Bench) -> None:
        await bench.connect()
        uuid = bench.domain.uuid
        assert await bench.state() is None
        assert await bench.ask(StartVm(domain=bench.domain)) == VmStatus(uuid=uuid, state=VmState.RUNNING)
        assert await bench.state() is VmState.RUNNING
        assert (await bench.ask(VmConsole(uuid=uuid))).port > 0
        assert (await bench.ask(PauseVm(uuid=uuid))).state is VmState.PAUSED
        assert await bench.state() is VmState.PAUSED
        assert (await bench.ask(ResumeVm(uuid=uuid))).state is VmState.RUNNING
        assert (await bench.ask(StopVm(uuid=uuid, grace=False, grace_seconds=1.0))).state is VmState.STOPPED
        assert await bench.state() in (VmState.STOPPED, None)
        assert (await bench.ask(StartVm(domain=bench.domain))).state is VmState.RUNNING
        await bench.ask(DestroyVm(uuid=uuid))
        assert await bench.state() is None

    async def test_every_command_is_safe_to_repeat(self, bench: Bench) -> None:
        await bench.connect()
        uuid = bench.domain.uuid
        for _ in range(2):
            assert (await bench.ask(StartVm(domain=bench.domain))).state is VmState.RUNNING
        for _ in range(2):
            assert (await bench.ask(PauseVm(uuid=uuid))).state is VmState.PAUSED
        for _ in range(2):
            assert (await bench.ask(ResumeVm(uuid=uuid))).state is VmState.RUNNING
        for _ in range(2):
            stopped = await bench.ask(StopVm(uuid=uuid, grace=False, grace_seconds=1.0))
            assert stopped.state is VmState.STOPPED
        for _ in range(2):
            await bench.ask(DestroyVm(uuid=uuid))
        assert await bench.state() is None

    async def test_what_is_not_there_is_stopped_and_destroyed_already(self, bench: Bench) -> None:
        await bench.connect()
        unknown = "e" * 32
        stopped = await bench.ask(StopVm(uuid=unknown, grace=False, grace_seconds=1.0))
        assert stopped == VmStatus(uuid=unknown, state=VmState.STOPPED)
        await bench.ask(DestroyVm(uuid=unknown))

    async def test_a_running_vm_can_be_seen_and_typed_at(self, bench: Bench) -> None:
        await bench.connect()
        uuid = bench.domain.uuid
        await bench.ask(StartVm(domain=bench.domain))
        async with await bench.driver.open(OpenChannel(uuid=uuid, channel=Channel.DISPLAY)) as display:
            with trio.fail_after(WITHIN):
                assert await display.receive_some(12) == b"RFB 003.008\n"
                await display.send_all(b"RFB 003.008\n")
                assert await display.receive_some(1), "the kinds of security"
        async with await bench.driver.open(OpenChannel(uuid=uuid, channel=Channel.SERIAL)) as serial:
            with trio.fail_after(WITHIN):
                await serial.send_all(b"\r")
                assert await serial.receive_some(), "a guest that boots says so, and a simulated one echoes"
        await bench.ask(DestroyVm(uuid=uuid))

    async def test_a_channel_to_a_vm_that_is_off_is_refused(self, bench: Bench) -> None:
        await bench.connect()
        for channel in Channel:
            with pytest.raises(HostCommandFailed, match=bench.domain.uuid):
                await bench.driver.open(OpenChannel(uuid=bench.domain.uuid, channel=channel))

    async def test_what_needs_a_running_vm_says_so(self, bench: Bench) -> None:
        await bench.connect()
        uuid = bench.domain.uuid
        for command in (PauseVm(uuid=uuid), ResumeVm(uuid=uuid), RebootVm(uuid=uuid, grace_seconds=1.0)):
            with pytest.raises(HostCommandFailed, match=uuid):
                await bench.driver.ask(command)
        with pytest.raises(HostCommandFailed, match=uuid):
            await bench.ask(VmConsole(uuid=uuid))

    async def test_a_vm_that_cannot_start_is_not_left_half_started(self, bench: Bench) -> None:
        await bench.connect()
        with pytest.raises(HostCommandFailed):
            await bench.ask(StartVm(domain=bench.missing_disk))
        assert await bench.state() in (VmState.STOPPED, None)
        await bench.ask(DestroyVm(uuid=bench.domain.uuid))
        assert await bench.state() is None

    async def test_a_guest_that_goes_off_by_itself_is_noticed(self, bench: Bench) -> None:
        await bench.connect()
        heard: list[HostNotice] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, bench.driver, heard)
            await trio.testing.wait_all_tasks_blocked()
            await bench.ask(StartVm(domain=bench.domain))
            bench.power_off(bench.domain.uuid)
            await eventually(lambda: _stopped(heard, bench.domain.uuid), within=WITHIN)
            nursery.cancel_scope.cancel()
        assert await bench.state() in (VmState.STOPPED, None)
        await bench.ask(DestroyVm(uuid=bench.domain.uuid))


async def _listen(driver: HostDriver, heard: list[HostNotice]) -> None:
    async for notice in driver.notices():
        heard.append(notice)  # noqa: PERF401 — the list is read while this goes on


def _stopped(heard: list[HostNotice], uuid: str) -> bool:
    changes = [notice for notice in heard if isinstance(notice, VmStateChanged)]
    return any(change.uuid == uuid and change.state is VmState.STOPPED for change in changes)
