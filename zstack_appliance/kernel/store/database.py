"""The database file: `open_writer`, `open_reader`, and `prepare`, which makes it fit the declarations.

A new file gets the derived schema. In an existing one, tables of resources that are new are added, tables
whose declaration has changed are refused, and tables that nobody declares any more are left as they are.
"""

from __future__ import annotations

from pathlib import Path

import apsw

from zstack_appliance.kernel.errors import Conflict

APPLICATION_ID = 0x7A737461
"""Marks the file as ours (``zsta``); SQLite keeps it in the file's header."""

FORMAT = 1
"""How the kernel's own tables and the meaning of columns are laid out; kept as ``user_version``."""

_META = 'CREATE TABLE "kernel_meta" ("name" TEXT NOT NULL PRIMARY KEY, "value" INTEGER NOT NULL) STRICT'
_HEAD = 'SELECT "value" FROM kernel_meta WHERE "name" = \'head\''

STATEMENTS = 500
"""Prepared statements that a connection keeps: about ten for each of fifty tables."""

BUSY_MILLIS = 5000
"""How long to wait for another program, such as the sqlite3 shell, that holds the file."""


def open_writer(path: Path, *, synchronous: str) -> apsw.Connection:
    """The one connection that changes the database, made if it does not exist.

    Args:
        path: the file.
        synchronous: ``FULL`` makes every commit durable by itself; ``NORMAL`` is enough where a log does.
    """
    connection = apsw.Connection(str(path), statementcachesize=STATEMENTS)
    _tune(connection)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """A connection that can only read, of an existing database."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY, statementcachesize=STATEMENTS)
    _tune(connection)
    return connection


def _tune(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MILLIS)
    # Without this, SQLite plans a join afresh for every value that is bound, which costs 10 µs a time.
    connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
    connection.execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY")


def prepare(connection: apsw.Connection, schema: dict[str, tuple[str, ...]], path: Path) -> None:
    """Make the database fit the derived schema, in one transaction.

    Raises:
        Conflict: the file is another program's, was made by a newer version, or has a table whose
            declaration has changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        existing = _existing(connection)
        if not existing:
            _found(connection)
        else:
            _check_origin(connection, path)
        _check_tables(existing, schema, path)
        for table in schema.keys() - existing.keys():
            for statement in schema[table]:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def head(connection: apsw.Connection) -> int:
    """The number of the last batch that is in the database."""
    [(number,)] = connection.execute(_HEAD).fetchall()
    assert isinstance(number, int)
    return number


def set_head(connection: apsw.Connection, number: int) -> None:
    """Note the number of the batch that the open transaction is."""
    connection.execute('UPDATE kernel_meta SET "value" = ? WHERE "name" = \'head\'', (number,))


def _existing(connection: apsw.Connection) -> dict[str, set[str]]:
    """The statements that made each table and its indexes, by table."""
    found: dict[str, set[str]] = {}
    rows = connection.execute("SELECT tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    for table, sql in rows:
        found.setdefault(str(table), set()).add(str(sql))
    return found


def _found(connection: apsw.Connection) -> None:
    connection.execute(_META)
    connection.execute("INSERT INTO kernel_meta VALUES ('head', 0)")
    connection.pragma("application_id", APPLICATION_ID)
    connection.pragma("user_version", FORMAT)


def _check_origin(connection: apsw.Connection, path: Path) -> None:
    if connection.pragma("application_id") != APPLICATION_ID:
        raise Conflict(f"{path} is another program's database; choose another --data folder")
    version = connection.pragma("user_version")
    if not isinstance(version, int) or version > FORMAT:
        raise Conflict(
            f"{path} was made by a newer version of zstack-appliance (format {version}, this one knows {FORMAT});"
            " install that version again, or choose another --data folder"
        )


def _check_tables(existing: dict[str, set[str]], schema: dict[str, tuple[str, ...]], path: Path) -> None:
    changed = sorted(t for t, made in schema.items() if t in existing and existing[t] != set(made))
    if changed:
        raise Conflict(
            f"{path} has another form of {', '.join(changed)} than this version of zstack-appliance, or of the plugin"
            " that brings it, needs; run the version that made it, or choose another --data folder"
        )
