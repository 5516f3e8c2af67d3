"""References at the end of a write: `check_references` refuses a write that leaves one dangling."""

from __future__ import annotations

import apsw

from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store.layout import home_of
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Tx


def check_references(connection: apsw.Connection, tables: Tables, tx: Tx) -> None:
    """Refuse a write after which a reference points at nothing.

    SQLite itself only looks at COMMIT, which is too late in a group: there the guilty function is no longer
    known. It counts dangling references as it goes, though, and savepoints keep the count right.

    Raises:
        Conflict: naming both ends.
    """
    dangling, _ = connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)
    if dangling:
        raise Conflict(
            _missing_target(tx) or _left_behind(tables, tx) or _left(tx) or "a reference would point at nothing"
        )


def _missing_target(tx: Tx) -> str | None:
    for table, row in tx.inserted_or_updated():
        for field, target in table.refs:
            uuid = getattr(row, field.name)
            if uuid is not None and tx.get(target, uuid) is None:
                return (
                    f"{table.cls.__name__}[uuid:{row.uuid}] refers by {field.wire} to"
                    f" resource[uuid:{uuid}, type:{describe(target).vo}], which does not exist;"
                    " it may have been deleted meanwhile"
                )
    return None


def _left_behind(tables: Tables, tx: Tx) -> str | None:
    for row in tx.deleted():
        for table, field in tables.referrers(type(row)):
            home = quoted(home_of(table.cls, field.name))
            left = tx.select(f'SELECT "uuid" FROM {home} WHERE {quoted(field.name)} = ? LIMIT 1', (row.uuid,))
            if left:
                return (
                    f"{type(row).__name__}[uuid:{row.uuid}] cannot go: {table.cls.__name__}[uuid:{left[0][0]}]"
                    f" refers to it by {field.wire}; delete or detach that first"
                )
    return None


def _left(tx: Tx) -> str | None:
    for row in tx.deleted():
        held = tx.held_by_missing(row)
        if held is not None:
            return (
                f"{type(row).__name__}[uuid:{row.uuid}] cannot go: rows of {held[1]} refer to it, and the plugin"
                f" {held[0]}, which knows them, is missing; put it back"
            )
    return None
