"""Reading rows: `Reader`, over one connection and whatever it sees of the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import apsw

from zstack_appliance.kernel.derive.ddl import OWNER, quoted
from zstack_appliance.kernel.errors import not_found
from zstack_appliance.kernel.schema import Field, Record, Ref, describe
from zstack_appliance.kernel.store.layout import chain_of
from zstack_appliance.kernel.store.table import Statement
from zstack_appliance.kernel.store.tables import Tables

R = TypeVar("R", bound=Record)


class Reader:
    """Reads typed rows.

    Args:
        connection: used by one thread at a time.
        tables: the registered resources.
    """

    def __init__(self, connection: apsw.Connection, tables: Tables) -> None:
        self._connection = connection
        self._tables = tables

    def get(self, cls: type[R], uuid: str) -> R | None:
        """The row with this key, or None; for a base class, as the sub-type that it is."""
        table = self._tables.of(cls)
        rows = self._fetch(table.get(uuid))
        return table.layout.decode(rows[0]) if rows else None

    def require(self, cls: type[R], uuid: str) -> R:
        """The row with this key.

        Raises:
            NotFound: there is none.
        """
        row = self.get(cls, uuid)
        if row is None:
            raise not_found(describe(cls).vo, uuid)
        return row

    def find(self, cls: type[R], **equals: Any) -> list[R]:
        """The rows whose fields have these values, oldest first.

        Args:
            cls: the class; a base class gives each row as the sub-type that it is.
            equals: None means null; a tuple, list or set means any of its members.

        Raises:
            KeyError: the class has no such field.
            ValueError: the field is secret or JSON.
        """
        table = self._tables.of(cls)
        return list(map(table.layout.decode, self._fetch(table.find(equals))))

    def count(self, cls: type[R], **equals: Any) -> int:
        """How many rows `find` would give."""
        [(number,)] = self._fetch(self._tables.of(cls).count(equals))
        return int(number)

    def owner(self, cls: type[R], uuid: str) -> str | None:
        """The account that a row belongs to; None where there is no such row."""
        rows = self._fetch((self._tables.of(cls).owner_sql, (uuid,)))
        return str(rows[0][0]) if rows else None

    def referrers(self, row: Record) -> Iterator[tuple[type[Record], Field, Ref]]:
        """Every reference that may lead to this row: the class that declares it, and its field."""
        for table, field in self._tables.referrers(type(row)):
            cls: type[Record] = table.cls
            if field.ref is not None and field in describe(cls).own_fields:
                yield cls, field, field.ref

    def companions(self, uuid: str) -> list[Record]:
        """The rows that go with whatever row has this key, such as its tags."""
        return [row for cls, field in self._tables.companions for row in self.find(cls, **{field.name: uuid})]

    def belongings(self, account: str) -> list[Record]:
        """Every row that an account owns for itself, but its own; journals are left out."""
        found: list[Record] = []
        for cls in self._tables.owned:
            statement = f'SELECT "uuid" FROM {quoted(describe(cls).table)} WHERE {quoted(OWNER)} = ?'
            uuids = [uuid for (uuid,) in self.select(statement, (account,)) if uuid != account]
            found += self.find(cls, uuid=uuids) if uuids else []
        return found

    def missing_plugin(self, row: Record) -> str | None:
        """The missing plugin that brought the sub-type of a row; None for any other row."""
        return self._tables.absent.plugin_of(row)

    def held_by_missing(self, row: Record) -> tuple[str, str] | None:
        """A missing plugin, and the table of it, with a row that refers to this one and does not make way."""
        for reference in self._tables.absent.references:
            if reference.target in _tables_of(row) and not reference.key and not reference.yields:
                wanted = f"{quoted(reference.column)} = ? LIMIT 1"
                if self.select(f"SELECT 1 FROM {quoted(reference.table)} WHERE {wanted}", (row.uuid,)):
                    return self._tables.absent.tables[reference.table], reference.table
        return None

    def anything(self, uuid: str) -> Record | None:
        """The row with this key, of whatever class."""
        return next((row for cls in self._tables.bases if (row := self.get(cls, uuid)) is not None), None)

    def select(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The result rows of any statement that changes nothing, as SQLite's values.

        Raises:
            apsw.Error: the statement is wrong, or would change something.
        """
        cursor = self._connection.cursor()
        cursor.exec_trace = _only_reads
        return cursor.execute(sql, bindings).fetchall()

    def _fetch(self, statement: Statement) -> list[tuple[Any, ...]]:
        # Everything is fetched at once, so that no statement stays open and pins the database's past.
        return self._connection.execute(*statement).fetchall()


def _tables_of(row: Record) -> tuple[str, ...]:
    return tuple(part.table for part in chain_of(type(row)))


def _only_reads(cursor: apsw.Cursor, _sql: str, _bindings: object) -> bool:
    """Called by apsw before a statement runs; False stops it."""
    return cursor.is_readonly
