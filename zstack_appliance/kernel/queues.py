"""One FIFO queue per resource, in place of locks.

Primitives: `Queues.turn` (wait for your turn on a key, then hold it), `Queues.on_behalf` (act for a chain that
holds keys elsewhere) and `DeadlockError` (you asked for a key in an order that could never be served; raised at
once, naming the chain).

A queue serves one holder at a time unless its level says more: a host serves ten. A handler holds only its
own resource's key; what it calls in turn holds theirs. Because the chain of held keys is known, a call back
to a held key, or a wait that closes a circle between chains, is an error at once instead of a hang. Between
nodes a chain travels with its calls; a circle is seen by either of two nodes that it goes through.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import trio

from zstack_appliance.kernel.errors import Internal
from zstack_appliance.kernel.meter import Measure, Meter, unmetered
from zstack_appliance.kernel.schema import Key


class DeadlockError(Internal):
    """A wait that could never end. It is a defect of the caller: parents call children, never the reverse."""


@dataclass(eq=False)
class _Turn:
    key: Key
    parent: _Turn | None

    def chain(self) -> Iterator[_Turn]:
        turn: _Turn | None = self
        while turn is not None:
            yield turn
            turn = turn.parent


@dataclass
class _Line:
    holders: set[_Turn] = field(default_factory=set)
    arriving: int = 0
    """Turns handed over whose tasks have not run yet; they count as held, or a newcomer would overtake."""
    lot: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)
    idle: trio.Event = field(default_factory=trio.Event)
    """Set once nobody holds the key or waits for it; the line is gone then."""


_current: ContextVar[_Turn | None] = ContextVar("turn", default=None)
"""The innermost turn that the running task holds; child tasks inherit it."""


class Queues:
    """All queues of one node.

    Args:
        level: how many holders a key may have at once, 1 or more; read at every hand-over, so that a
            changed configuration counts from the next turn on.
        meter: is told how long each turn was waited for.
    """

    def __init__(self, level: Callable[[Key], int], meter: Meter = unmetered) -> None:
        self._level = level
        self._meter = meter
        self._lines: dict[Key, _Line] = {}
        self._blocked: set[_Turn] = set()

    @asynccontextmanager
    async def turn(self, key: Key) -> AsyncIterator[None]:
        """Wait in line for `key` and hold it for the length of the block.

        Raises:
            DeadlockError: the caller's chain holds the key already, or waiting would close a circle.
        """
        mine = _Turn(key, _current.get())
        self._refuse_repeated(mine)
        line = self._lines.setdefault(key, _Line())
        await self._enter(line, mine)
        token = _current.set(mine)
        try:
            yield
        finally:
            _current.reset(token)
            self._leave(key, line, mine)

    def waiting(self, key: Key) -> int:
        """How many wait in line for this key now."""
        line = self._lines.get(key)
        return len(line.lot) if line else 0

    @property
    def length(self) -> int:
        """How many wait in line now, for any key."""
        return len(self._blocked)

    def held(self) -> tuple[Key, ...]:
        """The keys that the running task holds, outermost first."""
        current = _current.get()
        return tuple(turn.key for turn in reversed(list(current.chain()))) if current else ()

    @contextmanager
    def on_behalf(self, keys: Iterable[Key]) -> Iterator[None]:
        """Act for a chain whose keys are held elsewhere: by a caller on another node, or before a crash."""
        chain: _Turn | None = None
        for key in keys:
            chain = _Turn(key, chain)
        token = _current.set(chain)
        try:
            yield
        finally:
            _current.reset(token)

    @contextmanager
    def elsewhere(self, key: Key) -> Iterator[None]:
        """Note that the running task's chain waits for `key` at another node, for the length of the block.

        Raises:
            DeadlockError: the chain holds the key already.
        """
        mine = _Turn(key, _current.get())
        self._refuse_repeated(mine)
        self._blocked.add(mine)
        try:
            yield
        finally:
            self._blocked.discard(mine)

    def busy(self) -> tuple[Key, ...]:
        """The keys that somebody holds or waits for here."""
        return tuple(self._lines)

    async def idle(self, key: Key) -> None:
        """Return once nobody holds `key` or waits for it here."""
        while key in self._lines:
            await self._lines[key].idle.wait()

    async def _enter(self, line: _Line, mine: _Turn) -> None:
        if len(line.holders) + line.arriving < self._level(mine.key) and not line.lot:
            line.holders.add(mine)
            self._meter(Measure.QUEUE_WAIT, 0.0)
            return
        self._refuse_circle(mine)
        self._blocked.add(mine)
        began = trio.current_time()
        try:
            await line.lot.park()
        finally:
            self._blocked.discard(mine)
        self._meter(Measure.QUEUE_WAIT, trio.current_time() - began)
        line.arriving -= 1
        line.holders.add(mine)

    def _leave(self, key: Key, line: _Line, mine: _Turn) -> None:
        line.holders.discard(mine)
        free = max(0, self._level(key) - len(line.holders) - line.arriving)
        line.arriving += len(line.lot.unpark(count=free))
        if not line.holders and not line.arriving and not line.lot:
            self._lines.pop(key, None)
            line.idle.set()

    def _refuse_repeated(self, mine: _Turn) -> None:
        if mine.parent is not None and any(turn.key == mine.key for turn in mine.parent.chain()):
            chain = " → ".join(str(turn.key) for turn in reversed(list(mine.chain())))
            raise DeadlockError(f"a call came back to a resource that its own chain holds: {chain}")

    def _refuse_circle(self, mine: _Turn) -> None:
        """Follow who holds what is wanted, and what those wait for, back to a key that we hold."""
        if mine.parent is None:
            return
        ours = {turn.key for turn in mine.parent.chain()}
        seen: set[Key] = set()
        wanted = [mine.key]
        while wanted:
            key = wanted.pop()
            if key in ours:
                raise DeadlockError(f"waiting for {mine.key} would close a circle through {key}")
            if key in seen or key not in self._lines:
                continue
            seen.add(key)
            holders = self._lines[key].holders
            wanted += [turn.key for turn in self._blocked if not holders.isdisjoint(turn.chain())]
