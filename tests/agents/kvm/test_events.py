"""libvirt's events in our words, held against the library's own numbers."""

from __future__ import annotations

import libvirt
import pytest

from agents.kvm.events import STOPPED_MIGRATED, Change, DomainWatch, Happening, Lifecycle, change_of, state_of
from zstack_appliance.cloud.host.driver import VmState


@pytest.mark.parametrize("event", list(Lifecycle))
def test_the_numbers_are_libvirts(event: Lifecycle) -> None:
    assert getattr(libvirt, f"VIR_DOMAIN_EVENT_{event.name}") == event


@pytest.mark.parametrize(
    ("event", "detail", "change"),
    [
        ("STARTED", "STARTED_BOOTED", Change(VmState.RUNNING, "booted")),
        ("STARTED", "STARTED_MIGRATED", Change(VmState.RUNNING, "migrated")),
        ("SUSPENDED", "SUSPENDED_PAUSED", Change(VmState.PAUSED, "paused")),
        ("SUSPENDED", "SUSPENDED_IOERROR", Change(VmState.PAUSED, "I/O error")),
        ("SUSPENDED", "SUSPENDED_API_ERROR", Change(VmState.PAUSED, "detail 6")),
        ("RESUMED", "RESUMED_UNPAUSED", Change(VmState.RUNNING, "unpaused")),
        ("STOPPED", "STOPPED_SHUTDOWN", Change(VmState.STOPPED, "shut down")),
        ("STOPPED", "STOPPED_DESTROYED", Change(VmState.STOPPED, "destroyed")),
        ("STOPPED", "STOPPED_CRASHED", Change(VmState.STOPPED, "crashed")),
        ("STOPPED", "STOPPED_FAILED", Change(VmState.STOPPED, "failed")),
        ("STOPPED", "STOPPED_MIGRATED", None),
        ("CRASHED", "CRASHED_PANICKED", Change(VmState.CRASHED, "panicked")),
        ("PMSUSPENDED", "PMSUSPENDED_MEMORY", Change(VmState.PAUSED, "sleeps in memory")),
        ("SHUTDOWN", "SHUTDOWN_GUEST", None),
        ("DEFINED", "DEFINED_ADDED", None),
    ],
)
def test_a_lifecycle_event_is_a_change_of_state(event: str, detail: str, change: Change | None) -> None:
    numbers = (getattr(libvirt, f"VIR_DOMAIN_EVENT_{word}") for word in (event, detail))
    assert change_of(*numbers) == change


def test_a_domain_that_left_is_not_stopped() -> None:
    assert libvirt.VIR_DOMAIN_EVENT_STOPPED_MIGRATED == STOPPED_MIGRATED


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (libvirt.VIR_DOMAIN_NOSTATE, VmState.NO_STATE),
        (libvirt.VIR_DOMAIN_RUNNING, VmState.RUNNING),
        (libvirt.VIR_DOMAIN_BLOCKED, VmState.RUNNING),
        (libvirt.VIR_DOMAIN_PAUSED, VmState.PAUSED),
        (libvirt.VIR_DOMAIN_SHUTDOWN, VmState.RUNNING),
        (libvirt.VIR_DOMAIN_SHUTOFF, VmState.STOPPED),
        (libvirt.VIR_DOMAIN_CRASHED, VmState.CRASHED),
        (libvirt.VIR_DOMAIN_PMSUSPENDED, VmState.PAUSED),
        (99, VmState.NO_STATE),
    ],
)
def test_every_domain_state_has_a_word(number: int, state: VmState) -> None:
    assert state_of(number) is state


def test_waiting_hears_of_its_own_domain_and_happening_alone() -> None:
    watch = DomainWatch()
    with watch.expect("a", Happening.STOPPED) as stopped, watch.expect("a", *Happening) as either:
        watch.happened("b", Happening.STOPPED)
        assert not stopped.is_set()
        watch.happened("a", Happening.RESET)
        assert either.is_set()
        assert not stopped.is_set()
        watch.happened("a", Happening.STOPPED)
        assert stopped.is_set()


def test_waiting_leaves_nothing_behind() -> None:
    watch = DomainWatch()
    with watch.expect("a", *Happening), watch.expect("a", *Happening):
        pass
    assert not watch._waiting
