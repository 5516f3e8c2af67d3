"""A write that leaves a reference pointing at nothing is refused, and told which."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kernel.store.nouns import Box, Label, Shelf, crate, key, label, opened, shelf, tin
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.store import Store, Tx


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        await store.write(lambda tx: tx.insert(shelf()))
        await store.write(lambda tx: tx.insert(crate()))
        await store.write(lambda tx: tx.insert(label("label", "crate")))
        yield store


async def test_a_reference_to_nothing_is_refused(store: Store) -> None:
    with pytest.raises(Conflict) as caught:
        await store.write(lambda tx: tx.insert(tin(on="nowhere")))
    assert str(caught.value) == (
        f"Tin[uuid:{key('tin')}] refers by shelfUuid to resource[uuid:{key('nowhere')}, type:ShelfVO],"
        " which does not exist; it may have been deleted meanwhile"
    )
    assert store.count(Box) == 1


async def test_deleting_what_is_referred_to_is_refused(store: Store) -> None:
    with pytest.raises(Conflict) as caught:
        await store.write(lambda tx: tx.delete(Box, key("crate")))
    assert str(caught.value) == (
        f"Crate[uuid:{key('crate')}] cannot go: Label[uuid:{key('label')}] refers to it by boxUuid;"
        " delete or detach that first"
    )
    assert store.count(Box) == 1


async def test_the_order_within_a_write_is_free(store: Store) -> None:
    def change(tx: Tx) -> None:
        tx.insert(tin(on="later"))
        tx.insert(shelf("later"))
        tx.delete(Box, key("crate"))
        tx.delete(Label, key("label"))

    await store.write(change)
    assert store.get(Shelf, key("later")) is not None
    assert store.count(Label) == 0


async def test_a_refused_write_leaves_nothing_for_the_next(store: Store) -> None:
    with pytest.raises(Conflict):
        await store.write(lambda tx: tx.insert(tin(on="nowhere")))
    await store.write(lambda tx: tx.insert(tin()))
    assert store.count(Box) == 2
