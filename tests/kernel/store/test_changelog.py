"""Every commit writes down what it changed, and it can be read again whole, in order, and by row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import pytest

from tests.kernel.store.nouns import ALICE, BOB, NOUNS, Box, Crate, Shelf, crate, errand, key, note, opened, shelf, tin
from tests.kernel.store.test_log import MemoryLog, nodes
from zstack_appliance.kernel.schema import VOLATILE, Record, resource
from zstack_appliance.kernel.store import Batch, Store, changelog
from zstack_appliance.kernel.store.changelog import LATEST


@resource(wire="org.example")
class Beacon(Record, frozen=True, kw_only=True):
    """Something that says again and again that it is there."""

    name: str
    seen: Annotated[int, VOLATILE]


BEACONS: tuple[type[Record], ...] = (*NOUNS, Beacon)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path, nouns=BEACONS) as store:
        yield store


async def kept(store: Store, number: int = 0, limit: int = 1000) -> list[Batch]:
    return await store.read(lambda reader: changelog.after(reader, store.tables, number, LATEST, limit))


async def play(store: Store) -> list[Batch]:
    """One of everything that can happen; what the feed told."""
    told: list[Batch] = []
    with store.feed.listening(told.append):
        await store.write(lambda tx: tx.insert(shelf()), job="j1", api="org.example.APIMakeMsg")
        await store.write(lambda tx: tx.insert(crate(password="hush", order=3)), owner=ALICE)
        await store.write(lambda tx: (tx.insert(tin()), tx.update(tx.require(Crate, key("crate")), order=None)))
        await store.write(lambda tx: tx.update(tx.require(Crate, key("crate")), planks=9, order=4), owner=BOB)
        await store.write(lambda tx: tx.delete(Box, key("crate")))
    return told


async def test_what_is_read_again_is_what_the_feed_told(store: Store) -> None:
    told = await play(store)
    assert await kept(store) == told
    assert len(told) == 5
    assert told[0].changes[0].api == "org.example.APIMakeMsg"


async def test_it_outlives_a_restart_and_numbers_go_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        told = await play(store)
    async with opened(tmp_path) as store:
        await store.write(lambda tx: tx.insert(shelf("later")))
        again = await kept(store)
        assert again[:-1] == told
        assert [batch.number for batch in again] == [1, 2, 3, 4, 5, 6]


async def test_pages_follow_one_another(store: Store) -> None:
    told = await play(store)
    assert await kept(store, 0, 2) + await kept(store, 2, 2) + await kept(store, 4, 2) == told
    between = await store.read(lambda reader: changelog.after(reader, store.tables, 1, 3, 99))
    assert between == told[1:3]


async def test_the_past_of_one_row_is_newest_first(store: Store) -> None:
    await play(store)
    past = await store.read(lambda reader: changelog.of(reader, key("crate")))
    assert [(each.number, each.line.account) for each in past] == [
        (5, "36c27e8ff05c4780bf6d2fa65700f22e"), (4, BOB), (3, "36c27e8ff05c4780bf6d2fa65700f22e"), (2, ALICE),
    ]  # fmt: skip
    assert (past[1].line.before, past[1].line.after["planks"]) == (
        {"lastOpDate": past[2].at, "planks": 7, "order": None},
        9,
    )
    assert [each.number for each in await store.read(lambda r: changelog.of(r, key("crate"), before=4, limit=1))] == [3]


async def test_secrets_are_not_kept(store: Store) -> None:
    await play(store)
    [(text,)] = await store.query("SELECT group_concat(CAST(body AS TEXT)) FROM kernel_change")
    assert "hush" not in text
    assert "4711" not in text
    assert "planks" in text


async def test_journals_and_silent_rows_are_not_kept(store: Store) -> None:
    await store.write(lambda tx: (tx.insert(errand("e")), tx.insert(note("n"))))
    assert (await kept(store), store.feed.number) == ([], 1)


async def test_heartbeats_are_told_and_not_kept(store: Store) -> None:
    beacon = Beacon(uuid=key("b"), create_date=0, last_op_date=0, name="b", seen=1)
    await store.write(lambda tx: tx.insert(beacon))
    await store.write(lambda tx: tx.update(beacon, seen=2))
    await store.write(lambda tx: tx.update(beacon, seen=3, name="c"))
    assert store.feed.number == 3
    assert [batch.number for batch in await kept(store)] == [1, 3]


async def test_a_write_that_fails_leaves_no_trace(store: Store) -> None:
    with pytest.raises(ZeroDivisionError):
        await store.write(lambda tx: (tx.insert(shelf()), 1 // 0))
    assert (await kept(store), store.feed.number) == ([], 0)


async def test_the_oldest_are_forgotten_bit_by_bit(store: Store) -> None:
    await play(store)
    assert await store.write(lambda tx: tx.forget_changes(3, 2)) == 2
    assert await store.read(changelog.floor) == 2
    assert await store.write(lambda tx: tx.forget_changes(3, 2)) == 1
    assert await store.write(lambda tx: tx.forget_changes(3, 2)) == 0
    assert [batch.number for batch in await kept(store)] == [4, 5]
    assert await store.read(changelog.floor) == 3
    assert await store.read(lambda reader: changelog.of(reader, key("shelf"))) == []
    assert await store.query("SELECT min(number) FROM kernel_change_of") == [(4,)]


async def test_what_is_due_by_age_and_by_number(store: Store) -> None:
    told = await play(store)

    async def due(until: int, rows: int) -> int:
        return await store.read(lambda reader: changelog.cut(reader, until, rows))

    assert await due(0, 100) == 0
    assert await due(told[2].at, 100) == 2
    assert await due(0, 1) == 4
    assert await due(told[1].at, 1) == 4


async def test_every_node_keeps_what_it_applies_under_the_same_numbers(tmp_path: Path) -> None:
    async with nodes(tmp_path, MemoryLog(), 2) as (one, two):
        await play(one)
        await two.write(lambda tx: tx.insert(shelf("two")))
        await one.catch_up()
        first, second = await kept(one), await kept(two)
        assert [batch.number for batch in first] == [batch.number for batch in second] == [1, 2, 3, 4, 5, 6]
        rows = [
            [(batch.number, {c.key: (c.table, c.before, c.after, c.owner) for c in batch.changes}) for batch in batches]
            for batches in (first, second)
        ]
        assert rows[0] == rows[1]
        assert one.require(Shelf, key("two")).name == "two"
