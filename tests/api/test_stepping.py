"""Stepping coroutines that wait for futures, with no event loop of asyncio's at all."""

from collections import deque
from collections.abc import Callable, Generator

import pytest
import trio
from starlette.types import Message
from trio.testing import wait_all_tasks_blocked

from zstack_appliance.api.stepping import MESSAGE_COST, Inbox, try_through, wait_through


class Future:
    """As much of a future of asyncio's as stepping needs."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[Future], object]] = []
        self.done = False

    def __await__(self) -> Generator["Future", None, None]:
        while not self.done:
            yield self

    def add_done_callback(self, callback: Callable[["Future"], object]) -> None:
        self.callbacks.append(callback)

    def finish(self) -> None:
        self.done = True
        for callback in self.callbacks:
            callback(self)


class Steps:
    """A coroutine that waits for one future after the other and says how it ended."""

    def __init__(self, futures: int) -> None:
        self.futures = [Future() for _ in range(futures)]
        self.passed = 0
        self.ending = ""

    async def run(self) -> None:
        try:
            for future in self.futures:
                await future
                self.passed += 1
        except GeneratorExit:
            self.ending = "closed"
            raise
        self.ending = "ended"


async def test_waiting_through_nothing() -> None:
    steps = Steps(0)
    await wait_through(steps.run())
    assert steps.ending == "ended"


async def test_waiting_through_futures(nursery: trio.Nursery) -> None:
    steps = Steps(2)
    nursery.start_soon(wait_through, steps.run())
    for passed, future in enumerate(steps.futures):
        await wait_all_tasks_blocked()
        assert steps.passed == passed
        future.finish()
    await wait_all_tasks_blocked()
    assert steps.ending == "ended"


async def test_cancelled_while_waiting() -> None:
    steps = Steps(1)
    with trio.move_on_after(0):
        await wait_through(steps.run())
    assert steps.ending == "closed"
    steps.futures[0].finish()  # as late as it likes


async def test_an_error_comes_out() -> None:
    async def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await wait_through(fail())
    with pytest.raises(OSError, match="gone"):
        try_through(fail())


@pytest.mark.parametrize(("futures", "ending"), [(0, "ended"), (1, "closed")])
def test_trying(futures: int, ending: str) -> None:
    steps = Steps(futures)
    try_through(steps.run())
    assert steps.ending == ending


class Source:
    """uvicorn's `receive`: messages as the test sends them."""

    def __init__(self) -> None:
        self.ready: deque[Message] = deque()
        self.wanted = Future()
        self.taken = 0

    def send(self, *messages: Message) -> None:
        self.ready.extend(messages)
        self.wanted.finish()

    async def receive(self) -> Message:
        while not self.ready:
            self.wanted = Future()
            await self.wanted
        self.taken += 1
        return self.ready.popleft()


GONE = {"type": "http.disconnect"}


def body(size: int, number: int = 0) -> Message:
    return {"type": "http.request", "body": bytes([number]) * size, "more_body": True}


class Left:
    """Counts how often the disconnect was told."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


async def test_an_inbox_reads_nothing_unasked() -> None:
    source, left = Source(), Left()
    source.send(body(1), body(2), GONE)
    inbox = Inbox(source.receive, 0, left)
    inbox.pull()
    assert source.taken == 0
    assert await inbox.receive() == body(1)
    assert source.taken == 1
    assert await inbox.receive() == body(2)
    assert [await inbox.receive(), await inbox.receive()] == [GONE, GONE]
    assert left.times == 1


async def test_an_inbox_reads_ahead_up_to_its_bound() -> None:
    source, left = Source(), Left()
    inbox = Inbox(source.receive, 2 * MESSAGE_COST, left)
    inbox.pull()
    source.send(body(0), body(MESSAGE_COST), body(1), GONE)
    assert (source.taken, left.times) == (2, 0)
    assert await inbox.receive() == body(0)
    assert source.taken == 2
    assert await inbox.receive() == body(MESSAGE_COST)
    assert (source.taken, left.times) == (4, 1)
    assert [await inbox.receive(), await inbox.receive()] == [body(1), GONE]


async def test_several_wait_and_each_gets_one(nursery: trio.Nursery) -> None:
    source = Source()
    inbox = Inbox(source.receive, 0, Left())
    got: list[Message] = []

    async def take() -> None:
        got.append(await inbox.receive())

    for _ in range(3):
        nursery.start_soon(take)
    await wait_all_tasks_blocked()
    assert inbox.is_awaited
    source.send(body(1), body(2), GONE)
    await wait_all_tasks_blocked()
    assert got == [body(1), body(2), GONE]
    assert not inbox.is_awaited


async def test_a_cancelled_wait_loses_nothing() -> None:
    source = Source()
    inbox = Inbox(source.receive, 0, Left())
    with trio.move_on_after(0):
        await inbox.receive()
    assert not inbox.is_awaited
    source.send(body(1))
    assert await inbox.receive() == body(1)


async def test_a_closed_inbox_reads_no_more() -> None:
    source, left = Source(), Left()
    inbox = Inbox(source.receive, 1000, left)
    inbox.pull()
    inbox.close()
    source.send(GONE)
    inbox.pull()
    assert (source.taken, left.times) == (0, 0)
