"""Derived files are what the declarations give, and one that is not is noticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests import derived
from tests.derived import DERIVED, ROOT, Derived, main, schema, stale, write


@pytest.mark.parametrize("file", DERIVED, ids=lambda file: file.path)
def test_committed_files_are_current(file: Derived) -> None:
    """What is committed is what would be made now."""
    assert stale(ROOT, file) == ""


def test_the_schema_makes_a_database() -> None:
    """SQLite takes the file as it is, kernel tables and resources alike."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(schema())
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert {"vm_instance", "zone", "job", "flow_run", "kernel_sequence"} <= tables


def test_a_stale_file_is_shown_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that differs fails the check with a diff; writing it makes the check pass."""
    declared = Derived("folder/file", lambda: "one\ntwo\n")
    monkeypatch.setattr(derived, "ROOT", tmp_path)
    monkeypatch.setattr(derived, "DERIVED", (declared,))
    assert "+one\n+two\n" in stale(tmp_path, declared), "a missing file is stale too"
    write(tmp_path, declared)
    assert CliRunner().invoke(main).exit_code == 0
    (tmp_path / "folder" / "file").write_text("one\nthree\n")
    checked = CliRunner().invoke(main)
    assert checked.exit_code == 1
    assert "-three\n+two\n" in checked.output
    assert CliRunner().invoke(main, ["--write"]).exit_code == 0
    assert (tmp_path / "folder" / "file").read_text() == "one\ntwo\n"
