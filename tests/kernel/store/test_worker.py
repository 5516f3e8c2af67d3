"""Both workers run calls to their end, whatever happens to the task that asked."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable

import pytest
import trio

from zstack_appliance.kernel.store.worker import LoopWorker, ThreadWorker, Worker


@pytest.fixture(params=["thread", "loop"])
async def worker(request: pytest.FixtureRequest) -> AsyncIterator[Worker]:
    made: Worker = ThreadWorker("test") if request.param == "thread" else LoopWorker()
    yield made
    made.close()


def note_thread(seen: list[threading.Thread]) -> Callable[[], None]:
    return lambda: seen.append(threading.current_thread())


async def test_calls_run_where_they_should(worker: Worker) -> None:
    seen: list[threading.Thread] = []
    await worker.run(note_thread(seen))
    await worker.run(note_thread(seen))
    here = threading.current_thread()
    assert len(seen) == 2
    assert all((thread is here) == isinstance(worker, LoopWorker) for thread in seen)
    assert seen[0] is seen[1]


async def test_an_error_is_raised_in_the_task_that_asked(worker: Worker) -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await worker.run(fail)
    await worker.run(lambda: None)


async def test_a_cancel_waits_for_the_end(worker: Worker) -> None:
    done: list[threading.Thread] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        await worker.run(note_thread(done))
        assert done
        await trio.lowlevel.checkpoint()
    assert scope.cancelled_caught


async def test_the_loop_goes_on_while_the_thread_works() -> None:
    worker = ThreadWorker("test")
    may_end = threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run, lambda: _wait(may_end))
        await trio.lowlevel.checkpoint()
        may_end.set()
    worker.close()


def _wait(event: threading.Event) -> None:
    assert event.wait(5)
