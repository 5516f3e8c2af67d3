"""Domains: ours are found by their mark, strangers are left alone, and a start is three round trips."""

from __future__ import annotations

from pathlib import Path

import libvirt
import pytest

from agents.kvm.connection import DomainListener
from agents.kvm.domain_xml import DomainFiles, domain_xml
from agents.kvm.domains import Domains
from tests.agents.kvm.fake_libvirt import CRASHED, PAUSED, RUNNING, SHUTOFF, FakeConnection, FakeDomain
from zstack_appliance.cloud.host.driver import Accelerator, DomainSpec, VmState, VmStatus, VncAddress
from zstack_appliance.kernel.remote import HostCommandFailed

UUID = "0123456789abcdef0123456789abcdef"


class Deaf(DomainListener):
    """Hears nothing."""

    def lifecycle(self, uuid: str, event: int, detail: int) -> None:
        """Nothing."""

    def reset(self, uuid: str) -> None:
        """Nothing."""

    def lost(self) -> None:
        """Nothing."""


@pytest.fixture
def connection() -> FakeConnection:
    """A libvirt without domains."""
    return FakeConnection(Deaf())


@pytest.fixture
def domains(connection: FakeConnection) -> Domains:
    """Ours on it."""
    return Domains(connection, "a1b2c3")


def xml(instance: str = "a1b2c3", uuid: str = UUID) -> str:
    spec = DomainSpec(uuid=uuid, name="x", vcpus=1, memory=2**26)
    files = DomainFiles(console_log=Path("/log"), seed=None)
    return domain_xml(spec, instance=instance, accelerator=Accelerator.TCG, files=files)


def started(domains: Domains, connection: FakeConnection) -> FakeDomain:
    domains.start(UUID, xml)
    return connection.domain(UUID)


def test_a_start_is_three_round_trips(domains: Domains, connection: FakeConnection) -> None:
    assert domains.start(UUID, xml) is VmState.RUNNING
    assert connection.calls == ["lookup", "define", "create"]
    assert connection.domain(UUID).current == RUNNING


@pytest.mark.parametrize(("number", "state"), [(RUNNING, VmState.RUNNING), (PAUSED, VmState.PAUSED)])
def test_what_runs_or_is_paused_is_not_started_again(
    domains: Domains, connection: FakeConnection, number: int, state: VmState
) -> None:
    started(domains, connection).current = number
    assert domains.start(UUID, lambda: pytest.fail("described")) is state
    assert connection.calls.count("create") == 1


@pytest.mark.parametrize("number", [SHUTOFF, CRASHED])
def test_what_has_ended_is_described_anew_and_started(
    domains: Domains, connection: FakeConnection, number: int
) -> None:
    domain = started(domains, connection)
    domain.current = number
    assert domains.start(UUID, lambda: xml().replace("<vcpu>1", "<vcpu>3")) is VmState.RUNNING
    assert "<vcpu>3" in domain.xml


def test_a_start_that_fails_leaves_nothing_new(domains: Domains, connection: FakeConnection) -> None:
    connection.start_fault = "no bridge"
    with pytest.raises(libvirt.libvirtError, match="no bridge"):
        domains.start(UUID, xml)
    assert not connection.domains


def test_a_start_that_fails_keeps_what_was_there(domains: Domains, connection: FakeConnection) -> None:
    started(domains, connection).powers_off()
    connection.start_fault = "no bridge"
    with pytest.raises(libvirt.libvirtError, match="no bridge"):
        domains.start(UUID, xml)
    assert domains.state(UUID) is VmState.STOPPED


@pytest.mark.parametrize(
    "act",
    [
        lambda d: d.start(UUID, xml),
        lambda d: d.shutdown(UUID),
        lambda d: d.kill(UUID),
        lambda d: d.remove(UUID),
        lambda d: d.restart(UUID),
        lambda d: d.pause(UUID),
        lambda d: d.console(UUID),
    ],
)
@pytest.mark.parametrize("mark", ["another instance", "no mark"])
def test_a_stranger_is_never_touched(domains: Domains, connection: FakeConnection, act: object, mark: str) -> None:
    described = xml(instance="ffffff") if mark == "another instance" else xml().replace("metadata", "elsewhere")
    stranger = connection.defineXML(described)
    stranger.current = RUNNING
    connection.calls.clear()
    with pytest.raises(HostCommandFailed, match="is not of this appliance"):
        act(domains)  # type: ignore[operator] # one of the lambdas above
    assert (stranger.current, connection.calls) == (RUNNING, ["lookup"])


def test_the_list_tells_ours_from_strangers(domains: Domains, connection: FakeConnection) -> None:
    domains.start(UUID, xml)
    for number in (2, 1):
        connection.defineXML(xml(instance="ffffff", uuid=str(number) * 32))
    found = domains.list()
    assert found.vms == (VmStatus(uuid=UUID, state=VmState.RUNNING),)
    assert found.strangers == ("1" * 32, "2" * 32)


def test_killing_and_removing_may_be_repeated(domains: Domains, connection: FakeConnection) -> None:
    started(domains, connection)
    assert domains.kill(UUID) is VmState.STOPPED
    assert domains.kill(UUID) is VmState.STOPPED
    domains.remove(UUID)
    domains.remove(UUID)
    assert domains.kill(UUID) is VmState.STOPPED
    assert domains.state(UUID) is None


def test_a_running_domain_is_removed_at_once(domains: Domains, connection: FakeConnection) -> None:
    started(domains, connection)
    domains.remove(UUID)
    assert not connection.domains


@pytest.mark.parametrize("number", [PAUSED, SHUTOFF])
def test_only_a_running_guest_is_asked(domains: Domains, connection: FakeConnection, number: int) -> None:
    started(domains, connection).current = number
    assert domains.shutdown(UUID) is not VmState.RUNNING
    assert domains.ask_reboot(UUID) is not VmState.RUNNING
    assert not {"shutdown", "reboot"} & set(connection.calls)


def test_a_guest_that_powers_off_while_it_is_asked_counts_as_stopped(
    domains: Domains, connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = started(domains, connection)
    shutdown = domain.shutdown

    def too_late() -> None:
        domain.powers_off()
        shutdown()

    monkeypatch.setattr(domain, "shutdown", too_late)
    assert domains.shutdown(UUID) is VmState.STOPPED


def test_a_refusal_that_is_no_race_is_told(
    domains: Domains, connection: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = started(domains, connection)
    monkeypatch.setattr(domain, "_need", lambda *states: FakeDomain._need(domain))
    with pytest.raises(libvirt.libvirtError, match="wrong state"):
        domains.shutdown(UUID)


def test_a_restart_resets_what_runs_and_starts_what_is_off(domains: Domains, connection: FakeConnection) -> None:
    domain = started(domains, connection)
    assert domains.restart(UUID) is VmState.RUNNING
    assert connection.calls[-1] == "reset"
    domain.powers_off()
    assert domains.restart(UUID) is VmState.RUNNING
    assert domain.current == RUNNING


def test_pausing_and_resuming_may_be_repeated(domains: Domains, connection: FakeConnection) -> None:
    domain = started(domains, connection)
    for _ in range(2):
        assert domains.pause(UUID) is VmState.PAUSED
        assert domain.current == PAUSED
    for _ in range(2):
        assert domains.resume(UUID) is VmState.RUNNING
        assert domain.current == RUNNING


@pytest.mark.parametrize("act", ["pause", "resume", "console"])
def test_what_needs_a_running_vm_says_so(domains: Domains, connection: FakeConnection, act: str) -> None:
    with pytest.raises(HostCommandFailed, match=f"VM {UUID} is not there on this host; start it to be"):
        domains.check_alive(UUID, "to be looked at")
    with pytest.raises(HostCommandFailed, match="is not there on this host"):
        getattr(domains, act)(UUID)
    started(domains, connection).powers_off()
    with pytest.raises(HostCommandFailed, match="is Stopped on this host"):
        getattr(domains, act)(UUID)


def test_the_console_is_where_libvirt_put_it(domains: Domains, connection: FakeConnection) -> None:
    domain = started(domains, connection)
    assert domains.console(UUID) == VncAddress(host="127.0.0.1", port=5907)
    domain.xml = domain.xml.replace("<graphics", "<no-graphics")
    with pytest.raises(HostCommandFailed, match="has no VNC display"):
        domains.console(UUID)
