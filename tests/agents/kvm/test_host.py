"""A KVM host as a transport sees it: bytes, notices, and the host halves of other drivers."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import ClassVar

import pytest

from agents.kvm.accel import Machine
from agents.kvm.host import KVM, KvmHost, table
from agents.kvm.runtime import KvmRuntime
from tests.agents.kvm.conftest import FakeHost
from tests.agents.kvm.fake_libvirt import FakeLibvirt
from zstack_appliance.cloud.host.driver import (
    Connect,
    DestroyVm,
    DomainSpec,
    HostNotice,
    NoticesLost,
    PauseVm,
    Ping,
    StartVm,
    StopVm,
    VmState,
    VmStateChanged,
)
from zstack_appliance.cloud.host.wire import encode, read_answer
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostSide, HostUnreachable

UUID = "1" * 32
SPEC = DomainSpec(uuid=UUID, name="x", vcpus=1, memory=2**26)


class Measure(Command[int], frozen=True, kw_only=True):
    """A command of some other driver."""

    path: ClassVar[str] = "test/measure"
    amount: int


async def measure(command: Measure, runtime: KvmRuntime) -> int:
    """Says how far it is, and answers with what it was given."""
    runtime.report(0.5, f"half of {command.amount} on {runtime.instance}")
    return command.amount


async def said(fake: FakeHost, count: int) -> list[HostNotice]:
    found: list[HostNotice] = []
    async with aclosing(fake.host.notices()) as notices:
        async for notice in notices:
            found.append(notice)
            if len(found) == count:
                break
    return found


def changed(state: VmState, reason: str) -> VmStateChanged:
    return VmStateChanged(uuid=UUID, state=state, reason=reason)


async def test_other_drivers_are_served_with_this_hosts_runtime(tmp_path: Path, machine: Machine) -> None:
    host = KvmHost(
        instance="a1b2c3",
        data=tmp_path,
        sides=[HostSide(real={Measure: measure})],
        machine=machine,
        libvirt=FakeLibvirt,
    )
    heard: list[tuple[float | None, str]] = []
    command = Measure(amount=7)
    answer = await host.serve(Measure.path, encode(command), lambda *what: heard.append(what))
    assert read_answer(command, answer) == 7
    assert heard == [(0.5, "half of 7 on a1b2c3")]


def test_two_commands_at_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="both served at test/measure"):
        table([HostSide(real={Measure: measure}), HostSide(real={Measure: measure})])


def test_every_command_of_the_contract_has_a_handler() -> None:
    declared = {command for command in Command.__subclasses__() if command.__module__ == Connect.__module__}
    assert set(KVM.real) == declared


async def test_a_command_that_nobody_knows_is_an_answer(fake: FakeHost) -> None:
    with pytest.raises(HostCommandFailed, match="knows no command vm/fly"):
        read_answer(Ping(), await fake.host.serve("vm/fly", b"{}"))


async def test_a_command_that_makes_no_sense_is_an_answer(fake: FakeHost) -> None:
    answer = await fake.host.serve(StopVm.path, b'{"uuid":1}')
    with pytest.raises(HostCommandFailed, match=r"vm/stop: Expected `str`, got `int`"):
        read_answer(Ping(), answer)


async def test_what_happens_to_ours_is_said_once_for_each_change(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    await fake.link.ask(PauseVm(uuid=UUID))
    await fake.link.ask(StartVm(domain=SPEC))
    fake.connection.domain(UUID).powers_off()
    assert await said(fake, 3) == [
        changed(VmState.RUNNING, "unpaused"),
        changed(VmState.PAUSED, "paused"),
        changed(VmState.STOPPED, "shut down"),
    ]


async def test_what_happens_to_strangers_is_not_said(fake: FakeHost) -> None:
    fake.host.lifecycle("f" * 32, 5, 0)
    await fake.link.ask(StartVm(domain=SPEC))
    assert await said(fake, 1) == [changed(VmState.RUNNING, "unpaused")]


async def test_vms_of_an_earlier_process_are_known_after_the_connection(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    later = KvmHost(instance="a1b2c3", data=fake.data, machine=fake.machine, libvirt=lambda _listener: fake.libvirt)
    read_answer(Connect(), await later.serve(Connect.path, b"{}"))
    later.lifecycle(UUID, 5, 1)
    async with aclosing(later.notices()) as notices:
        assert await anext(notices) == changed(VmState.STOPPED, "destroyed")


async def test_a_destroyed_vm_is_not_ours_any_more(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    await fake.link.ask(DestroyVm(uuid=UUID))
    fake.host.lifecycle(UUID, 2, 0)
    fake.host.lost()
    assert [type(notice) for notice in await said(fake, 3)] == [VmStateChanged, VmStateChanged, NoticesLost]


async def test_after_a_loss_every_state_is_news(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    fake.host.lost()
    fake.host.lifecycle(UUID, 2, 0)
    assert await said(fake, 3) == [
        changed(VmState.RUNNING, "unpaused"),
        NoticesLost(reason="the connection to libvirtd was lost"),
        changed(VmState.RUNNING, "booted"),
    ]


async def test_a_libvirtd_that_does_not_answer_makes_the_host_unreachable(fake: FakeHost) -> None:
    fake.libvirt.failure = HostUnreachable("no libvirtd")
    for attempt in (fake.host.connect(), fake.host.serve(Ping.path, b"{}")):
        with pytest.raises(HostUnreachable, match="no libvirtd"):
            await attempt
