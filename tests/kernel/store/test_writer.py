"""Writes become groups; each caller gets its own outcome, after the commit and never before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import apsw
import pytest
import trio
import trio.testing

from tests.kernel.store.nouns import ALICE, NOUNS, NOW, Mask, Shelf, note, shelf
from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.store.database import open_writer, prepare
from zstack_appliance.kernel.store.feed import Batch, Feed
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Origin, Tx
from zstack_appliance.kernel.store.worker import LoopWorker
from zstack_appliance.kernel.store.writer import GROUP_SECONDS, Writer

ORIGIN = Origin(ALICE, None, NOW)


class SlowDisk(LoopWorker):
    """A COMMIT takes until the test lets it, or fails."""

    def __init__(self) -> None:
        self.commits = 0
        self.started = trio.Event()
        self.may_end = trio.Event()
        self.may_end.set()
        self.error: apsw.Error | None = None

    def hold(self) -> None:
        """Let the next COMMIT wait for `may_end`."""
        self.started, self.may_end = trio.Event(), trio.Event()

    async def run(self, call: Callable[[], None]) -> None:
        """Wait, then call or fail."""
        self.commits += 1
        self.started.set()
        with trio.CancelScope(shield=True):
            await self.may_end.wait()
        if self.error is not None:
            raise self.error
        call()


class Bench:
    """A writer on a disk that the test controls."""

    def __init__(self, path: Path) -> None:
        tables = Tables(NOUNS, Mask())
        self.connection = open_writer(path, synchronous="OFF")
        prepare(self.connection, tables.schema, path)
        self.disk = SlowDisk()
        self.feed = Feed(0)
        self.seconds = 0.0
        self.writer = Writer(self.connection, tables, self.feed, self.disk, None, lambda: self.seconds)
        self.outcomes: list[object] = []

    async def write(self, function: Callable[[Tx], object]) -> None:
        """Write, and note what comes of it."""
        try:
            self.outcomes.append(await self.writer.write(function, ORIGIN))
        except Exception as error:  # noqa: BLE001 — the test looks at it.
            self.outcomes.append(error)

    def names(self) -> list[str]:
        """The shelves that are stored."""
        return [str(name) for (name,) in self.connection.execute("SELECT name FROM shelf ORDER BY name")]


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[tuple[Bench, trio.Nursery]]:
    """A bench whose writer runs, and a nursery for its callers."""
    bench = Bench(path / "cloud.db")
    async with trio.open_nursery() as nursery:
        await nursery.start(bench.writer.run)
        async with trio.open_nursery() as callers:
            yield bench, callers
        nursery.cancel_scope.cancel()
    bench.connection.close()


def add(name: str) -> Callable[[Tx], str]:
    return lambda tx: tx.insert(shelf(name)).name


async def test_what_waits_during_a_commit_is_the_next_group(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, callers):
        bench.disk.hold()
        callers.start_soon(bench.write, add("a"))
        await bench.disk.started.wait()
        for number in range(50):
            callers.start_soon(bench.write, add(f"b{number:02}"))
        await trio.testing.wait_all_tasks_blocked()
        assert bench.outcomes == []
        bench.disk.may_end.set()
    assert bench.disk.commits == 2
    assert bench.feed.number == 2
    assert len(bench.outcomes) == 51


async def test_a_caller_goes_on_only_after_the_commit(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, callers):
        bench.disk.hold()
        callers.start_soon(bench.write, add("a"))
        await bench.disk.started.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert (bench.outcomes, bench.feed.number) == ([], 0)
        bench.disk.may_end.set()
    assert bench.outcomes == ["a"]


async def test_one_failure_does_not_touch_its_neighbours(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, callers):
        for name in ("a", "b", "b", "c"):
            callers.start_soon(bench.write, add(name))
    errors = [outcome for outcome in bench.outcomes if isinstance(outcome, Exception)]
    assert len(errors) == 1
    assert "exists already" in str(errors[0])
    assert (bench.disk.commits, bench.outcomes.count("a"), bench.outcomes.count("c")) == (1, 1, 1)


class Impatient:
    """A caller that can be cancelled; it notes the value if it gets one."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.scope = trio.CancelScope()
        self.values: list[str] = []

    async def write(self, name: str) -> None:
        """Write, and meet the cancel at the latest right after."""
        with self.scope:
            self.values.append(await self.bench.writer.write(add(name), ORIGIN))
            await trio.lowlevel.checkpoint()


async def test_a_write_that_has_not_begun_is_withdrawn_by_a_cancel(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, callers):
        bench.disk.hold()
        callers.start_soon(bench.write, add("a"))
        await bench.disk.started.wait()
        second = Impatient(bench)
        callers.start_soon(second.write, "b")
        await trio.testing.wait_all_tasks_blocked()
        second.scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert second.scope.cancelled_caught
        bench.disk.may_end.set()
    assert (bench.outcomes, second.values, bench.disk.commits) == (["a"], [], 1)


async def test_a_write_that_has_begun_is_waited_for_despite_a_cancel(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, callers):
        bench.disk.hold()
        caller = Impatient(bench)
        callers.start_soon(caller.write, "a")
        await bench.disk.started.wait()
        caller.scope.cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert caller.values == []
        bench.disk.may_end.set()
    assert caller.values == ["a"]
    assert caller.scope.cancelled_caught


async def test_a_failing_disk_fails_the_group_and_nothing_after_it(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, _):
        bench.disk.error = apsw.FullError("database or disk is full")
        await bench.write(add("a"))
        bench.disk.error = None
        await bench.write(add("b"))
        assert bench.names() == ["b"]
    (error, value) = bench.outcomes
    assert isinstance(error, Unavailable)
    assert "disk is full; look at the data folder's disk" in str(error)
    assert (value, bench.feed.number) == ("b", 1)


async def test_functions_that_take_long_are_cut_into_groups(tmp_path: Path) -> None:
    def slow(bench: Bench) -> Callable[[Tx], None]:
        def function(tx: Tx) -> None:
            tx.insert(note(f"note {bench.seconds}"))
            bench.seconds += GROUP_SECONDS / 2

        return function

    async with running(tmp_path) as (bench, callers):
        for _ in range(6):
            callers.start_soon(bench.write, slow(bench))
    assert bench.disk.commits == 3


async def test_a_write_that_changes_nothing_costs_no_commit(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, _):
        await bench.write(lambda tx: tx.count(Shelf))
    assert (bench.outcomes, bench.disk.commits, bench.feed.number) == ([0], 0, 0)


async def test_listeners_hear_of_a_commit_before_its_caller_goes_on(tmp_path: Path) -> None:
    async with running(tmp_path) as (bench, _):

        def listen(batch: Batch) -> None:
            bench.outcomes.append(batch.number)

        with bench.feed.listening(listen):
            await bench.write(add("a"))
    assert bench.outcomes == [1, "a"]


async def test_a_writer_that_has_ended_refuses_what_waits_and_what_comes(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "cloud.db")
    async with trio.open_nursery() as callers:
        async with trio.open_nursery() as nursery:
            await nursery.start(bench.writer.run)
            bench.disk.hold()
            callers.start_soon(bench.write, add("a"))
            await bench.disk.started.wait()
            callers.start_soon(bench.write, add("b"))
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
            bench.disk.may_end.set()
        await bench.write(add("c"))
    assert bench.outcomes[0] == "a"
    assert [type(outcome) for outcome in bench.outcomes[1:]] == [Unavailable, Unavailable]
    assert "the store is closed" in str(bench.outcomes[1])
    assert bench.names() == ["a"]
    bench.connection.close()


async def test_a_breakdown_leaves_no_caller_waiting(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "cloud.db")

    def break_down(_: Batch) -> None:
        raise KeyboardInterrupt

    async def serve() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(bench.writer.run)

    async with trio.open_nursery() as callers:
        callers.start_soon(bench.write, add("a"))
        with bench.feed.listening(break_down), pytest.raises(BaseExceptionGroup):
            await serve()
    assert [type(outcome) for outcome in bench.outcomes] == [Unavailable]
    bench.connection.close()
