"""Functions share a transaction, and each of them succeeds or fails alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
import trio

from tests.kernel.store.nouns import ALICE, NOUNS, NOW, Mask, Shelf, note, shelf, tin
from zstack_appliance.kernel.errors import Conflict, Unavailable
from zstack_appliance.kernel.store.database import open_writer, prepare
from zstack_appliance.kernel.store.group import Group, Write
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Origin, Tx

TABLES = Tables(NOUNS, Mask())


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = open_writer(tmp_path / "cloud.db", synchronous="OFF")
    prepare(connection, TABLES.schema, tmp_path / "cloud.db")
    yield connection
    connection.close()


def write(function: Callable[[Tx], Any]) -> Write:
    return Write(function, Origin(ALICE, None, NOW), trio.lowlevel.current_task())


def names(connection: apsw.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM shelf ORDER BY name")]


async def test_each_function_sees_what_came_before_it(connection: apsw.Connection) -> None:
    group = Group(connection, TABLES)
    first, second = write(lambda tx: tx.insert(shelf("a")).name), write(lambda tx: tx.count(Shelf))
    group.run(first)
    group.run(second)
    assert (first.value, second.value) == ("a", 1)


async def test_a_function_that_fails_is_undone_alone(connection: apsw.Connection) -> None:
    def fail(tx: Tx) -> None:
        tx.insert(shelf("b"))
        raise KeyError("mine")

    group = Group(connection, TABLES)
    failing = write(fail)
    for each in (write(lambda tx: tx.insert(shelf("a"))), failing, write(lambda tx: tx.insert(shelf("c")))):
        group.run(each)
    connection.execute("COMMIT")
    assert isinstance(failing.error, KeyError)
    assert names(connection) == ["a", "c"]
    assert [change.after.name for change in group.changes if isinstance(change.after, Shelf)] == ["a", "c"]


async def test_a_dangling_reference_fails_its_own_function(connection: apsw.Connection) -> None:
    group = Group(connection, TABLES)
    dangling, sound = write(lambda tx: tx.insert(tin(on="nowhere"))), write(lambda tx: tx.insert(shelf("a")))
    group.run(dangling)
    group.run(sound)
    connection.execute("COMMIT")
    assert isinstance(dangling.error, Conflict)
    assert names(connection) == ["a"]


async def test_a_function_may_run_again_after_a_rollback(connection: apsw.Connection) -> None:
    again = write(lambda tx: tx.insert(shelf("a")).name)
    for _ in range(2):
        group = Group(connection, TABLES)
        group.run(again)
        group.rollback()
    assert (again.value, again.error, names(connection)) == ("a", None, [])


async def test_it_knows_whether_anything_was_changed(connection: apsw.Connection) -> None:
    group = Group(connection, TABLES)
    group.run(write(lambda tx: tx.find(Shelf)))
    before = group.dirty
    group.run(write(lambda tx: tx.insert(note("n"))))
    assert (before, group.dirty, group.changes) == (False, True, [])


async def test_an_asynchronous_function_is_refused(connection: apsw.Connection) -> None:
    async def wrong(tx: Tx) -> None:
        tx.insert(shelf("a"))

    group = Group(connection, TABLES)
    each = write(wrong)
    group.run(each)
    assert isinstance(each.error, TypeError)
    assert "asynchronous" in str(each.error)


async def test_a_transaction_that_sqlite_gave_up_fails_the_group(connection: apsw.Connection) -> None:
    def lose(_: Tx) -> None:
        connection.execute("ROLLBACK")
        raise apsw.FullError("database or disk is full")

    group = Group(connection, TABLES)
    with pytest.raises(Unavailable, match="disk is full; look at the data folder's disk"):
        group.run(write(lose))
    group.rollback()
