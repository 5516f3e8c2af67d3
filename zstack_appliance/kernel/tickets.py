"""Tickets: who has one may open one stream of bytes, once and soon.

Primitives: `Tickets`, `Ticket` and `Grant`. A handler that has checked somebody's rights issues a ticket, and a
door that knows no rights redeems it. They live in this process alone: a restart makes all of them worthless.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trio.abc import Stream

from zstack_appliance.kernel.world import Clock, Entropy

Open = Callable[[], Awaitable[Stream]]
"""Opens the stream; raises a `CloudError` when there is nothing to open any more."""

Holds = Callable[[], bool]
"""Whether whoever was given a ticket still has the right that it stands for."""

MOST = 4096
"""Tickets that may be outstanding; beyond that the oldest is worthless."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a client is given."""

    token: str
    expires: int
    """Milliseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a ticket is good for.

    Args:
        open: opens the stream.
        holds: asked again and again while it is open; once it says no, the door closes it.
    """

    open: Open
    holds: Holds


def _always() -> bool:
    return True


class Tickets:
    """The tickets of this process.

    Args:
        clock: says which have expired.
        entropy: draws tokens that nobody guesses.
    """

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._entropy = entropy
        self._open: dict[str, tuple[int, Grant]] = {}

    def issue(self, stream: Open, seconds: float, holds: Holds = _always) -> Ticket:
        """A ticket for `stream` that is good for so many seconds, and for one opening, as long as `holds` says so."""
        self._sweep()
        ticket = Ticket(self._entropy.uuid() + self._entropy.uuid(), self._clock.millis() + int(seconds * 1000))
        self._open[ticket.token] = (ticket.expires, Grant(stream, holds))
        return ticket

    def redeem(self, token: str) -> Grant | None:
        """What a ticket is good for; None for one that was used, has expired, is no longer held, or never was."""
        expires, grant = self._open.pop(token, (0, None))
        return grant if grant is not None and self._clock.millis() < expires and grant.holds() else None

    def _sweep(self) -> None:
        now = self._clock.millis()
        for token in [token for token, (expires, _) in self._open.items() if expires <= now]:
            del self._open[token]
        while len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
