"""Opening makes a new file, extends one that fits, and refuses one that does not."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from tests.kernel.store.nouns import NOUNS, WIRE, Mask, Note, Shelf
from zstack_appliance.kernel.derive.ddl import schema_sql
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.schema import Record, resource
from zstack_appliance.kernel.store.database import FORMAT, head, open_reader, open_writer, prepare, set_head
from zstack_appliance.kernel.store.tables import Tables

SCHEMA = Tables(NOUNS, Mask()).schema


def made(path: Path, schema: dict[str, tuple[str, ...]]) -> apsw.Connection:
    connection = open_writer(path, synchronous="OFF")
    prepare(connection, schema, path)
    return connection


def tables(connection: apsw.Connection) -> set[object]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}


def test_a_new_file_gets_the_derived_schema(tmp_path: Path) -> None:
    connection = made(tmp_path / "a.db", SCHEMA)
    assert tables(connection) == {"kernel_meta", *SCHEMA}
    assert head(connection) == 0


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    made(tmp_path / "a.db", SCHEMA).close()
    before = apsw.Connection(str(tmp_path / "a.db")).pragma("schema_version")
    assert made(tmp_path / "a.db", SCHEMA).pragma("schema_version") == before


def test_tables_come_with_new_resources_and_stay_when_they_go(tmp_path: Path) -> None:
    made(tmp_path / "a.db", schema_sql([Shelf])).close()
    made(tmp_path / "a.db", schema_sql([Shelf, Note])).close()
    assert {"shelf", "note"} <= tables(made(tmp_path / "a.db", schema_sql([Note])))


@resource(wire=WIRE, table="note")
class OtherNote(Record, frozen=True, kw_only=True):
    """Another declaration of a table."""

    done: bool
    text: str


def test_a_table_of_another_form_is_refused_and_left_alone(tmp_path: Path) -> None:
    made(tmp_path / "a.db", schema_sql([Note])).close()
    with pytest.raises(Conflict, match="has another form of note than this version"):
        made(tmp_path / "a.db", schema_sql([OtherNote, Shelf]))
    assert "shelf" not in tables(made(tmp_path / "a.db", schema_sql([Note])))


def test_an_index_that_is_missing_counts_too(tmp_path: Path) -> None:
    connection = made(tmp_path / "a.db", SCHEMA)
    connection.execute("DROP INDEX note__done")
    connection.close()
    with pytest.raises(Conflict, match="another form of note than"):
        made(tmp_path / "a.db", SCHEMA)


def test_a_newer_file_is_refused(tmp_path: Path) -> None:
    connection = made(tmp_path / "a.db", SCHEMA)
    connection.pragma("user_version", FORMAT + 1)
    connection.close()
    with pytest.raises(Conflict, match=f"made by a newer version of zstack-appliance .format {FORMAT + 1}"):
        made(tmp_path / "a.db", SCHEMA)


def test_a_strangers_file_is_refused(tmp_path: Path) -> None:
    stranger = apsw.Connection(str(tmp_path / "a.db"))
    stranger.execute("CREATE TABLE songs(title)")
    stranger.close()
    with pytest.raises(Conflict, match="another program's database"):
        made(tmp_path / "a.db", SCHEMA)


def test_the_head_is_kept(tmp_path: Path) -> None:
    connection = made(tmp_path / "a.db", SCHEMA)
    set_head(connection, 7)
    connection.close()
    assert head(made(tmp_path / "a.db", SCHEMA)) == 7


def test_commits_wait_for_the_disk_and_references_are_kept(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "a.db", synchronous="FULL")
    assert (connection.pragma("synchronous"), connection.pragma("journal_mode")) == (2, "wal")
    assert connection.pragma("foreign_keys") == 1


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    writer = made(tmp_path / "a.db", SCHEMA)
    reader = open_reader(tmp_path / "a.db")
    with pytest.raises(apsw.ReadOnlyError):
        reader.execute("DELETE FROM shelf")
    reader.close()
    writer.close()
