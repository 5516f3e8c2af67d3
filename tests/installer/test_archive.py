"""The one-file program's archive, with PyInstaller's own reader as the judge."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyInstaller.archive.readers import CArchiveReader
from PyInstaller.archive.writers import CArchiveWriter

from installer.archive import NotOurProgram, append, carried, sizes, write_unpacked

LOADER = b"\x7fELF boot loader " * 1000
IMAGE = bytes(range(256)) * 5000


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A one-file program without our files: a boot loader, and an archive as PyInstaller writes it."""
    library, modules, page = tmp_path / "lib.so", tmp_path / "PYZ.pyz", tmp_path / "page.html"
    library.write_bytes(b"library" * 5000)
    modules.write_bytes(b"modules" * 5000)
    page.write_text("<p>page</p>")
    package = tmp_path / "package"
    CArchiveWriter(
        str(package),
        [
            ("pyi-contents-directory _old", "", False, "o"),
            ("PYZ.pyz", str(modules), False, "z"),
            ("lib.so", str(library), True, "b"),
            ("webui/page.html", str(page), True, "x"),
        ],
        pylib_name="libpython3.11.so.1.0",
    )
    path = tmp_path / "program"
    path.write_bytes(LOADER + package.read_bytes())
    return path


@pytest.fixture
def whole(program: Path, tmp_path: Path) -> Path:
    """The same with an image behind it."""
    image = tmp_path / "image"
    image.write_bytes(IMAGE)
    out = tmp_path / "whole"
    append(program, out, {"images/tiny.qcow2": image})
    return out


def test_appended_files_are_read_in_place_and_the_archive_is_found(program: Path, whole: Path) -> None:
    with carried(whole) as files:
        assert files.read("images/tiny.qcow2") == IMAGE
        assert files.testzip() is None
    assert CArchiveReader(str(whole)).toc == CArchiveReader(str(program)).toc
    assert CArchiveReader(str(whole)).extract("lib.so") == b"library" * 5000
    assert whole.read_bytes().rfind(b"MEI\014\013\012\013\016") == whole.stat().st_size - 88, "the scan ends at once"
    assert whole.stat().st_mode & 0o111


def test_appending_twice_makes_the_same_file(program: Path, whole: Path, tmp_path: Path) -> None:
    append(program, tmp_path / "again", {"images/tiny.qcow2": tmp_path / "image"})
    assert (tmp_path / "again").read_bytes() == whole.read_bytes()


def test_unpacked_program_keeps_its_modules_alone(whole: Path, tmp_path: Path) -> None:
    write_unpacked(whole, tmp_path / "unpacked")
    made = CArchiveReader(str(tmp_path / "unpacked"))
    assert list(made.toc) == ["PYZ.pyz"]
    assert made.options == ["pyi-contents-directory _internal"]
    assert made.extract("PYZ.pyz") == b"modules" * 5000
    content = (tmp_path / "unpacked").read_bytes()
    assert content.startswith(LOADER)
    assert len(content) < len(LOADER) + 40_000
    assert (tmp_path / "unpacked").stat().st_mode & 0o111


def test_sizes_add_up(whole: Path) -> None:
    found = sizes(whole)
    assert found["images/tiny.qcow2"] == len(IMAGE)
    assert found["Python modules"] == 35000
    assert sum(found.values()) == whole.stat().st_size


def test_what_is_no_program_is_refused(program: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    stranger.write_bytes(b"#!/bin/sh\n")
    with pytest.raises(NotOurProgram, match="cut short"):
        write_unpacked(stranger, tmp_path / "out")
    with pytest.raises(NotOurProgram, match="carries no files"):
        carried(program)
