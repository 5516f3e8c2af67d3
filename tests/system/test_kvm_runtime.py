"""A KVM host with real guests: what the host driver contract says, checked from outside with virsh and ip."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio

from agents.kvm.accel import Machine
from agents.kvm.host import KvmHost
from agents.kvm.libvirtd import Libvirtd
from agents.kvm.local import LocalLink
from agents.kvm.runtime import LocalRuntime
from agents.process import run
from tests.eventually import eventually
from tests.system.guests import BOOT_SECONDS, BRIDGE, Guests
from zstack_appliance.cloud.host.driver import (
    Accelerator,
    AcceleratorChoice,
    Connect,
    DestroyVm,
    DomainSpec,
    HostNotice,
    ListVms,
    NoticesLost,
    PauseVm,
    Ping,
    RebootVm,
    ResumeVm,
    StartVm,
    StopVm,
    Tuning,
    VmConsole,
    VmList,
    VmState,
    VmStateChanged,
    VmStatus,
)
from zstack_appliance.kernel.remote import HostCommandFailed

CONNECT = Connect(accelerator=AcceleratorChoice.TCG)


class Ear:
    """What a host said, and when (trio's clock)."""

    def __init__(self) -> None:
        self.heard: list[tuple[HostNotice, float]] = []

    def states(self) -> list[str]:
        return [said.state.value for said, _ in self.heard if isinstance(said, VmStateChanged)]

    async def when(self, uuid: str, state: VmState) -> float:
        """Wait for the latest change of this VM to be into this state; when it was heard."""

        def heard() -> list[float]:
            mine = [
                (said.state, at) for said, at in self.heard if isinstance(said, VmStateChanged) and said.uuid == uuid
            ]
            return [at for last, at in mine[-1:] if last is state]

        return (await eventually(heard, within=5))[0]


@asynccontextmanager
async def listening(link: LocalLink) -> AsyncIterator[Ear]:
    ear = Ear()

    async def listen() -> None:
        async with aclosing(link.notices()) as notices:
            async for notice in notices:
                ear.heard.append((notice, trio.current_time()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        yield ear
        nursery.cancel_scope.cancel()


async def virsh(*arguments: str) -> str:
    return (await run(["virsh", *arguments])).stdout


async def taps() -> set[str]:
    """What is plugged into the bridge."""
    listed = await run(["ip", "-j", "link", "show", "master", BRIDGE])
    return {link["ifname"] for link in json.loads(listed.stdout)}


def qemu(spec: DomainSpec) -> int | None:
    """The process of a guest."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        words = command.read_bytes().split(b"\0")
        if b"qemu-system" in words[0] and any(spec.uuid.encode() in word for word in words):
            return int(command.parent.name)
    return None


def programs() -> set[str]:
    """The names of all that runs."""
    return {path.read_text().strip() for path in Path("/proc").glob("[0-9]*/comm")}


def console(data: Path, spec: DomainSpec) -> str:
    return (data / "vms" / spec.uuid / "console.log").read_text(errors="replace")


async def booted(tmp_path: Path, spec: DomainSpec) -> None:
    await eventually(lambda: ": ready " in console(tmp_path / "data", spec), within=BOOT_SECONDS)


async def test_a_host_tells_what_it_has(link: LocalLink) -> None:
    facts = await link.ask(CONNECT)
    assert (facts.hostname, facts.architecture) == ("testhost", "x86_64")
    assert facts.cpu_threads == os.cpu_count()
    assert facts.memory == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert facts.accelerator is Accelerator.TCG
    assert facts.libvirt_version in await virsh("version", "--daemon")
    assert facts.qemu_version in (await run(["qemu-system-x86_64", "--version"])).stdout
    pong = await link.ask(Ping())
    assert pong.boot_id == Machine().boot_id()
    assert await link.ask(ListVms()) == VmList(vms=(), strangers=())


async def test_a_vm_from_its_start_to_its_end(link: LocalLink, guests: Guests, tmp_path: Path) -> None:
    spec = await guests.new('<"Überwachung" & Söhne> 東京 🚀')
    running = VmStatus(uuid=spec.uuid, state=VmState.RUNNING)
    async with listening(link) as ear:
        await link.ask(CONNECT)
        assert await link.ask(StartVm(domain=spec)) == running
        process = qemu(spec)
        assert await link.ask(StartVm(domain=spec)) == running
        assert qemu(spec) == process is not None
        assert await link.ask(ListVms()) == VmList(vms=(running,), strangers=(), folders=(spec.uuid,))
        assert await taps() == {spec.nics[0].tap}
        assert spec.name in await virsh("desc", "--title", spec.uuid)
        assert "disable" in await virsh("dominfo", spec.uuid)  # autostart: the appliance decides

        display = await link.ask(VmConsole(uuid=spec.uuid))
        async with await trio.open_tcp_stream(display.host, display.port) as viewer:
            assert (await viewer.receive_some(3)) == b"RFB"

        for _ in range(2):
            assert (await link.ask(PauseVm(uuid=spec.uuid))).state is VmState.PAUSED
        assert "paused" in await virsh("domstate", spec.uuid)
        for _ in range(2):
            assert (await link.ask(ResumeVm(uuid=spec.uuid))).state is VmState.RUNNING

        for _ in range(2):
            assert (await link.ask(StopVm(uuid=spec.uuid, grace=False))).state is VmState.STOPPED
        assert "shut off" in await virsh("domstate", spec.uuid)
        assert (qemu(spec), await taps()) == (None, set())
        assert (await link.ask(ListVms())).vms == (VmStatus(uuid=spec.uuid, state=VmState.STOPPED),)
        with pytest.raises(HostCommandFailed, match="is Stopped on this host"):
            await link.ask(VmConsole(uuid=spec.uuid))

        assert await link.ask(StartVm(domain=spec)) == running
        for _ in range(2):
            await link.ask(DestroyVm(uuid=spec.uuid))
        await eventually(lambda: len(ear.heard) >= 5, within=5)
        assert ear.states()[:5] == ["Running", "Paused", "Running", "Stopped", "Running"]

    assert (await virsh("list", "--all", "--name")).strip() == ""
    assert (qemu(spec), await taps()) == (None, set())
    assert list((tmp_path / "data" / "vms").iterdir()) == []
    assert await trio.Path(spec.disks[0].path).exists(), "volumes are not the host's to remove"


@pytest.mark.parametrize("video", ["cirrus", "vga", "qxl", "virtio"])
async def test_libvirt_takes_every_way_of_making_a_vm(link: LocalLink, guests: Guests, video: str) -> None:
    plain = await guests.new()
    tuning = Tuning(
        cpu_mode="host-model" if video == "qxl" else "Haswell-noTSX" if video == "cirrus" else "none",
        hypervisor_feature=False,
        hidden=True,
        hyperv=True,
        vendor_id="Nobody",
        vmport=False,
        clock_track="guest",
        suspend_to_ram=True,
        video=video,
        boot_menu_millis=10,
    )
    nic = msgspec.structs.replace(plain.nics[0], queues=2)
    disk = msgspec.structs.replace(plain.disks[0], cache="writeback")
    spec = msgspec.structs.replace(plain, vcpus=2, nics=(nic,), disks=(disk,), tuning=tuning)
    await link.ask(CONNECT)
    assert (await link.ask(StartVm(domain=spec))).state is VmState.RUNNING
    assert f"type='{video}'" in await virsh("dumpxml", spec.uuid)
    await link.ask(DestroyVm(uuid=spec.uuid))


async def test_a_start_that_fails_leaves_nothing(link: LocalLink, guests: Guests, tmp_path: Path) -> None:
    spec = await guests.new()
    await run(["ip", "link", "del", BRIDGE])
    with pytest.raises(HostCommandFailed, match=BRIDGE):
        await link.ask(StartVm(domain=spec))
    assert (await virsh("list", "--all", "--name")).strip() == ""
    assert list((tmp_path / "data" / "vms").iterdir()) == []
    assert spec.nics[0].tap not in (await run(["ip", "link"])).stdout


async def test_a_guest_that_powers_off_by_itself_is_noticed(link: LocalLink, guests: Guests) -> None:
    # Its seed tells it to, so this also shows that a guest reads its seed.
    spec = await guests.new(user_data="#!/bin/sh\npoweroff\n")
    await link.ask(CONNECT)
    async with listening(link) as ear:
        await link.ask(StartVm(domain=spec))
        ended = await _end_of(qemu(spec), BOOT_SECONDS)
        said = await ear.when(spec.uuid, VmState.STOPPED)
    assert said - ended < 2
    assert "shut off" in await virsh("domstate", spec.uuid), "it stays until it is destroyed"


async def test_what_virsh_does_is_noticed(link: LocalLink, guests: Guests) -> None:
    spec = await guests.new()
    await link.ask(CONNECT)
    async with listening(link) as ear:
        await link.ask(StartVm(domain=spec))
        asked = trio.current_time()
        await virsh("destroy", spec.uuid)
        said = await ear.when(spec.uuid, VmState.STOPPED)
        assert said - asked < 2
        asked = trio.current_time()
        await virsh("start", spec.uuid)
        said = await ear.when(spec.uuid, VmState.RUNNING)
        assert said - asked < 2
        asked = trio.current_time()
        os.kill(qemu(spec) or 0, signal.SIGKILL)
        said = await ear.when(spec.uuid, VmState.STOPPED)
        assert said - asked < 2


async def test_a_guest_is_rebooted_and_stopped_with_grace(link: LocalLink, guests: Guests, tmp_path: Path) -> None:
    spec = await guests.new()
    await link.ask(CONNECT)
    async with listening(link) as ear:
        await link.ask(StartVm(domain=spec))
        await booted(tmp_path, spec)
        first = console(tmp_path / "data", spec)
        assert (await link.ask(RebootVm(uuid=spec.uuid, grace_seconds=30))).state is VmState.RUNNING
        # The log goes on, or begins anew where the guest powered off and was started again.
        await eventually(
            lambda: console(tmp_path / "data", spec).removeprefix(first).count(": ready ") == 1,
            within=BOOT_SECONDS,
        )
        started = trio.current_time()
        assert (await link.ask(StopVm(uuid=spec.uuid, grace_seconds=30))).state is VmState.STOPPED
        assert trio.current_time() - started < 25, "the guest obeys before its time is up"
        await ear.when(spec.uuid, VmState.STOPPED)
        assert VmStateChanged(uuid=spec.uuid, state=VmState.STOPPED, reason="shut down") in dict(ear.heard)


async def test_a_guest_that_does_not_listen_is_stopped_in_time(link: LocalLink, guests: Guests) -> None:
    spec = await guests.new()
    await link.ask(CONNECT)
    await link.ask(StartVm(domain=spec))
    started = trio.current_time()
    # Its firmware has hardly begun: nobody is there to see the power button.
    assert (await link.ask(StopVm(uuid=spec.uuid, grace_seconds=0.5))).state is VmState.STOPPED
    assert 0.5 <= trio.current_time() - started < 5


async def test_vms_outlive_the_appliance_and_libvirtd(kvm_host: KvmHost, guests: Guests, tmp_path: Path) -> None:
    link, spec = LocalLink(kvm_host), await guests.new()
    await link.ask(CONNECT)
    await link.ask(StartVm(domain=spec))
    process = qemu(spec)
    await kvm_host.aclose()

    second = KvmHost(instance=guests.instance, data=tmp_path / "data")
    link = LocalLink(second)
    running = (VmStatus(uuid=spec.uuid, state=VmState.RUNNING),)
    async with listening(link) as ear:
        await link.ask(CONNECT)
        assert (await link.ask(ListVms())).vms == running
        daemon = int((tmp_path / "data/libvirt/libvirtd.pid").read_text())
        os.kill(daemon, signal.SIGKILL)
        await eventually(lambda: [type(said) for said, _ in ear.heard] == [NoticesLost], within=5)
        await link.ask(CONNECT)
        assert (await link.ask(ListVms())).vms == running
        assert qemu(spec) == process
        # The daemon may still be getting hold of the guest: then libvirt ends it, and yet says that it did not run.
        assert (await link.ask(StopVm(uuid=spec.uuid, grace_seconds=0))).state is VmState.STOPPED
        await ear.when(spec.uuid, VmState.STOPPED)
    await second.aclose()


async def test_our_libvirtd_can_be_ended_and_leaves_the_vms(kvm_host: KvmHost, guests: Guests, tmp_path: Path) -> None:
    link, spec = LocalLink(kvm_host), await guests.new()
    await link.ask(CONNECT)
    await link.ask(StartVm(domain=spec))
    await kvm_host.aclose()
    await Libvirtd(LocalRuntime(instance=guests.instance, data=tmp_path / "data")).stop_private()
    await eventually(lambda: not programs() & {"libvirtd", "bwrap", "tini"}, within=5)
    assert qemu(spec) is not None


async def test_strangers_are_reported_and_left_alone(link: LocalLink, guests: Guests, tmp_path: Path) -> None:
    other = KvmHost(instance="ffffff", data=tmp_path / "other")
    spec = await guests.new()
    await link.ask(CONNECT)
    await LocalLink(other).ask(StartVm(domain=spec))
    assert await link.ask(ListVms()) == VmList(vms=(), strangers=(spec.uuid,))
    with pytest.raises(HostCommandFailed, match="is not of this appliance"):
        await link.ask(StartVm(domain=spec))
    with pytest.raises(HostCommandFailed, match="is not of this appliance"):
        await link.ask(StopVm(uuid=spec.uuid))
    with pytest.raises(HostCommandFailed, match="is not of this appliance"):
        await link.ask(DestroyVm(uuid=spec.uuid))
    assert "running" in await virsh("domstate", spec.uuid)
    await other.aclose()


async def _end_of(pid: int | None, within: float) -> float:
    assert pid is not None
    handle = os.pidfd_open(pid)
    try:
        with trio.fail_after(within):
            await trio.lowlevel.wait_readable(handle)
    finally:
        os.close(handle)
    return trio.current_time()
