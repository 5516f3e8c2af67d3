"""What changed, told to whoever listens: `Change`, `Batch`, `Feed` and `Dropped`.

Every commit that changed a row is one batch. Batches are numbered without gaps, across restarts too, so that a
consumer which missed some knows it. Secrets have been redacted before anything gets here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import trio

from zstack_appliance.kernel.schema import Record

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """What one write did to one row, from first to last."""

    table: str
    """The base's table, such as ``host`` for a `KvmHost`."""
    key: str
    """The row's uuid."""
    before: Record | None
    """None for a row that was not there."""
    after: Record | None
    """None for a row that is gone."""
    owner: str
    """The account that the row belongs to, or did."""
    account: str | None
    """The account that the write was made for; None for what another node wrote."""
    job: str | None
    """The job that made it, if one did."""
    api: str | None = None
    """ZStack's class of the call that made it; None for what the appliance does by itself."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The changes of one commit, in the order that the writes ran in."""

    number: int
    changes: tuple[Change, ...]
    at: int = 0
    """Milliseconds UTC."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The last thing a subscriber gets that was too slow: batches from `number` on were not kept for it."""

    number: int


Listener = Callable[[Batch], None]
Subscription = trio.MemoryReceiveChannel[Batch | Dropped]


class Feed:
    """Hands batches to listeners and subscribers; none of them can hold up the writer.

    Args:
        number: the last batch of the database's past.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        """The last batch that was published."""
        self._listeners: list[Listener] = []
        self._next: trio.Event | None = None
        self._channels: dict[trio.MemorySendChannel[Batch | Dropped], int] = {}

    @property
    def subscribers(self) -> int:
        """How many channels are open."""
        return len(self._channels)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Call `listener` with every batch, on the loop thread, before the write's caller goes on.

        It must be quick. What it raises is logged and changes nothing for the others.
        """
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    async def next(self) -> None:
        """Return once another batch has been published."""
        if self._next is None:
            self._next = trio.Event()
        await self._next.wait()

    @contextmanager
    def subscribed(self, buffer: int) -> Iterator[Subscription]:
        """A channel of batches from now on.

        Args:
            buffer: how many batches are kept for a subscriber that is busy. One that falls further behind
                gets those, then `Dropped`, then the end of the channel, and has to read afresh.
        """
        send, receive = trio.open_memory_channel[Batch | Dropped](buffer + 1)
        self._channels[send] = buffer
        with send, receive:
            try:
                yield receive
            finally:
                self._channels.pop(send, None)

    def publish(self, batch: Batch) -> None:
        """Hand a committed batch to everyone."""
        self.number = batch.number
        for listener in tuple(self._listeners):
            try:
                listener(batch)
            except Exception:
                log.exception("a listener of the change feed failed at batch %d", batch.number)
        if self._next is not None:
            self._next.set()
            self._next = None
        for send, buffer in tuple(self._channels.items()):
            self._offer(send, buffer, batch)

    def _offer(self, send: trio.MemorySendChannel[Batch | Dropped], buffer: int, batch: Batch) -> None:
        try:
            if send.statistics().current_buffer_used < buffer:
                send.send_nowait(batch)
                return
            # The channel has one place more than the buffer, for this.
            send.send_nowait(Dropped(batch.number))
        except trio.BrokenResourceError:
            pass  # The subscriber has closed its end and is about to leave.
        self._channels.pop(send, None)
        send.close()
