"""Rows in tables that nobody declares any more, when what they refer to goes: `clear_left`, `erase_sub_types`.

Nobody can read such rows, but SQLite still minds their references.
"""

from __future__ import annotations

import apsw

from zstack_appliance.kernel.absent import LeftReference
from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store.layout import chain_of
from zstack_appliance.kernel.store.tables import Tables


def clear_left(connection: apsw.Connection, tables: Tables, row: Record, *, by_force: bool) -> None:
    """Have what refers to a row make way; what may not stays, and the write is refused for it."""
    for part in chain_of(type(row)):
        _clear(connection, tables.absent.references, part.table, row.uuid, by_force=by_force)


def erase_sub_types(connection: apsw.Connection, tables: Tables, row: Record) -> None:
    """Take away what a missing sub-type stores of a row that goes."""
    for part in chain_of(type(row)):
        for reference in tables.absent.references:
            if reference.key and reference.target == part.table:
                _erase(connection, tables.absent.references, reference.table, row.uuid, by_force=True)


def _clear(
    connection: apsw.Connection, references: tuple[LeftReference, ...], table: str, uuid: str, *, by_force: bool
) -> None:
    for reference in references:
        if reference.target != table or reference.key or not (by_force or reference.yields):
            continue
        place, column = quoted(reference.table), quoted(reference.column)
        if reference.nullable and (by_force or reference.effect == "set_null"):
            connection.execute(f"UPDATE {place} SET {column} = NULL WHERE {column} = ?", (uuid,))
            continue
        for (key,) in connection.execute(f'SELECT "uuid" FROM {place} WHERE {column} = ?', (uuid,)).fetchall():
            _erase(connection, references, reference.table, str(key), by_force=by_force)


def _erase(
    connection: apsw.Connection, references: tuple[LeftReference, ...], table: str, uuid: str, *, by_force: bool
) -> None:
    """Delete one row, with what stands below it and what its sub-types store of it."""
    _clear(connection, references, table, uuid, by_force=by_force)
    for reference in references:
        if reference.key and reference.target == table:
            _erase(connection, references, reference.table, uuid, by_force=by_force)
    connection.execute(f'DELETE FROM {quoted(table)} WHERE "uuid" = ?', (uuid,))
