"""What libvirt says about domains, in our words: states, changes of state, and waiting for one.

Pure but for `DomainWatch`. The numbers are libvirt's stable ABI, written out so that nothing here imports
libvirt; a test holds them against the library.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, IntEnum, auto

import trio

from zstack_appliance.cloud.host.driver import VmState


class Lifecycle(IntEnum):
    """virDomainEventType, as far as it tells of a change of state."""

    STARTED = 2
    SUSPENDED = 3
    RESUMED = 4
    STOPPED = 5
    PMSUSPENDED = 7
    CRASHED = 8


STOPPED_MIGRATED = 3
"""The detail of a STOPPED that only means: it runs on elsewhere."""

_STATES = {
    Lifecycle.STARTED: VmState.RUNNING,
    Lifecycle.SUSPENDED: VmState.PAUSED,
    Lifecycle.RESUMED: VmState.RUNNING,
    Lifecycle.STOPPED: VmState.STOPPED,
    Lifecycle.PMSUSPENDED: VmState.PAUSED,
    Lifecycle.CRASHED: VmState.CRASHED,
}

_REASONS = {
    Lifecycle.STARTED: ("booted", "migrated", "restored", "from snapshot", "woken up"),
    Lifecycle.SUSPENDED: ("paused", "migrated", "I/O error", "watchdog", "restored", "from snapshot"),
    Lifecycle.RESUMED: ("unpaused", "migrated", "from snapshot"),
    Lifecycle.STOPPED: ("shut down", "destroyed", "crashed", "migrated", "saved", "failed", "from snapshot"),
    Lifecycle.PMSUSPENDED: ("sleeps in memory", "sleeps on disk"),
    Lifecycle.CRASHED: ("panicked", "crash kernel loaded"),
}

_DOMAIN_STATES = {
    0: VmState.NO_STATE,
    1: VmState.RUNNING,
    2: VmState.RUNNING,  # blocked on a resource
    3: VmState.PAUSED,
    4: VmState.RUNNING,  # shutting down: it is stopped once it is off
    5: VmState.STOPPED,
    6: VmState.CRASHED,
    7: VmState.PAUSED,  # suspended by its own power management
}


@dataclass(frozen=True, slots=True)
class Change:
    """A domain came into a state."""

    state: VmState
    reason: str


def state_of(domain_state: int) -> VmState:
    """A virDomainState in our words; an unknown one is `VmState.NO_STATE`."""
    return _DOMAIN_STATES.get(domain_state, VmState.NO_STATE)


def change_of(event: int, detail: int) -> Change | None:
    """A lifecycle event in our words, or None when it changes no state of a domain on this host."""
    if event not in _STATES or (event == Lifecycle.STOPPED and detail == STOPPED_MIGRATED):
        return None
    kind = Lifecycle(event)
    reasons = _REASONS[kind]
    return Change(_STATES[kind], reasons[detail] if detail < len(reasons) else f"detail {detail}")


class Happening(Enum):
    """What a command waits for after it has asked a guest for it."""

    STOPPED = auto()
    RESET = auto()


class DomainWatch:
    """Tells those who wait for it that something happened to a domain."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, Happening], set[trio.Event]] = {}

    @contextmanager
    def expect(self, uuid: str, *happenings: Happening) -> Iterator[trio.Event]:
        """An event that is set once one of these happens.

        Enter before asking the guest for it, or the answer may be missed.
        """
        event = trio.Event()
        keys = [(uuid, happening) for happening in happenings]
        for key in keys:
            self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            for key in keys:
                self._waiting[key].discard(event)
                if not self._waiting[key]:
                    del self._waiting[key]

    def happened(self, uuid: str, happening: Happening) -> None:
        """Wake everyone who waits for this."""
        for event in self._waiting.get((uuid, happening), ()):
            event.set()
