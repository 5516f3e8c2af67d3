"""The store as its users see it: durable, exclusive, and the same with threads and without."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import trio
import trio.testing

from tests.kernel.store.nouns import ALICE, NOW, Shelf, Tin, key, opened, shelf, tin
from zstack_appliance.kernel.errors import Conflict, Unavailable
from zstack_appliance.kernel.store import Store, Tx


@pytest.mark.parametrize("threads", [True, False])
async def test_rows_and_numbers_outlive_the_store(tmp_path: Path, *, threads: bool) -> None:
    async with opened(tmp_path, threads=threads) as store:
        await store.write(lambda tx: tx.insert(shelf()))
        row = await store.write(lambda tx: tx.insert(tin()), owner=ALICE)
    async with opened(tmp_path, threads=threads) as store:
        assert store.get(Tin, row.uuid) == row
        assert store.owner(Tin, row.uuid) == ALICE
        assert store.feed.number == 2
        await store.write(lambda tx: tx.delete(row))
        assert store.feed.number == 3


@pytest.mark.parametrize("threads", [True, False])
async def test_many_callers_at_once(tmp_path: Path, *, threads: bool) -> None:
    async def add(store: Store, number: int) -> None:
        made = await store.write(lambda tx: tx.insert(shelf(f"s{number}")))
        assert store.get(Shelf, made.uuid) == made

    async with opened(tmp_path, threads=threads) as store, trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(add, store, number)
    assert store.feed.number < 200


async def test_with_threads_off_real_time_decides_nothing(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is replayed under a virtual clock is grouped as it was, however slow the machine is."""
    real = itertools.count(step=1000)
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(real)))
    async with opened(tmp_path, threads=False) as store:
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(store.write, partial(lambda name, tx: tx.insert(shelf(name)), f"s{number}"))
        assert store.feed.number == 1


async def test_a_write_sees_one_moment(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        first = await store.write(lambda tx: (tx.now, tx.now))
        assert first == (NOW + 1, NOW + 1)


async def test_a_check_and_set_is_one_write(tmp_path: Path) -> None:
    def take(tx: Tx) -> None:
        row = tx.require(Tin, key("tin"))
        if row.order == 0:
            raise Conflict("sold out")
        assert row.order is not None
        tx.update(row, order=row.order - 1)

    async def buy(store: Store, sold: list[bool]) -> None:
        try:
            await store.write(take)
        except Conflict:
            sold.append(False)
        else:
            sold.append(True)

    sold: list[bool] = []
    async with opened(tmp_path, threads=True) as store:
        await store.write(lambda tx: (tx.insert(shelf()), tx.insert(tin(order=7))))
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(buy, store, sold)
        assert store.require(Tin, key("tin")).order == 0
    assert sold.count(True) == 7


async def test_the_folder_is_locked_while_the_store_is_open(tmp_path: Path) -> None:
    async with opened(tmp_path):
        with pytest.raises(Conflict, match="is in use by process"):
            async with opened(tmp_path):
                pytest.fail("two stores on one folder")
    async with opened(tmp_path):
        pass


async def test_a_closed_store_refuses_writes(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        pass
    with pytest.raises(Unavailable, match="the store is closed"):
        await store.write(lambda tx: tx.insert(shelf()))


async def test_the_files_beside_the_database_go_with_the_store(tmp_path: Path) -> None:
    async with opened(tmp_path, threads=True) as store:
        await store.write(lambda tx: tx.insert(shelf()))
    assert await trio.to_thread.run_sync(files, tmp_path) == {"cloud.db", "lock"}


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_with_threads_off_a_virtual_clock_stands_still_during_writes(
    tmp_path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    def add(number: int, tx: Tx) -> Shelf:
        return tx.insert(shelf(f"s{number}"))

    async with opened(tmp_path) as store, trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep, 60)
        for number in range(20):
            await store.write(partial(add, number))
            await store.query("SELECT 1")
        assert trio.current_time() == 0
        nursery.cancel_scope.cancel()


KILLED = """
import sys, os, trio
from pathlib import Path
from tests.kernel.store.nouns import NOUNS, Calendar, Mask, shelf
from zstack_appliance.kernel.store import Store

async def main():
    async with Store.open(Path(sys.argv[1]), NOUNS, Calendar(), sealer=Mask()) as store:
        number = 0
        while True:
            await store.write(lambda tx: (tx.insert(shelf(f"a{number}")), tx.insert(shelf(f"b{number}"))))
            print(number, flush=True)
            number += 1

trio.run(main)
"""


async def test_what_was_acknowledged_survives_a_kill_and_nothing_is_half_done(tmp_path: Path) -> None:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", KILLED, str(tmp_path / "cloud.db")], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    heard = b""
    while heard.count(b"\n") < 20:
        heard += await process.stdout.receive_some()
    process.kill()
    async for chunk in process.stdout:
        heard += chunk
    await process.wait()
    last = int(heard.rsplit(b"\n", 2)[-2])
    async with opened(tmp_path) as store:
        names = {row.name for row in store.find(Shelf)}
    assert {f"{letter}{number}" for letter in "ab" for number in range(last + 1)} <= names
    assert {name[1:] for name in names if name[0] == "a"} == {name[1:] for name in names if name[0] == "b"}
