"""Coroutines of asyncio's, stepped by hand from trio.

Primitives: `wait_through` (run one to its end, waiting in trio), `try_through` (run one only as far as it
goes without waiting), `Inbox` (what a client sends, read ahead of its handler).

uvicorn's `receive` and `send` seldom wait. Stepping them costs no task of asyncio's, and only when one
yields the asyncio future that it waits for does trio wait for that future too. This is what carries flow
control across the two.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import trio
from starlette.types import Message, Receive

MESSAGE_COST = 256
"""Bytes that an empty message counts for in an `Inbox`, so that a flood of empty ones is held back too."""

Steps = Generator[Any, Any, Any]
"""An awaitable being stepped: it yields the asyncio futures that it waits for."""


async def wait_through(awaitable: Awaitable[object]) -> None:
    """Run it to its end. If the waiting task is cancelled meanwhile, it is closed where it is."""
    steps = awaitable.__await__()
    try:
        waited = next(steps)
        while True:
            await _settled(waited)
            waited = next(steps)
    except StopIteration:
        return
    finally:
        steps.close()


def try_through(awaitable: Awaitable[object]) -> None:
    """Run it to its end, or close it where it would have to wait."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration:
        return
    steps.close()


async def _settled(waited: asyncio.Future[Any]) -> None:
    settled = trio.Event()
    waited.add_done_callback(lambda _: settled.set())
    await settled.wait()


class Inbox:
    """What a client sends, read through uvicorn's `receive`.

    Args:
        source: uvicorn's `receive`.
        ahead: how many bytes to read before they are asked for.
        on_disconnect: called once, when the client is found to have left or the response is complete.
    """

    def __init__(self, source: Receive, ahead: int, on_disconnect: Callable[[], None]) -> None:
        self._source = source
        self._ahead = ahead
        self._on_disconnect = on_disconnect
        self._messages: deque[Message] = deque()
        self._held = 0
        self._disconnect: Message | None = None
        self._arrival = trio.Event()
        self._waiting = 0
        self._reading: Steps | None = None
        self._is_closed = False

    @property
    def is_awaited(self) -> bool:
        """Whether the handler is waiting for a message right now."""
        return self._waiting > 0

    async def receive(self) -> Message:
        """Wait, in trio, for the next message. After the last one it is the disconnect, again and again."""
        self._waiting += 1
        try:
            while True:
                self.pull()
                if self._messages:
                    break
                if self._disconnect is not None:
                    return self._disconnect
                if self._arrival.is_set():
                    self._arrival = trio.Event()
                await self._arrival.wait()
        finally:
            self._waiting -= 1
        message = self._messages.popleft()
        self._held -= _cost(message)
        self.pull()
        return message

    def pull(self) -> None:
        """Read until uvicorn has nothing more, or enough is held."""
        while self._reading is None and self._disconnect is None and not self._is_closed and self._is_hungry():
            self._step(self._source().__await__())

    def close(self) -> None:
        """Read no more."""
        self._is_closed = True
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _is_hungry(self) -> bool:
        return self._held < self._ahead or (self.is_awaited and not self._messages)

    def _step(self, steps: Steps) -> None:
        try:
            waited: asyncio.Future[Any] = next(steps)
        except StopIteration as finished:
            self._take(finished.value)
        else:
            self._reading = steps
            waited.add_done_callback(self._resume)

    def _resume(self, _: asyncio.Future[Any]) -> None:
        steps, self._reading = self._reading, None
        if steps is not None:
            self._step(steps)
            self.pull()

    def _take(self, message: Message) -> None:
        if message["type"] in {"http.disconnect", "websocket.disconnect"}:
            self._disconnect = message
            self._on_disconnect()
        else:
            self._messages.append(message)
            self._held += _cost(message)
        self._arrival.set()


def _cost(message: Message) -> int:
    return MESSAGE_COST + sum(len(message.get(part) or b"") for part in ("body", "bytes", "text"))
