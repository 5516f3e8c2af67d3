"""Long reads run beside the loop, in one snapshot, and stop when they are cancelled."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.kernel.store.nouns import Shelf, opened, shelf
from zstack_appliance.kernel.store import Reader, Store

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path, threads=True) as store:
        yield store


async def test_a_query_gives_plain_rows(store: Store) -> None:
    assert await store.query("SELECT ? + 1, 'x'", (1,)) == [(2, "x")]


async def test_a_query_runs_in_a_thread_unless_threads_are_off(store: Store, tmp_path: Path) -> None:
    here = threading.current_thread()
    assert await store.read(lambda _: threading.current_thread()) is not here
    other = tmp_path / "other"
    other.mkdir()
    async with opened(other) as inline:
        assert await inline.read(lambda _: threading.current_thread()) is here


async def test_a_cancel_interrupts_a_query_and_frees_its_connection(store: Store) -> None:
    for _ in range(5):
        with trio.move_on_after(0.01) as scope:
            await store.query(FOREVER)
        assert scope.cancelled_caught
    assert await store.query("SELECT 1") == [(1,)]


async def test_one_read_sees_one_moment(store: Store) -> None:
    looked, changed = threading.Event(), threading.Event()

    def look(reader: Reader) -> tuple[int, int]:
        first = reader.count(Shelf)
        looked.set()
        assert changed.wait(5)
        return first, reader.count(Shelf)

    async def change() -> None:
        await trio.to_thread.run_sync(looked.wait, 5)
        await store.write(lambda tx: tx.insert(shelf()))
        changed.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(change)
        assert await store.read(look) == (0, 0)
    assert store.count(Shelf) == 1


async def test_a_wrong_statement_leaves_the_connection_usable(store: Store) -> None:
    for _ in range(4):
        with pytest.raises(Exception, match="no such table"):
            await store.query("SELECT * FROM missing")
    assert await store.query("SELECT 1") == [(1,)]
