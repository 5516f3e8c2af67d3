"""Where slow calls run: `Worker`, in a thread of its own or, for tests under a virtual clock, on the loop.

A virtual clock jumps ahead whenever every task sleeps, and it cannot see that a thread still works. With
`LoopWorker` there is no thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

import trio


class Worker(Protocol):
    """Runs calls one at a time."""

    async def run(self, call: Callable[[], None]) -> None:
        """Run `call` to its end, also when the task is cancelled meanwhile, and raise what it raises."""

    def close(self) -> None:
        """Let go of what it holds; nothing runs any more."""


class LoopWorker:
    """Runs calls at once, and the loop waits."""

    async def run(self, call: Callable[[], None]) -> None:
        """Run `call`, then let other tasks have their turn."""
        call()
        with trio.CancelScope(shield=True):
            await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Nothing to let go of."""


class _Errand:
    def __init__(self, call: Callable[[], None], task: trio.lowlevel.Task) -> None:
        self.call = call
        self.task = task
        self.error: BaseException | None = None


class ThreadWorker:
    """Runs calls in one thread of its own.

    A lone COMMIT is half again as fast as through `trio.to_thread`, whose limits and cancellation are of no
    use here: one call at a time, which nothing may abandon.
    """

    def __init__(self, name: str) -> None:
        self._errands: queue.SimpleQueue[_Errand | None] = queue.SimpleQueue()
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    async def run(self, call: Callable[[], None]) -> None:
        """Run `call` in the thread; the task sleeps until it has ended."""
        errand = _Errand(call, trio.lowlevel.current_task())
        self._errands.put(errand)
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)
        if errand.error is not None:
            raise errand.error

    def close(self) -> None:
        """End the thread once it has finished what it was given."""
        self._errands.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                errand.call()
            except BaseException as error:  # noqa: BLE001 — it is raised again in the task that asked.
                errand.error = error
            self._token.run_sync_soon(trio.lowlevel.reschedule, errand.task)
