"""One subscriber's backlog: `Backlog`, bounded, so that who is slow holds up nobody and costs no memory."""

from __future__ import annotations

from collections import deque

import trio

from zstack_appliance.kernel.events.message import Message, gap

TOO_SLOW = "too many events were waiting for you"


class Backlog:
    """Messages that wait for one subscriber.

    Args:
        limit: how many; what comes beyond it replaces all of them by a gap.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._arrival = trio.Event()
        self._is_closed = False

    def put(self, message: Message) -> None:
        """Add one; it never waits."""
        if len(self._messages) >= self._limit:
            self._messages.clear()
            # The batch of this message counts as missed as a whole: more of it may have been among the others.
            message = gap(message.position.number, TOO_SLOW)
        self._messages.append(message)
        self._arrival.set()

    def close(self) -> None:
        """There will be no more; what waits is still read."""
        self._is_closed = True
        self._arrival.set()

    def take(self) -> list[Message]:
        """Those that wait already."""
        found = list(self._messages)
        self._messages.clear()
        return found

    async def get(self) -> Message | None:
        """Wait for the next one; None at the end."""
        while not self._messages:
            if self._is_closed:
                return None
            self._arrival = trio.Event()
            await self._arrival.wait()
        await trio.lowlevel.checkpoint_if_cancelled()
        return self._messages.popleft()
