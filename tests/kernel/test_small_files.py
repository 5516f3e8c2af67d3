"""Small files are replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from zstack_appliance.kernel.small_files import read_text, replace_text


@pytest.mark.parametrize("durable", [False, True])
def test_a_file_gets_its_content_and_permissions(tmp_path: Path, durable: bool) -> None:
    file = tmp_path / "list"
    for text in ("one\n", "two\n"):
        replace_text(file, text, mode=0o640, durable=durable)
        assert read_text(file) == text
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_who_has_the_old_file_open_keeps_it_whole(tmp_path: Path) -> None:
    file = tmp_path / "list"
    replace_text(file, "old\n")
    with file.open() as reader:
        replace_text(file, "new\n")
        assert reader.read() == "old\n"


def test_what_a_crash_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "list.part").write_text("ha")
    replace_text(tmp_path / "list", "whole\n")
    assert read_text(tmp_path / "list") == "whole\n"


def test_a_missing_file_has_no_content(tmp_path: Path) -> None:
    assert read_text(tmp_path / "none") is None
