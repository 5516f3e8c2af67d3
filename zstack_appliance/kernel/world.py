"""What the outside world gives: time and randomness, passed in so that a test can own both."""

from __future__ import annotations

import random
import time
import uuid
from datetime import UTC, datetime
from typing import Protocol

import trio


class Clock(Protocol):
    """Wall-clock time."""

    def millis(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


class WallClock:
    """The machine's clock."""

    def millis(self) -> int:
        """Milliseconds since 1970-01-01 UTC, as the machine has it."""
        return time.time_ns() // 1_000_000


class TrioClock:
    """Time that moves with trio's clock, so that a virtual one moves dates too.

    Args:
        epoch: milliseconds UTC at trio's time 0.
    """

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch

    def millis(self) -> int:
        """The epoch plus trio's current time."""
        return self._epoch + int(trio.current_time() * 1000)


class Entropy:
    """Random values: `random.SystemRandom` in production, a seeded `random.Random` in tests."""

    def __init__(self, source: random.Random) -> None:
        self._source = source

    def uuid(self) -> str:
        """32 lower-case hexadecimal digits, version 4."""
        return uuid.UUID(int=self._source.getrandbits(128), version=4).hex

    def hex(self, digits: int) -> str:
        """This many lower-case hexadecimal digits."""
        return f"{self._source.getrandbits(4 * digits):0{digits}x}"

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        return self._source.randrange(bound)


def rfc3339(millis: int) -> str:
    """Milliseconds since 1970-01-01 UTC as our own doors print them: ``2026-11-27T22:48:16.250Z``."""
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
