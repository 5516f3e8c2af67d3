"""A transaction writes what it says, refuses what it must, and remembers what it did to each row."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.kernel.store.nouns import (
    ALICE,
    BOB,
    NOW,
    Box,
    Crate,
    Errand,
    Label,
    Mood,
    Note,
    Part,
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
from zstack_appliance.kernel.errors import Conflict, Internal, NotFound
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.store import Batch, Change, Dropped, Store, Tx


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opened(tmp_path) as store:
        await store.write(lambda tx: tx.insert(shelf()))
        yield store


def changes(batch: Batch | Dropped) -> tuple[Change, ...]:
    assert isinstance(batch, Batch)
    return batch.changes


async def test_every_kind_of_column_comes_back_as_it_was(store: Store) -> None:
    stored = await store.write(lambda tx: tx.insert(crate(password="hush", order=3)))
    assert store.get(Crate, stored.uuid) == stored
    assert stored.parts == [Part(1, "x"), Part(2)]
    assert (stored.state, stored.mood, stored.heavy, stored.weight) == (OnOff.ENABLED, Mood.BAD, True, 1.5)


async def test_insert_fills_in_dates_and_sequence(store: Store) -> None:
    first = await store.write(lambda tx: tx.insert(tin("one")))
    second = await store.write(lambda tx: tx.insert(crate("two")))
    assert first.create_date == first.last_op_date == NOW + 2
    assert (first.number, second.number) == (1, 2)


async def test_insert_keeps_dates_and_sequence_that_are_given(store: Store) -> None:
    row = tin(create_date=5, last_op_date=6, number=99)
    assert await store.write(lambda tx: tx.insert(row)) == row


async def test_a_sequence_number_is_never_drawn_again(store: Store) -> None:
    first = await store.write(lambda tx: tx.insert(tin("one")))
    await store.write(lambda tx: tx.delete(first))
    second = await store.write(lambda tx: tx.insert(tin("two")))
    assert second.number == first.number + 1


async def test_the_owner_is_the_caller_the_reference_or_whoever_is_named(store: Store) -> None:
    await store.write(lambda tx: tx.insert(tin()), owner=ALICE)
    await store.write(lambda tx: tx.insert(label("l", "tin")), owner=BOB)
    await store.write(lambda tx: tx.insert(tin("other"), owner=BOB), owner=ALICE)
    assert store.owner(Box, key("tin")) == ALICE
    assert store.owner(Label, key("l")) == ALICE
    assert store.owner(Tin, key("other")) == BOB
    assert store.owner(Shelf, key("shelf")) == ADMIN_ACCOUNT


async def test_what_takes_its_owner_from_nothing_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match=r"type:BoxVO\] not found"):
        await store.write(lambda tx: tx.insert(label("l", "nothing")))


async def test_update_sets_the_named_fields_and_the_date(store: Store) -> None:
    before = await store.write(lambda tx: tx.insert(crate()))
    after = await store.write(lambda tx: tx.update(before, planks=8, mood=Mood.GOOD, parts=[]))
    assert after == msgspec.structs.replace(before, planks=8, mood=Mood.GOOD, parts=[], last_op_date=after.last_op_date)
    assert after.last_op_date > before.last_op_date
    assert store.get(Box, before.uuid) == after


async def test_update_counts_from_the_stored_row(store: Store) -> None:
    old = await store.write(lambda tx: tx.insert(crate()))
    await store.write(lambda tx: tx.update(old, planks=8))
    after = await store.write(lambda tx: tx.update(old, order=1))
    assert (after.planks, after.order) == (8, 1)


async def test_update_to_the_same_values_changes_nothing(store: Store) -> None:
    before = await store.write(lambda tx: tx.insert(crate(password="hush")))
    number = store.feed.number
    assert await store.write(lambda tx: tx.update(before, planks=7, password="hush")) == before
    assert store.feed.number == number


async def test_update_of_a_row_that_has_gone_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match=key("tin")):
        await store.write(lambda tx: tx.update(tin(), order=1))


@pytest.mark.parametrize("changes", [{"uuid": "1"}, {"create_date": 1}, {"nonsense": 1}])
async def test_update_refuses_keys_dates_and_unknown_fields(store: Store, changes: dict[str, Any]) -> None:
    row = await store.write(lambda tx: tx.insert(tin()))
    with pytest.raises(ValueError, match=next(iter(changes))):
        await store.write(lambda tx: tx.update(row, **changes))


async def test_a_row_cannot_be_what_its_discriminator_denies(store: Store) -> None:
    with pytest.raises(ValueError, match="kind is 'Tin', but must be 'Crate'"):
        await store.write(lambda tx: tx.insert(crate(kind="Tin")))
    row = await store.write(lambda tx: tx.insert(tin()))
    with pytest.raises(ValueError, match="kind is 'Crate', but must be 'Tin'"):
        await store.write(lambda tx: tx.update(row, kind="Crate"))


async def test_delete_takes_a_row_or_its_class_and_key(store: Store) -> None:
    row = await store.write(lambda tx: tx.insert(crate()))
    assert await store.write(lambda tx: tx.delete(Box, row.uuid)) == row
    assert store.get(Crate, row.uuid) is None
    assert await store.query("SELECT count(*) FROM crate") == [(0,)]
    await store.write(lambda tx: tx.insert(row))
    assert await store.write(lambda tx: tx.delete(row)) == row
    assert store.count(Box) == 0


async def test_delete_of_nothing_gives_none(store: Store) -> None:
    assert await store.write(lambda tx: tx.delete(Box, key("nothing"))) is None
    assert await store.write(lambda tx: tx.delete(tin())) is None


async def test_a_taken_uuid_is_a_conflict(store: Store) -> None:
    await store.write(lambda tx: tx.insert(tin()))
    with pytest.raises(Conflict, match=f"resource.uuid:{key('tin')}, type:TinVO. exists already"):
        await store.write(lambda tx: tx.insert(tin()))


async def test_a_taken_unique_value_is_a_conflict(store: Store) -> None:
    other = await store.write(lambda tx: tx.insert(shelf("other")))
    with pytest.raises(Conflict, match=r"a Shelf with name\[shelf\] exists already"):
        await store.write(lambda tx: tx.update(other, name="shelf"))


async def test_a_row_that_breaks_its_declaration_is_a_defect_of_ours(store: Store) -> None:
    with pytest.raises(Internal, match="breaks its own declaration"):
        await store.write(lambda tx: tx.insert(tin(colour="green")))


async def test_what_was_done_is_seen_at_once_and_by_nobody_else(store: Store) -> None:
    def change(tx: Tx) -> tuple[object, ...]:
        row = tx.insert(tin())
        seen = tx.get(Box, row.uuid), tx.find(Tin), tx.count(Box), store.get(Box, row.uuid)
        tx.delete(row)
        return (*seen, tx.get(Box, row.uuid), tx.find(Tin))

    row, found, count, outside, gone, none = await store.write(change)
    assert isinstance(row, Tin)
    assert (found, count, outside, gone, none) == ([row], 1, None, None, [])


async def test_a_remembered_row_is_not_taken_for_another_class(store: Store) -> None:
    def change(tx: Tx) -> object:
        tx.insert(tin())
        return tx.get(Crate, key("tin"))

    assert await store.write(change) is None


async def test_the_feed_gets_one_net_change_for_each_row(store: Store) -> None:
    kept = await store.write(lambda tx: tx.insert(tin("kept")))

    def change(tx: Tx) -> None:
        row = tx.insert(tin())
        tx.update(row, order=1)
        tx.update(tx.update(kept, order=2), order=None)
        tx.delete(tx.insert(tin("brief")))

    with store.feed.subscribed(10) as channel:
        await store.write(change, owner=ALICE, job="j")
        made, touched = changes(channel.receive_nowait())
    assert (made.table, made.key, made.before, made.owner, made.account, made.job) == (
        "box", key("tin"), None, ALICE, ALICE, "j",
    )  # fmt: skip
    assert made.after == store.get(Tin, key("tin"))
    assert (touched.before, touched.owner) == (kept, ADMIN_ACCOUNT)
    assert touched.after == store.get(Tin, kept.uuid)


async def test_secrets_are_sealed_in_the_file_and_redacted_in_the_feed(store: Store) -> None:
    with store.feed.subscribed(10) as channel:
        await store.write(lambda tx: tx.insert(crate(password="hush")))
        (change,) = changes(channel.receive_nowait())
    shown = change.after
    assert isinstance(shown, Crate)
    assert (shown.password, shown.key_code) == (None, "*****")
    assert await store.query("SELECT password FROM box") == [("sealed hsuh",)]
    assert await store.query("SELECT key_code FROM crate") == [("sealed 1174",)]


async def test_silent_rows_stay_out_of_the_feed(store: Store) -> None:
    number = store.feed.number
    await store.write(lambda tx: tx.insert(note("n")))
    await store.write(lambda tx: tx.insert(pulse("p")))
    await store.write(lambda tx: tx.update(tx.require(Pulse, key("p")), beats=90))
    assert store.find(Note, done=False) != []
    assert store.feed.number == number


async def test_local_rows_are_in_the_feed(store: Store) -> None:
    made = await store.write(lambda tx: tx.insert(errand("e")), owner=ALICE)
    with store.feed.subscribed(10) as channel:
        await store.write(lambda tx: tx.update(tx.require(Errand, key("e")), done=True))
        (change,) = changes(channel.receive_nowait())
    assert (change.table, change.owner) == ("errand", ALICE)
    assert (change.before, change.after) == (made, store.require(Errand, key("e")))


async def test_a_transaction_is_of_no_use_after_its_function(store: Store) -> None:
    tx = await store.write(lambda tx: tx)
    with pytest.raises(RuntimeError, match="this write has ended"):
        tx.insert(tin())
