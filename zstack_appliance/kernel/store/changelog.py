"""The change log: what every commit changed, written down in that commit.

Primitives: `keep` (write a batch down), `after` (read batches again, in order), `of` (what happened to one row,
newest first), `floor` and `forget` (its old end goes). A change is kept unless its resource is a journal or
silent, or only fields marked `VOLATILE` differ. Secrets were redacted before they got here.

A batch is one row, by its number in the change feed, and an index leads from each changed row to its batches:
one statement for a commit's content and one short index entry for each change is what writing costs. A change
holds the row as it became and, of what it was, only the fields that differ.

Numbers are those of the feed, dense across restarts; a batch of which nothing is kept has a number and no row.
With a replicated log each node keeps what it applies, under the number of the log's entry. So the tables are no
part of replication, and all nodes agree on numbers, rows and dates; on whose behalf a change was made, and by
which call, is known where it was made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apsw
import msgspec

from zstack_appliance.kernel.derive.ddl import CHANGES, CHANGES_OF
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store.feed import Batch, Change
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.tables import Tables

_KEEP = f'INSERT INTO "{CHANGES}" ("number", "at", "body") VALUES (?, ?, ?)'
_INDEX = f'INSERT OR IGNORE INTO "{CHANGES_OF}" ("uuid", "number") VALUES (?, ?)'
_AFTER = f'SELECT "number", "at", "body" FROM "{CHANGES}" WHERE "number" > ? AND "number" <= ? ORDER BY 1 LIMIT ?'
_OF = (
    f'SELECT log."number", log."at", log."body" FROM "{CHANGES_OF}" one JOIN "{CHANGES}" log USING ("number")'
    ' WHERE one."uuid" = ? AND one."number" < ? ORDER BY one."number" DESC LIMIT ?'
)
_NEXT = (
    f'SELECT log."number", log."at", log."body" FROM "{CHANGES_OF}" one JOIN "{CHANGES}" log USING ("number")'
    ' WHERE one."uuid" = ? AND one."number" > ? ORDER BY one."number" LIMIT 1'
)
_OLDEST = f'SELECT "number", "body" FROM "{CHANGES}" WHERE "number" <= ? ORDER BY 1 LIMIT ?'
_UNINDEX = f'DELETE FROM "{CHANGES_OF}" WHERE "uuid" = ? AND "number" = ?'
_FORGET = f'DELETE FROM "{CHANGES}" WHERE "number" = ?'
_FLOOR = 'SELECT "value" FROM kernel_meta WHERE "name" = \'floor\''
_SET_FLOOR = (
    'INSERT INTO kernel_meta ("name", "value") VALUES (\'floor\', ?)'
    ' ON CONFLICT DO UPDATE SET "value" = excluded."value"'
)

LATEST = 2**63 - 1
"""A number above every batch's."""


class Line(msgspec.Struct, array_like=True, frozen=True):
    """One change as it is kept: rows by wire names, as JSON."""

    cls: str
    """The row's class, a sub-type as such."""
    table: str
    key: str
    owner: str
    account: str | None
    job: str | None
    api: str | None
    after: Any
    """None for a row that is gone."""
    before: Any
    """None for a row that was not there; for one that stayed, the fields that differ; else the whole row."""


class _Key(msgspec.Struct, array_like=True, frozen=True):
    """A line of which only the key is of interest."""

    cls: str
    table: str
    key: str


@dataclass(frozen=True, slots=True)
class Past:
    """One change of one row, read again."""

    number: int
    at: int
    """Milliseconds UTC."""
    line: Line


_encoder = msgspec.json.Encoder()
_lines = msgspec.json.Decoder(list[Line])
_keys = msgspec.json.Decoder(list[_Key])


def keep(connection: apsw.Connection, tables: Tables, batch: Batch) -> None:
    """Write a batch down, inside the transaction that makes it."""
    lines = list(_kept(tables, batch.changes))
    if lines:
        connection.execute(_KEEP, (batch.number, batch.at, _encoder.encode(lines)))
        connection.executemany(_INDEX, [(line.key, batch.number) for line in lines])


def is_kept(tables: Tables, change: Change) -> bool:
    """Whether a change is worth keeping."""
    row = change.after or change.before
    if row is None:
        return False
    table = tables.of(type(row))
    if table.journal:
        return False
    if change.before is None or change.after is None:
        return True
    return not table.volatile.issuperset(differences(change.before, change.after))


def _kept(tables: Tables, changes: Iterable[Change]) -> Iterator[Line]:
    for change in changes:
        if not is_kept(tables, change):
            continue
        before: Any = change.before
        if change.before is not None and change.after is not None:
            before = differences(change.before, change.after)
        yield Line(
            type(change.after or change.before).__name__, change.table, change.key, change.owner,
            change.account, change.job, change.api, change.after, before,
        )  # fmt: skip


def differences(before: Record, after: Record) -> dict[str, Any]:
    """What a row had in the fields that differ, by wire name."""
    cls = type(after)
    return {
        wire: old
        for name, wire in zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True)
        if (old := getattr(before, name)) != getattr(after, name)
    }


def after(reader: Reader, tables: Tables, number: int, through: int, limit: int) -> list[Batch]:
    """The batches that follow `number`, up to `through`, in order, at most `limit` of them.

    Changes of resources that nobody declares any more are left out.

    Raises:
        msgspec.ValidationError: a row no longer fits its declaration.
    """
    rows = reader.select(_AFTER, (number, through, limit))
    return [Batch(number, tuple(_changes(tables, _lines.decode(body))), at) for number, at, body in rows]


def _changes(tables: Tables, lines: Sequence[Line]) -> Iterator[Change]:
    for line in lines:
        cls = tables.named(line.cls)
        if cls is not None:
            old, new = rows_of(line, cls)
            yield Change(line.table, line.key, old, new, line.owner, line.account, line.job, line.api)


def rows_of(line: Line, cls: type[Record]) -> tuple[Record | None, Record | None]:
    """A line's row as it was and as it became.

    Raises:
        msgspec.ValidationError: it no longer fits its declaration.
    """
    new = None if line.after is None else msgspec.convert(line.after, cls)
    if line.before is None:
        return None, new
    # A field that differs and was null stands there as null; one that does not differ is not there.
    old = line.before if line.after is None else {**line.after, **line.before}
    return msgspec.convert(old, cls), new


def of(reader: Reader, uuid: str, before: int = LATEST, limit: int = 100) -> list[Past]:
    """What happened to the row with this key in the latest batches before the one numbered `before`, newest first.

    Args:
        reader: reads.
        uuid: the row's.
        before: a batch's number.
        limit: batches at most.
    """
    found: list[Past] = []
    for number, at, body in reader.select(_OF, (uuid, before, limit)):
        found += [Past(number, at, line) for line in reversed(_lines.decode(body)) if line.key == uuid]
    return found


def next_of(reader: Reader, uuid: str, number: int) -> Past | None:
    """The first thing that happened to the row with this key after batch `number`; None when nothing has."""
    for found, at, body in reader.select(_NEXT, (uuid, number)):
        return next(Past(found, at, line) for line in _lines.decode(body) if line.key == uuid)
    return None


def floor(reader: Reader) -> int:
    """The number up to which batches have been forgotten; 0 when none has been."""
    rows = reader.select(_FLOOR)
    return int(rows[0][0]) if rows else 0


def cut(reader: Reader, until: int, rows: int) -> int:
    """The number through which the log is due to be forgotten.

    Args:
        reader: reads.
        until: milliseconds UTC; batches before go.
        rows: how many batches may stay.
    """
    old = reader.select(f'SELECT "number" FROM "{CHANGES}" WHERE "at" < ? ORDER BY 1 DESC LIMIT 1', (until,))
    many = reader.select(f'SELECT "number" FROM "{CHANGES}" ORDER BY 1 DESC LIMIT 1 OFFSET ?', (rows,))
    return max((int(number) for found in (old, many) for (number,) in found), default=0)


def forget(connection: apsw.Connection, through: int, at_most: int) -> int:
    """Remove the oldest batches, inside the open transaction, and give how many.

    Args:
        connection: the writer's.
        through: the last number that may go.
        at_most: how many batches; the caller comes again for the rest.
    """
    rows: list[tuple[Any, ...]] = connection.execute(_OLDEST, (through, at_most)).fetchall()
    for number, body in rows:
        connection.executemany(_UNINDEX, [(key.key, number) for key in _keys.decode(body)])
        connection.execute(_FORGET, (number,))
        connection.execute(_SET_FLOOR, (number,))
    return len(rows)


def date_of(reader: Reader, number: int) -> int:
    """Milliseconds UTC of the latest batch up to this number of which something is kept; 0 without one."""
    rows = reader.select(f'SELECT "at" FROM "{CHANGES}" WHERE "number" <= ? ORDER BY "number" DESC LIMIT 1', (number,))
    return int(rows[0][0]) if rows else 0
