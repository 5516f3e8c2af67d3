"""Reading gives typed rows in a certain order, and changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from tests.kernel.store.nouns import ALICE, Box, Crate, Mood, Shelf, Tin, crate, key, opened, shelf, tin
from zstack_appliance.kernel.errors import NotFound
from zstack_appliance.kernel.store import Store, Tx


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    def fill(tx: Tx) -> None:
        tx.insert(shelf())
        tx.insert(crate("c", create_date=3, mood=Mood.GOOD), owner=ALICE)
        tx.insert(tin("b", create_date=2, order=5))
        tx.insert(tin("a", create_date=1))

    async with opened(tmp_path) as store:
        await store.write(fill)
        yield store


def names(rows: list[Box]) -> list[str]:
    return [row.name for row in rows]


async def test_get_gives_the_sub_type_and_only_rows_of_the_class(store: Store) -> None:
    assert type(store.get(Box, key("c"))) is Crate
    assert type(store.get(Crate, key("c"))) is Crate
    assert store.get(Tin, key("c")) is None
    assert store.get(Box, key("nothing")) is None


async def test_require_says_what_is_missing(store: Store) -> None:
    assert store.require(Tin, key("a")).name == "a"
    with pytest.raises(NotFound, match=rf"resource\[uuid:{key('c')}, type:TinVO\] not found"):
        store.require(Tin, key("c"))


async def test_find_gives_the_oldest_first(store: Store) -> None:
    assert names(store.find(Box)) == ["a", "b", "c"]
    assert [type(row) for row in store.find(Box)] == [Tin, Tin, Crate]


async def test_find_by_value_null_and_members(store: Store) -> None:
    assert names(store.find(Box, mood=Mood.BAD)) == ["a", "b"]
    assert names(store.find(Box, mood=Mood.BAD, order=None)) == ["a"]
    assert names(store.find(Box, uuid=[key("c"), key("a"), key("nothing")])) == ["a", "c"]
    assert names(store.find(Box, mood={Mood.GOOD, Mood.BAD}, heavy=True)) == ["a", "b", "c"]
    assert store.find(Box, uuid=()) == []


async def test_count_counts_what_find_gives(store: Store) -> None:
    assert (store.count(Box), store.count(Tin), store.count(Box, order=5)) == (3, 2, 1)


async def test_owner_of_a_row_and_of_none(store: Store) -> None:
    assert store.owner(Crate, key("c")) == ALICE
    assert store.owner(Shelf, key("nothing")) is None


async def test_select_reads_and_nothing_else(store: Store) -> None:
    await store.read(lambda reader: reader.select("SELECT 1"))

    def spoil(tx: Tx) -> None:
        assert tx.select("SELECT name FROM box WHERE kind = ? ORDER BY 1", ("Tin",)) == [("a",), ("b",)]
        tx.select("DELETE FROM box")

    with pytest.raises(apsw.ExecTraceAbort):
        await store.write(spoil)
    assert store.count(Box) == 3
