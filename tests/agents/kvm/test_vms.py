"""VMs on a KVM host over a fake libvirt, through the link: files, grace, and what is left behind."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from agents.kvm.vms import ASK_AGAIN_SECONDS
from tests.agents.kvm.conftest import FakeHost
from tests.agents.kvm.fake_libvirt import RUNNING
from zstack_appliance.cloud.host.driver import (
    DestroyVm,
    DomainSpec,
    ListVms,
    PauseVm,
    RebootVm,
    ResumeVm,
    SeedSpec,
    StartVm,
    StopVm,
    VmConsole,
    VmState,
    VmStatus,
    VncAddress,
)
from zstack_appliance.kernel.remote import HostCommandFailed

UUID = "0123456789abcdef0123456789abcdef"
SPEC = DomainSpec(uuid=UUID, name="web", vcpus=1, memory=2**26, seed=SeedSpec(hostname="web"))
RUNS, STOPPED = VmStatus(uuid=UUID, state=VmState.RUNNING), VmStatus(uuid=UUID, state=VmState.STOPPED)


async def test_a_started_vm_has_its_seed_and_its_log_in_its_folder(fake: FakeHost) -> None:
    assert await fake.link.ask(StartVm(domain=SPEC)) == RUNS
    folder = fake.data / "vms" / UUID
    assert b'local-hostname: "web"' in (folder / "seed.iso").read_bytes()
    assert folder.stat().st_mode & 0o777 == 0o711
    xml = fake.connection.domain(UUID).xml
    assert f'source file="{folder}/seed.iso"' in xml
    assert f'log file="{folder}/console.log"' in xml
    assert 'instance="a1b2c3"' in xml


async def test_the_seed_of_a_vm_that_runs_is_not_touched(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    seed = fake.data / "vms" / UUID / "seed.iso"
    seed.unlink()
    assert await fake.link.ask(StartVm(domain=SPEC)) == RUNS
    assert not seed.exists()


async def test_a_vm_without_a_seed_has_none(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=DomainSpec(uuid=UUID, name="x", vcpus=1, memory=2**26)))
    assert list((fake.data / "vms" / UUID).iterdir()) == []


async def test_a_start_that_fails_leaves_nothing(fake: FakeHost) -> None:
    fake.connection.start_fault = "Cannot get interface MTU on 'zb1': No such device"
    with pytest.raises(HostCommandFailed, match="No such device"):
        await fake.link.ask(StartVm(domain=SPEC))
    assert list((fake.data / "vms").iterdir()) == []
    assert not fake.connection.domains


async def test_a_start_that_fails_keeps_the_folder_of_a_vm_that_was_there(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    await fake.link.ask(StopVm(uuid=UUID))
    fake.connection.start_fault = "no"
    with pytest.raises(HostCommandFailed):
        await fake.link.ask(StartVm(domain=SPEC))
    assert (fake.data / "vms" / UUID / "seed.iso").exists()


async def test_a_full_disk_is_said_in_words(fake: FakeHost) -> None:
    (fake.data / "vms").write_text("in the way")
    with pytest.raises(HostCommandFailed, match=f"cannot prepare VM {UUID}: Not a directory"):
        await fake.link.ask(StartVm(domain=SPEC))


@pytest.mark.parametrize("uuid", ["../../etc", "A" * 32, ""])
async def test_only_a_uuid_names_a_folder(fake: FakeHost, uuid: str) -> None:
    with pytest.raises(HostCommandFailed, match="is not a uuid"):
        await fake.link.ask(DestroyVm(uuid=uuid))


async def test_a_guest_that_obeys_is_stopped_at_once(fake: FakeHost, autojump_clock: MockClock) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    assert await fake.link.ask(StopVm(uuid=UUID)) == STOPPED
    assert trio.current_time() == 0
    assert fake.connection.calls.count("shutdown") == 1


async def test_a_deaf_guest_is_asked_again_and_then_stopped_the_hard_way(
    fake: FakeHost, autojump_clock: MockClock
) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    fake.connection.domain(UUID).obedient = False
    assert await fake.link.ask(StopVm(uuid=UUID, grace_seconds=12)) == STOPPED
    assert trio.current_time() == 12
    assert fake.connection.calls.count("shutdown") == 3


async def test_a_guest_that_hears_the_second_time_is_waited_for_no_longer(
    fake: FakeHost, autojump_clock: MockClock
) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    domain = fake.connection.domain(UUID)
    domain.obedient = False

    async def boot() -> None:
        await trio.sleep(1)
        domain.obedient = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(boot)
        assert await fake.link.ask(StopVm(uuid=UUID)) == STOPPED
    assert trio.current_time() == ASK_AGAIN_SECONDS


async def test_a_cold_stop_asks_nobody(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    assert await fake.link.ask(StopVm(uuid=UUID, grace=False)) == STOPPED
    assert "shutdown" not in fake.connection.calls


async def test_a_paused_guest_is_stopped_without_waiting(fake: FakeHost, autojump_clock: MockClock) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    await fake.link.ask(PauseVm(uuid=UUID))
    assert await fake.link.ask(StopVm(uuid=UUID)) == STOPPED
    assert trio.current_time() == 0


async def test_stopping_what_is_not_there_is_done_already(fake: FakeHost, autojump_clock: MockClock) -> None:
    assert await fake.link.ask(StopVm(uuid=UUID)) == STOPPED
    assert trio.current_time() == 0


async def test_a_destroyed_vm_leaves_nothing_and_may_be_destroyed_again(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    for _ in range(2):
        await fake.link.ask(DestroyVm(uuid=UUID))
        assert list((fake.data / "vms").iterdir()) == []
        assert not fake.connection.domains


async def test_a_guest_that_obeys_is_rebooted_without_a_reset(fake: FakeHost, autojump_clock: MockClock) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    assert await fake.link.ask(RebootVm(uuid=UUID)) == RUNS
    assert trio.current_time() == 0
    assert "reset" not in fake.connection.calls


async def test_a_deaf_guest_is_reset(fake: FakeHost, autojump_clock: MockClock) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    fake.connection.domain(UUID).obedient = False
    assert await fake.link.ask(RebootVm(uuid=UUID, grace_seconds=7)) == RUNS
    assert trio.current_time() == 7
    assert fake.connection.calls.count("reset") == 1


async def test_a_guest_that_powers_off_in_place_of_rebooting_is_started_again(
    fake: FakeHost, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    domain = fake.connection.domain(UUID)
    monkeypatch.setattr(domain, "reboot", domain.powers_off)
    assert await fake.link.ask(RebootVm(uuid=UUID)) == RUNS
    assert (trio.current_time(), domain.current) == (0, RUNNING)


async def test_only_what_runs_can_be_rebooted(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    await fake.link.ask(StopVm(uuid=UUID))
    with pytest.raises(HostCommandFailed, match="is Stopped on this host; start it"):
        await fake.link.ask(RebootVm(uuid=UUID))


async def test_pause_resume_console_and_list(fake: FakeHost) -> None:
    await fake.link.ask(StartVm(domain=SPEC))
    assert (await fake.link.ask(PauseVm(uuid=UUID))).state is VmState.PAUSED
    assert (await fake.link.ask(ListVms())).vms == (VmStatus(uuid=UUID, state=VmState.PAUSED),)
    assert (await fake.link.ask(ResumeVm(uuid=UUID))).state is VmState.RUNNING
    assert await fake.link.ask(VmConsole(uuid=UUID)) == VncAddress(host="127.0.0.1", port=5907)
