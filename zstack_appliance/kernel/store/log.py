"""The replication seam: `Entry`, one commit as other nodes get it, and `Log`, the order that all agree on.

A store with a log puts each group's changeset there before it commits, at the number after the last one it
knows. If another node was faster, the group is rolled back, what the other wrote is applied, and the
functions run again. Numbers are dense, so that a gap shows; they are the change feed's numbers too, so a
commit that only the feed tells of, to rows that are not replicated, is an entry with an empty changeset.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import apsw
import msgspec

from zstack_appliance.kernel.errors import Internal, Unavailable
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store.feed import Batch, Change
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.tables import Tables


class Entry(msgspec.Struct, frozen=True):
    """One commit."""

    number: int
    """1 for the first, and never a gap."""
    schema: str
    """`Tables.digest` of the node that wrote it."""
    changeset: bytes
    """As made by SQLite's session extension."""
    id: str = ""
    """Unlike any other entry's, so that one which is put in twice is there once."""


class InDoubt(Unavailable):
    """It is not known whether an entry got into the log. Putting the same one in again tells."""


class Log(Protocol):
    """A numbered list of entries that all nodes share."""

    async def append(self, entry: Entry) -> Sequence[Entry]:
        """Put `entry` at its number, durably, if that is the next one, or if it is there already by its id.

        It is not cancelled and must come back within a deadline of its own.

        Returns:
            Nothing if the entry is in the log now; otherwise the entries from its number on, already there.

        Raises:
            InDoubt: it is not known whether the entry got in.
            Unavailable: nobody answers, and the entry has not got in.
        """

    async def after(self, number: int) -> Sequence[Entry]:
        """The entries that follow `number`, in order.

        Raises:
            Unavailable: nobody answers.
        """

    async def news(self, number: int) -> None:
        """Return once there may be entries after `number`. It is a hint; it may come late, or without cause.

        Raises:
            Unavailable: nobody answers.
        """


class Recorder:
    """Records what a transaction does to the replicated tables, from its making to `changeset`."""

    def __init__(self, connection: apsw.Connection, tables: Tables) -> None:
        self._session = apsw.Session(connection, "main")
        for table in tables.replicated():
            self._session.attach(table)

    def changeset(self) -> bytes:
        """The net changes, empty if there are none; recording ends."""
        try:
            return self._session.changeset()
        finally:
            self.close()

    def close(self) -> None:
        """Stop recording."""
        self._session.close()


def apply(entry: Entry, connection: apsw.Connection, tables: Tables) -> Batch:
    """Do to this database what another node did to its own, inside the transaction that is open.

    Returns:
        the batch, as the feed tells it; its date is that of the latest row, so that all nodes agree.

    Raises:
        Internal: the databases differ, or the entry is of another schema. Nothing may be skipped: the node
            must stop and take a copy of another one's database.
    """
    if entry.schema != tables.digest:
        raise Internal(
            f"entry {entry.number} of the cluster's log was written by another version of this program;"
            " install the same version on every node"
        )
    keys = _keys(entry.changeset, tables)
    reader = Reader(connection, tables)
    before = [(reader.get(cls, key), reader.owner(cls, key)) for cls, key in keys]
    try:
        # Without a conflict handler the first conflict aborts. References are checked at COMMIT as ever.
        apsw.Changeset.apply(entry.changeset, connection, flags=apsw.SQLITE_CHANGESETAPPLY_FKNOACTION)
    except (apsw.AbortError, apsw.ConstraintError) as error:
        raise Internal(
            f"this node's database differs from the cluster's at entry {entry.number};"
            " restore it from another node's copy"
        ) from error
    after = [(reader.get(cls, key), reader.owner(cls, key)) for cls, key in keys]
    changes = [_change(tables, cls, key, old, new) for (cls, key), old, new in zip(keys, before, after, strict=True)]
    rows = [row for change in changes if (row := change.after or change.before) is not None]
    return Batch(entry.number, tuple(changes), max((row.last_op_date for row in rows), default=0))


_Seen = tuple[Record | None, str | None]


def _change(tables: Tables, cls: type[Record], key: str, old: _Seen, new: _Seen) -> Change:
    table = tables.of(cls)
    shown = [None if row is None else tables.of(type(row)).redacted(row) for row, _ in (old, new)]
    return Change(table.name, key, shown[0], shown[1], new[1] or old[1] or "", None, None)


def _keys(changeset: bytes, tables: Tables) -> list[tuple[type[Record], str]]:
    """The rows that a changeset touches and the feed tells of, each once, a sub-type's under its base."""
    keys: dict[tuple[type[Record], str], None] = {}
    for change in apsw.Changeset.iter(changeset):
        cls = tables.root_class(change.name)
        if cls is not None and not tables.of(cls).silent:
            # The key is the first column of every table. An insert has no old values.
            values = change.new if change.op == "INSERT" else change.old
            assert values is not None
            keys[(cls, str(values[0]))] = None
    return list(keys)
