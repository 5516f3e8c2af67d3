"""Three stores over one log end with the same rows, whoever wrote, and say the same in their feeds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernel.store.nouns import (
    ALICE,
    Box,
    Crate,
    Errand,
    Note,
    Pulse,
    Shelf,
    Tin,
    crate,
    errand,
    key,
    label,
    note,
    opened,
    pulse,
    shelf,
    tin,
)
from zstack_appliance.kernel.errors import Conflict, Internal, Unavailable
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store import Batch, Change, Entry, Store, Tx


class MemoryLog:
    """A log in this process, which can be unreachable."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.lost: list[Entry] = []
        """Entries that came second."""
        self.reachable = True
        self.asked = trio.Event()
        self.answers = trio.Event()
        self.answers.set()

    async def append(self, entry: Entry) -> Sequence[Entry]:
        """Compare the number with the head, and set."""
        self.asked.set()
        await self.answers.wait()
        if not self.reachable:
            raise Unavailable("the cluster's log does not answer")
        if entry.number != len(self.entries) + 1:
            self.lost.append(entry)
            return self.entries[entry.number - 1 :]
        self.entries.append(entry)
        return ()

    async def after(self, number: int) -> Sequence[Entry]:
        """The rest of the list."""
        await trio.lowlevel.checkpoint()
        return self.entries[number:]

    async def news(self, number: int) -> None:
        """None by itself: these tests say when a store catches up."""
        await trio.sleep_forever()


@asynccontextmanager
async def nodes(folder: Path, log: MemoryLog, count: int = 3) -> AsyncIterator[list[Store]]:
    """Stores over one log, each in its own folder."""
    async with AsyncExitStack() as stack:
        stores = []
        for number in range(count):
            path = folder / f"node{number}"
            path.mkdir(exist_ok=True)
            stores.append(await stack.enter_async_context(opened(path, log=log)))
        yield stores


async def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every replicated row, column by column, and the head."""
    await store.catch_up()
    tables = sorted([*store.tables.replicated(), "kernel_meta"])
    return {table: await store.query(f'SELECT * FROM "{table}" ORDER BY 1') for table in tables}


async def test_what_one_node_writes_the_others_apply(tmp_path: Path) -> None:
    async with nodes(tmp_path, MemoryLog()) as (one, two, three):
        await one.write(lambda tx: tx.insert(shelf()))
        await one.write(lambda tx: tx.insert(crate(password="hush")), owner=ALICE)
        await one.write(lambda tx: tx.update(tx.require(Crate, key("crate")), planks=9))
        await two.catch_up()
        assert two.get(Box, key("crate")) == one.get(Box, key("crate"))
        assert two.owner(Box, key("crate")) == ALICE
        assert await contents(one) == await contents(two) == await contents(three)


async def test_a_node_that_was_slower_applies_runs_again_and_wins(tmp_path: Path) -> None:
    log, runs = MemoryLog(), list[int]()

    def count(tx: Tx) -> int:
        runs.append(tx.count(Shelf))
        tx.insert(shelf("two"))
        return runs[-1]

    async with nodes(tmp_path, log) as (one, two, three):
        await one.write(lambda tx: tx.insert(shelf("one")))
        assert await two.write(count) == 1
        assert runs == [0, 1]
        assert len(log.lost) == 1
        assert await contents(one) == await contents(two) == await contents(three)


async def test_a_function_that_the_others_news_refutes_fails_cleanly(tmp_path: Path) -> None:
    async with nodes(tmp_path, MemoryLog(), 2) as (one, two):
        await one.write(lambda tx: tx.insert(shelf("same")))
        with pytest.raises(Conflict, match="exists already"):
            await two.write(lambda tx: tx.insert(shelf("same")))
        assert await contents(one) == await contents(two)


async def test_all_nodes_writing_at_once_lose_nothing(tmp_path: Path) -> None:
    async def add(store: Store, name: str) -> None:
        await store.write(lambda tx: tx.insert(tin(name)))

    log = MemoryLog()
    async with nodes(tmp_path, log) as stores:
        await stores[0].write(lambda tx: tx.insert(shelf()))
        async with trio.open_nursery() as nursery:
            for number in range(60):
                nursery.start_soon(add, stores[number % 3], f"tin{number}")
        one, two, three = [await contents(store) for store in stores]
        assert one == two == three
        assert sorted(row.number for row in stores[1].find(Tin)) == list(range(1, 61))
    assert log.lost


async def test_an_objection_is_checked_against_what_the_others_wrote(tmp_path: Path) -> None:
    async with nodes(tmp_path, MemoryLog(), 2) as (one, two):
        await one.write(lambda tx: tx.insert(shelf("late")))
        assert two.get(Shelf, key("late")) is None
        assert (await two.write(lambda tx: tx.require(Shelf, key("late")))).name == "late"


async def test_local_rows_stay_on_their_node(tmp_path: Path) -> None:
    log = MemoryLog()
    async with nodes(tmp_path, log, 2) as (one, two):
        await one.write(lambda tx: tx.insert(note("n")))
        await two.catch_up()
        assert (one.count(Note), two.count(Note), log.entries) == (1, 0, [])


async def test_numbers_agree_where_one_node_alone_has_something_to_tell(tmp_path: Path) -> None:
    async with nodes(tmp_path, MemoryLog(), 2) as (one, two):
        with one.feed.subscribed(9) as first, two.feed.subscribed(9) as second:
            await one.write(lambda tx: tx.insert(errand("e")))
            await one.write(lambda tx: tx.insert(pulse("p")))
            await one.write(lambda tx: tx.insert(shelf()))
            await two.catch_up()
            told = [[first.receive_nowait() for _ in range(3)], [second.receive_nowait() for _ in range(3)]]
        assert [len(batch.changes) for batch in told[0] if isinstance(batch, Batch)] == [1, 0, 1]
        assert [len(batch.changes) for batch in told[1] if isinstance(batch, Batch)] == [0, 0, 1]
        assert (one.feed.number, two.feed.number) == (3, 3)
        assert (one.count(Errand), two.count(Errand), two.count(Pulse)) == (1, 0, 1)


async def test_an_unreachable_log_fails_the_write_and_changes_nothing(tmp_path: Path) -> None:
    log = MemoryLog()
    async with nodes(tmp_path, log, 1) as (store,):
        log.reachable = False
        with pytest.raises(Unavailable, match="log does not answer"):
            await store.write(lambda tx: tx.insert(shelf()))
        assert store.count(Shelf) == 0
        log.reachable = True
        await store.write(lambda tx: tx.insert(shelf()))
        assert store.count(Shelf) == 1


async def test_closing_waits_for_the_answer_of_the_log(tmp_path: Path) -> None:
    log, rows = MemoryLog(), list[Shelf]()

    async def write(store: Store) -> None:
        rows.append(await store.write(lambda tx: tx.insert(shelf())))

    async def answer() -> None:
        await trio.testing.wait_all_tasks_blocked()
        log.answers.set()

    async with trio.open_nursery() as callers, nodes(tmp_path, log, 1) as (store,):
        log.answers = trio.Event()
        callers.start_soon(write, store)
        await log.asked.wait()
        callers.start_soon(answer)
    assert len(rows) == len(log.entries) == 1


async def test_a_node_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = MemoryLog()
    async with nodes(tmp_path, log, 2) as (one, _):
        await one.write(lambda tx: tx.insert(shelf("a")))
    async with nodes(tmp_path, log, 2) as (one, two):
        await one.write(lambda tx: tx.insert(shelf("b")))
        assert await contents(one) == await contents(two)
        assert two.feed.number == 2


async def test_a_database_that_differs_stops_instead_of_guessing(tmp_path: Path) -> None:
    log = MemoryLog()
    async with nodes(tmp_path, log, 2) as (one, two):
        await one.write(lambda tx: tx.insert(shelf("a")))
        await two.catch_up()
        spoiler = apsw.Connection(str(tmp_path / "node1" / "cloud.db"))
        spoiler.execute("UPDATE shelf SET name = 'other'")
        spoiler.close()
        await one.write(lambda tx: tx.update(tx.require(Shelf, key("a")), name="c"))
        for _ in range(2):
            with pytest.raises(Internal, match=r"differs from the cluster's at entry 2; restore it"):
                await two.catch_up()
        with pytest.raises(Internal, match="differs"):
            await two.write(lambda tx: tx.insert(shelf("d")))
        assert two.feed.number == 1


async def test_an_entry_of_another_schema_is_refused(tmp_path: Path) -> None:
    log = MemoryLog()
    log.entries.append(Entry(1, "another", b""))
    async with nodes(tmp_path, log, 1) as (store,):
        with pytest.raises(Internal, match=r"entry 1 .* another version of this program"):
            await store.catch_up()


# --- feed and changeset ----------------------------------------------------------------------------------

NAMES = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("shelf"), NAMES),
    st.tuples(st.just("crate"), NAMES),
    st.tuples(st.just("tin"), NAMES),
    st.tuples(st.just("label"), NAMES),
    st.tuples(st.just("pulse"), NAMES),
    st.tuples(st.just("update"), NAMES),
    st.tuples(st.just("delete"), NAMES),
)


def step(tx: Tx, kind: str, name: str) -> None:
    """One change, skipped where the rows do not allow it."""
    if kind == "shelf" and tx.get(Shelf, key(name)) is None:
        tx.insert(shelf(name))
    if kind == "pulse" and tx.get(Pulse, key(name)) is None:
        tx.insert(pulse(name))
    box = tx.get(Box, key(f"box {name}"))
    if kind in ("crate", "tin") and box is None and tx.get(Shelf, key(name)) is not None:
        tx.insert((crate if kind == "crate" else tin)(f"box {name}", name))
    if box is None:
        return
    if kind == "label":
        tx.insert(label(f"label {name} {tx.now} {box.order}", f"box {name}"))
    elif kind == "update":
        tx.update(box, order=(box.order or 0) + 1)
    elif kind == "delete" and not tx.select("SELECT 1 FROM label WHERE box_uuid = ?", (box.uuid,)):
        tx.delete(box)


def fold(batches: list[Batch]) -> list[dict[tuple[str, str], tuple[Record | None, Record | None, str]]]:
    """What each batch did to each row on the whole; what ended as it began is left out."""
    folded = []
    for batch in batches:
        rows: dict[tuple[str, str], Change] = {}
        for change in batch.changes:
            first = rows.get((change.table, change.key), change)
            rows[(change.table, change.key)] = Change(
                change.table, change.key, first.before, change.after, change.owner, None, None
            )
        folded.append({k: (c.before, c.after, c.owner) for k, c in rows.items() if c.before != c.after})
    return folded


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.integers(0, 2), STEPS), max_size=6), max_size=8))
def test_feed_and_changeset_agree(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[tuple[int, tuple[str, str]]]]
) -> None:
    folder = tmp_path_factory.mktemp("nodes")

    async def play() -> None:
        async with nodes(folder, MemoryLog()) as stores, AsyncExitStack() as stack:
            heard: list[list[Batch]] = [[] for _ in stores]
            for store, batches in zip(stores, heard, strict=True):
                stack.enter_context(store.feed.listening(batches.append))
            for group in groups:
                async with trio.open_nursery() as nursery:
                    for number, (kind, name) in group:
                        nursery.start_soon(stores[number].write, lambda tx, k=kind, n=name: step(tx, k, n))
            one, two, three = [await contents(store) for store in stores]
            assert one == two == three
            told = [fold(batches) for batches in heard]
            assert told[0] == told[1] == told[2]

    trio.run(play)
