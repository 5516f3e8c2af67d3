"""Turns for many parties, so that one with much to do keeps nobody else waiting.

Primitives: `RoundRobin` (a queue that gives one item of each party in turn) and `Fair` (a limit on how many may
do something at once, entered in such turns). A party is an account, as a rule.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class RoundRobin(Generic[T]):
    """A queue of queues: first in, first out for each party, and the parties in turn."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()

    def push(self, party: str, item: T) -> None:
        """Put an item at the end of its party's line."""
        self._lines.setdefault(party, deque()).append(item)

    def pop(self) -> T:
        """The first item of the party whose turn it is; the party goes behind the others.

        Raises:
            IndexError: there is none.
        """
        if not self._lines:
            raise IndexError("nobody waits")
        return self._take(next(iter(self._lines)))

    def pop_of(self, allowed: frozenset[str]) -> T | None:
        """The same among some parties alone; None when none of them waits."""
        party = next((each for each in self._lines if each in allowed), None)
        return None if party is None else self._take(party)

    def remove(self, party: str, item: T) -> None:
        """Take an item out of its line.

        Raises:
            ValueError: it is not there.
        """
        line = self._lines.get(party)
        if line is None:
            raise ValueError(f"{party} has nothing in line")
        line.remove(item)
        if not line:
            del self._lines[party]

    def clear(self) -> None:
        """Forget everything."""
        self._lines.clear()

    @property
    def parties(self) -> frozenset[str]:
        """Those who have something in line."""
        return frozenset(self._lines)

    def __iter__(self) -> Iterator[T]:
        """Every item, party by party."""
        for line in self._lines.values():
            yield from line

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def __bool__(self) -> bool:
        return bool(self._lines)

    def _take(self, party: str) -> T:
        line = self._lines.pop(party)
        item = line.popleft()
        if line:
            self._lines[party] = line
        return item


class Fair:
    """At most `total` at once, and at most `each` of one party, so that there is room left for the next.

    Args:
        total: how many may be in at once.
        each: how many of them may be of one party.
    """

    def __init__(self, total: int, each: int) -> None:
        self._total = total
        self._each = each
        self._inside: dict[str, int] = {}
        self._count = 0
        self._waiting: RoundRobin[_Waiter] = RoundRobin()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @property
    def inside(self) -> int:
        """How many are in now."""
        return self._count

    @asynccontextmanager
    async def turn(self, party: str) -> AsyncIterator[None]:
        """Wait for one of the places and hold it for the length of the block."""
        await self.enter(party)
        try:
            yield
        finally:
            self.leave(party)

    async def enter(self, party: str) -> None:
        """Wait for a place and hold it until `leave`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._has_room(party) and party not in self._waiting.parties:
            self._admit(party)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        waiter = _Waiter(party, trio.lowlevel.current_task())
        self._waiting.push(party, waiter)

        def withdraw(_: object) -> trio.lowlevel.Abort:
            self._waiting.remove(party, waiter)
            return trio.lowlevel.Abort.SUCCEEDED

        # Whoever lets it in has counted it already, so that no newcomer overtakes.
        await trio.lowlevel.wait_task_rescheduled(withdraw)

    def leave(self, party: str) -> None:
        """Give a place back."""
        self._count -= 1
        self._inside[party] -= 1
        if not self._inside[party]:
            del self._inside[party]
        while self._count < self._total:
            waiter = self._waiting.pop_of(frozenset(filter(self._has_room, self._waiting.parties)))
            if waiter is None:
                return
            self._admit(waiter.party)
            trio.lowlevel.reschedule(waiter.task)

    def _has_room(self, party: str) -> bool:
        return self._count < self._total and self._inside.get(party, 0) < self._each

    def _admit(self, party: str) -> None:
        self._count += 1
        self._inside[party] = self._inside.get(party, 0) + 1


class _Waiter:
    """A task in line."""

    __slots__ = ("party", "task")

    def __init__(self, party: str, task: trio.lowlevel.Task) -> None:
        self.party = party
        self.task = task
