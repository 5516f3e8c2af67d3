"""The local link: nothing crosses it that could not cross a network."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path
from typing import ClassVar

import pytest

from agents.kvm.accel import Machine
from agents.kvm.host import KvmHost
from agents.kvm.local import LocalLink
from agents.kvm.runtime import KvmRuntime
from tests.agents.kvm.conftest import FakeHost
from tests.agents.kvm.fake_libvirt import FakeLibvirt
from zstack_appliance.cloud.host.driver import DomainSpec, HostDriver, StartVm, VmState, VmStateChanged
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostSide


class Echo(Command[list[int]], frozen=True, kw_only=True):
    """Answers with what it was given."""

    path: ClassVar[str] = "test/echo"
    numbers: list[int]
    fault: str | None = None


@pytest.fixture
def seen() -> list[Echo]:
    """The commands as they arrived."""
    return []


@pytest.fixture
def link(tmp_path: Path, machine: Machine, seen: list[Echo]) -> HostDriver:
    """A link to a host that can echo; it is a `HostDriver`, which mypy checks here."""

    async def echo(command: Echo, runtime: KvmRuntime) -> list[int]:
        seen.append(command)
        runtime.report(None, "echoing")
        if command.fault is not None:
            raise HostCommandFailed(command.fault)
        return command.numbers

    sides = [HostSide(real={Echo: echo})]
    return LocalLink(KvmHost(instance="a1b2c3", data=tmp_path, sides=sides, machine=machine, libvirt=FakeLibvirt))


async def test_what_arrives_is_a_copy_and_so_is_the_reply(link: HostDriver, seen: list[Echo]) -> None:
    command = Echo(numbers=[1, 2])
    reply = await link.ask(command)
    assert reply == command.numbers
    assert reply is not command.numbers
    assert seen[0] == command
    assert seen[0] is not command


async def test_a_failure_crosses_as_text(link: HostDriver) -> None:
    with pytest.raises(HostCommandFailed, match="no space") as failed:
        await link.ask(Echo(numbers=[], fault="no space left on the pool"))
    assert failed.value.__cause__ is None


async def test_what_cannot_be_encoded_does_not_leave(link: HostDriver) -> None:
    with pytest.raises(TypeError):
        await link.ask(Echo(numbers=[object()]))  # type: ignore[list-item] # the point of the test


async def test_progress_is_heard(link: HostDriver) -> None:
    heard: list[tuple[float | None, str]] = []
    await link.ask(Echo(numbers=[]), report=lambda *what: heard.append(what))
    assert heard == [(None, "echoing")]


async def test_connecting_reaches_libvirt(fake: FakeHost) -> None:
    await fake.link.connect()


async def test_notices_cross(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=DomainSpec(uuid="1" * 32, name="x", vcpus=1, memory=2**26)))
    async with aclosing(fake.link.notices()) as notices:
        said = await anext(notices)
    assert said == VmStateChanged(uuid="1" * 32, state=VmState.RUNNING, reason="unpaused")
