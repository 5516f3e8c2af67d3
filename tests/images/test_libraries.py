"""Programs bring along the libraries they name, and a missing one is named."""

from __future__ import annotations

import pytest

from images.libraries import MissingFileError, with_libraries
from images.tree import Entry, File, Link
from tests.images import elves

LIB = "usr/lib/x86_64-linux-gnu"


def shelf() -> dict[str, Entry]:
    return {
        "usr/sbin/serve": File(elves.program(["libz.so.1", "libc.so.6"], "/lib64/ld.so"), 0o755),
        f"{LIB}/libz.so.1": Link("libz.so.1.2.13"),
        f"{LIB}/libz.so.1.2.13": File(elves.program(["libc.so.6"])),
        "usr/lib/libc.so.6": File(elves.program()),
        "usr/lib64/ld.so": Link("/lib/ld.so"),
        "usr/lib/ld.so": File(elves.program()),
        f"{LIB}/libunused.so.1": File(elves.program()),
        "etc/motd": File(b"hello"),
    }


def test_libraries_come_along_under_their_sonames() -> None:
    chosen = with_libraries(["usr/sbin/serve"], shelf())
    assert set(chosen) == {"usr/sbin/serve", f"{LIB}/libz.so.1", "usr/lib/libc.so.6", "usr/lib64/ld.so"}
    assert chosen[f"{LIB}/libz.so.1"] == shelf()[f"{LIB}/libz.so.1.2.13"]
    assert all(isinstance(entry, File) for entry in chosen.values())


def test_a_file_that_is_no_program_needs_nothing() -> None:
    assert with_libraries(["etc/motd"], shelf()) == {"etc/motd": File(b"hello")}


def test_libraries_that_need_one_another_end() -> None:
    circle: dict[str, Entry] = {
        "usr/lib/a.so": File(elves.program(["b.so"])),
        "usr/lib/b.so": File(elves.program(["a.so"])),
    }
    assert with_libraries(["usr/lib/a.so"], circle) == circle


def test_a_missing_library_is_named_with_the_one_that_asked() -> None:
    without = shelf()
    del without["usr/lib/libc.so.6"]
    with pytest.raises(MissingFileError, match=r"libc\.so\.6, asked for by usr/.*none of the recipe's packages"):
        with_libraries(["usr/sbin/serve"], without)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(MissingFileError, match="usr/bin/absent, asked for by the recipe's files"):
        with_libraries(["usr/bin/absent"], shelf())
