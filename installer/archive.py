"""The one-file program from inside: PyInstaller's archive at its end, and the zip that we add behind that.

Primitives: `append` adds files that are read in place and never unpacked at a start, `carried` opens them, and
`unpack` makes, of a one-file program, one that starts from a folder.

The boot loader looks for its archive from the end of the file backwards, so files behind it would cost a scan
over all of them at every start: 190 ms for 60 MB. The zip's comment therefore repeats the archive's last
record, its cookie, with the length enlarged by what has been added, and the scan ends at once.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

CONTENTS = "_internal"
"""The folder beside an unpacked program that holds what a one-file program would unpack."""

PROGRAM = "zstack-appliance"
"""The name of the program in the folder that it is unpacked to."""

_COOKIE = struct.Struct("!8sIIII64s")
_MAGIC = b"MEI\014\013\012\013\016"
_ENTRY = struct.Struct("!IIIIBc")
_ALIGNMENT = 16
_OPTION, _BINARY, _LINK = b"o", b"b", b"n"
_READ_IN_PLACE = (b"z", b"m", b"M", b"s", _OPTION)
"""Entries that the program reads from its own file: modules, scripts, options. All others are unpacked."""
_EPOCH = (2023, 1, 1, 0, 0, 0)
"""The time of every file that is added, so that a build can be repeated bit for bit."""


class NotOurProgram(Exception):
    """A file is no one-file program, or was cut short: download or build it again."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """The archive's last record. Lengths and offsets are bytes; `length` counts the cookie itself."""

    length: int
    toc_offset: int
    toc_length: int
    python: int
    library: bytes

    def pack(self) -> bytes:
        """As it stands in the file."""
        return _COOKIE.pack(_MAGIC, self.length, self.toc_offset, self.toc_length, self.python, self.library)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in the archive: where it begins there, its length as stored and as used, and its name."""

    offset: int
    length: int
    size: int
    compressed: int
    kind: bytes
    name: bytes

    def pack(self) -> bytes:
        """As it stands in the archive's table of contents, whose rows are aligned."""
        name = self.name + b"\0"
        name += b"\0" * (-(_ENTRY.size + len(name)) % _ALIGNMENT)
        row = _ENTRY.pack(_ENTRY.size + len(name), self.offset, self.length, self.size, self.compressed, self.kind)
        return row + name


def append(program: Path, out: Path, files: Mapping[str, Path]) -> None:
    """Write `program` and behind it a zip of `files`, by name; stored, as images are compressed already.

    Raises:
        NotOurProgram: `program` has no archive.
    """
    content = program.read_bytes()
    at, cookie = _find_cookie(content)
    start = at + _COOKIE.size - cookie.length
    unfinished = out.with_name(f".{out.name}.part")
    unfinished.write_bytes(content)
    with zipfile.ZipFile(unfinished, "a", zipfile.ZIP_STORED) as added:
        for name, path in sorted(files.items()):
            added.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes())
        # The comment's length changes nothing before it, so the end is known once it has any of this length.
        added.comment = cookie.pack()
    end = unfinished.stat().st_size
    with unfinished.open("r+b") as file:
        file.seek(end - _COOKIE.size)
        file.write(replace(cookie, length=end - start).pack())
    unfinished.chmod(0o755)
    unfinished.replace(out)


def carried(program: Path) -> zipfile.ZipFile:
    """The files behind a one-file program.

    Raises:
        NotOurProgram: there are none.
    """
    try:
        return zipfile.ZipFile(program)
    except zipfile.BadZipFile as error:
        raise NotOurProgram(f"{program} carries no files ({error}): it was cut short; get it again") from error


def unpack(program: Path, folder: Path) -> None:
    """Write a one-file program as one that starts from `folder`, which is made: quick to start, nothing to unpack.

    The program itself is `PROGRAM` there, its libraries are in `CONTENTS`, what it carries is beside them.

    Raises:
        NotOurProgram: `program` is none, or was cut short.
    """
    folder.mkdir(parents=True)
    write_unpacked(program, folder / PROGRAM)
    contents = folder / CONTENTS
    with program.open("rb") as file:
        start, cookie = _locate(file)
        file.seek(start + cookie.toc_offset)
        for entry in _entries(file.read(cookie.toc_length)):
            if entry.kind not in _READ_IN_PLACE:
                file.seek(start + entry.offset)
                _unpack_entry(entry, file.read(entry.length), contents)
    with carried(program) as files:
        files.extractall(folder)


def _unpack_entry(entry: Entry, stored: bytes, contents: Path) -> None:
    path = contents / os.fsdecode(entry.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = zlib.decompress(stored) if entry.compressed else stored
    if len(content) != entry.size:
        raise NotOurProgram(f"{path.name} in the program is damaged; get it again")
    if entry.kind == _LINK:
        path.symlink_to(os.fsdecode(content.rstrip(b"\0")))
        return
    path.write_bytes(content)
    path.chmod(0o755 if entry.kind == _BINARY else 0o644)


def write_unpacked(program: Path, out: Path) -> None:
    """Write the program that starts from `CONTENTS` beside it: the boot loader, the modules, and nothing else.

    Raises:
        NotOurProgram: `program` has no archive.
    """
    with program.open("rb") as file:
        start, cookie = _locate(file)
        file.seek(start + cookie.toc_offset)
        entries = [entry for entry in _entries(file.read(cookie.toc_length)) if entry.kind in _READ_IN_PLACE]
        file.seek(0)
        with out.open("wb") as made:
            made.write(file.read(start))
            kept: list[Entry] = []
            for entry in entries:
                file.seek(start + entry.offset)
                kept.append(replace(entry, offset=made.tell() - start))
                made.write(file.read(entry.length))
            option = f"pyi-contents-directory {CONTENTS}".encode()
            kept = [entry for entry in kept if not entry.name.startswith(b"pyi-contents-directory")]
            kept.append(Entry(made.tell() - start, 0, 0, 0, _OPTION, option))
            toc = b"".join(entry.pack() for entry in kept)
            toc_offset = made.tell() - start
            made.write(toc)
            length = toc_offset + len(toc) + _COOKIE.size
            made.write(replace(cookie, length=length, toc_offset=toc_offset, toc_length=len(toc)).pack())
            made.flush()
            os.fsync(made.fileno())
    out.chmod(0o755)


def sizes(program: Path) -> dict[str, int]:
    """Bytes of a one-file program by part, as they are stored in it; the sum is the file's size."""
    found: dict[str, int] = {}
    with program.open("rb") as file:
        start, cookie = _locate(file)
        file.seek(start + cookie.toc_offset)
        for entry in _entries(file.read(cookie.toc_length)):
            part = _part(entry)
            found[part] = found.get(part, 0) + entry.length
    with carried(program) as added:
        for info in added.infolist():
            found[info.filename] = info.compress_size
    found["boot loader and tables"] = program.stat().st_size - sum(found.values())
    return found


def _part(entry: Entry) -> str:
    name = entry.name.decode(errors="replace")
    if entry.kind == b"z":
        return "Python modules"
    if entry.kind == b"b":
        return "native libraries"
    top, _, rest = name.partition("/")
    return f"{top}/" if rest else "other files"


def _locate(file: BinaryIO) -> tuple[int, Cookie]:
    """Where the archive begins, and its cookie."""
    file.seek(0, os.SEEK_END)
    end = file.tell()
    file.seek(max(0, end - _COOKIE.size))
    at, cookie = _find_cookie(file.read())
    return max(0, end - _COOKIE.size) + at + _COOKIE.size - cookie.length, cookie


def _find_cookie(content: bytes) -> tuple[int, Cookie]:
    at = content.rfind(_MAGIC)
    if at < 0 or at + _COOKIE.size > len(content):
        raise NotOurProgram("the file has no archive at its end: it is no one-file program, or was cut short")
    _, length, toc_offset, toc_length, python, library = _COOKIE.unpack_from(content, at)
    return at, Cookie(length, toc_offset, toc_length, python, library)


def _entries(toc: bytes) -> Iterator[Entry]:
    at = 0
    while at < len(toc):
        row, offset, length, size, compressed, kind = _ENTRY.unpack_from(toc, at)
        yield Entry(offset, length, size, compressed, kind, toc[at + _ENTRY.size : at + row].rstrip(b"\0"))
        at += row
