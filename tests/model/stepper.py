"""Async work from synchronous code, one piece at a time: `Stepper`.

Hypothesis calls the rules of a state machine one after the other from synchronous code, while the appliance
under test must go on living between two rules. So trio runs in guest mode, under a virtual clock, and is only
turned while a piece of work is under way: between two rules its time stands still.
"""

from __future__ import annotations

import queue
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import outcome
import trio
from trio.testing import MockClock

T = TypeVar("T")

_Work = Callable[[], Awaitable[object]]

STUCK_SECONDS = 60.0
"""Real seconds without any event after which a run counts as dead; under a virtual clock there is always one."""


class Stepper:
    """One trio run, turned by hand. All work is done by its one main task, so scopes may span several pieces.

    Args:
        leave: leaves the scopes that are still open at the end, or once a task in one of them has crashed; then
            it raises what crashed.
    """

    def __init__(self, leave: Callable[[], Awaitable[None]]) -> None:
        self._leave = leave
        self._events: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._send, self._receive = trio.open_memory_channel[_Work](1)
        self._results: list[outcome.Outcome[Any]] = []
        self._ended: outcome.Outcome[None] | None = None
        trio.lowlevel.start_guest_run(
            self._main,
            run_sync_soon_threadsafe=self._events.put,
            done_callback=self._end,
            clock=MockClock(autojump_threshold=0),
        )

    def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do one piece of work to its end, and give what it returns.

        Raises:
            BaseException: what the work raises, or what ended the whole run.
        """
        self._send.send_nowait(work)
        self._turn(lambda: bool(self._results))
        result: T = self._results.pop().unwrap()
        return result

    def close(self) -> None:
        """End the run. Safe to repeat."""
        self._send.close()
        self._turn(lambda: self._ended is not None)
        if self._ended is not None:
            self._ended.unwrap()

    def _turn(self, is_done: Callable[[], bool]) -> None:
        while not is_done():
            if self._ended is not None:
                self._ended.unwrap()
                raise RuntimeError("the run has ended already")
            self._events.get(timeout=STUCK_SECONDS)()

    def _end(self, ended: outcome.Outcome[None]) -> None:
        self._ended = ended

    async def _main(self) -> None:
        try:
            async for work in self._receive:
                result = await outcome.acapture(work)
                if isinstance(result, outcome.Error) and isinstance(result.error, trio.Cancelled):
                    return  # Nobody cancels here, so that something must have crashed.
                self._results.append(result)
        finally:
            await self._leave()
