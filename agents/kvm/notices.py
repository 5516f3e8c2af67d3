"""What a host says unasked, kept in order until somebody listens."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator

import trio

from zstack_appliance.cloud.host.driver import HostNotice, NoticesLost

KEPT = 4096
"""Notices kept for a listener that does not come; beyond, it is told to look for itself."""


class NoticeQueue:
    """An ordered queue for one listener, which never makes the speaker wait."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = kept
        self._waiting: deque[HostNotice] = deque()
        self._arrived = trio.Event()

    def put(self, notice: HostNotice) -> None:
        """Say something. When too much is kept, all of it gives way to one `NoticesLost`."""
        if len(self._waiting) >= self._kept:
            self._waiting.clear()
            notice = NoticesLost(reason=f"nobody listened to {self._kept} notices")
        self._waiting.append(notice)
        self._arrived.set()

    async def listen(self) -> AsyncGenerator[HostNotice, None]:
        """Every notice once, in order, for ever."""
        while True:
            while self._waiting:
                yield self._waiting.popleft()
            self._arrived = trio.Event()
            await self._arrived.wait()
