"""The one-file program's archive, with PyInstaller's own reader as the judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyInstaller.archive.readers import CArchiveReader

from installer.archive import NotOurProgram, append, carried, sizes, unpack
from tests.installer.one_file import IMAGE, LIBRARY, LOADER, MODULES, bare_program, one_file


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Without our files behind it."""
    return bare_program(tmp_path / "bare")


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """With an image behind it."""
    return one_file(tmp_path / "whole")


def test_appended_files_are_read_in_place_and_the_archive_is_found(bare: Path, whole: Path) -> None:
    with carried(whole) as files:
        assert files.read("images/tiny.qcow2") == IMAGE
        assert files.testzip() is None
    assert CArchiveReader(str(whole)).toc == CArchiveReader(str(bare)).toc
    assert CArchiveReader(str(whole)).extract("lib.so.1") == LIBRARY
    assert whole.read_bytes().rfind(b"MEI\014\013\012\013\016") == whole.stat().st_size - 88, "the scan ends at once"
    assert whole.stat().st_mode & 0o111


def test_appending_twice_makes_the_same_file(whole: Path, tmp_path: Path) -> None:
    append(whole.parent / "bare", tmp_path / "again", {"images/tiny.qcow2": whole.parent / "image"})
    assert (tmp_path / "again").read_bytes() == whole.read_bytes()


def test_unpacked_program_keeps_its_modules_and_finds_the_rest_beside_it(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "1.0"
    unpack(whole, folder)
    program = folder / "zstack-appliance"
    made = CArchiveReader(str(program))
    assert list(made.toc) == ["PYZ.pyz"]
    assert made.options == ["pyi-contents-directory _internal"]
    assert made.extract("PYZ.pyz") == MODULES
    assert program.read_bytes().startswith(LOADER)
    assert program.stat().st_size < len(LOADER) + len(MODULES) + 5000
    assert program.stat().st_mode & 0o111
    assert (folder / "images" / "tiny.qcow2").read_bytes() == IMAGE
    contents = folder / "_internal"
    assert (contents / "webui" / "page.html").read_text() == "<p>page</p>"
    assert (contents / "lib.so").readlink() == Path("lib.so.1")
    assert (contents / "lib.so").read_bytes() == LIBRARY
    assert (contents / "lib.so.1").stat().st_mode & 0o111


def test_sizes_add_up(whole: Path) -> None:
    found = sizes(whole)
    assert found["images/tiny.qcow2"] == len(IMAGE)
    assert found["Python modules"] == len(MODULES)
    assert sum(found.values()) == whole.stat().st_size


def test_what_is_no_program_or_was_cut_short_is_refused(bare: Path, whole: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.write_bytes(b"#!/bin/sh\n")
    cut = tmp_path / "cut"
    cut.write_bytes(whole.read_bytes()[:-1000])
    for number, path in enumerate((stranger, cut)):
        with pytest.raises(NotOurProgram, match="cut short"):
            unpack(path, tmp_path / f"out{number}")
    with pytest.raises(NotOurProgram, match="carries no files"):
        carried(bare)
