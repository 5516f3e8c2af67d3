"""The few facts of 64-bit ELF files that an image build needs.

Primitives: `read`, and what it gives, `Elf`: the shared libraries and the loader that a program names, and the
key=value lines of a kernel module.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little-endian
_PT_LOAD, _PT_DYNAMIC, _PT_INTERP = 1, 2, 3
_DT_NULL, _DT_NEEDED, _DT_STRTAB = 0, 1, 5


@dataclass(frozen=True, slots=True)
class Elf:
    """What one ELF file says of its surroundings."""

    needed: tuple[str, ...]
    """Shared libraries by soname, in the file's order; empty for a static program."""
    interpreter: str | None
    """The path of the dynamic loader."""
    modinfo: tuple[tuple[str, str], ...]
    """A kernel module's .modinfo section, such as ("depends", "virtio,virtio_ring")."""


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    offset: int
    address: int
    size: int


def is_elf(content: bytes) -> bool:
    """Whether this is a 64-bit little-endian ELF file."""
    return content.startswith(_MAGIC)


def read(content: bytes) -> Elf:
    """Read an ELF file.

    Raises:
        ValueError: it is not a 64-bit little-endian ELF file, or it is cut short.
    """
    if not is_elf(content):
        raise ValueError("not a 64-bit little-endian ELF file")
    try:
        segments = tuple(_segments(content))
        return Elf(_needed(content, segments), _interpreter(content, segments), tuple(_modinfo(content)))
    except (struct.error, IndexError) as fault:
        raise ValueError("an ELF file that is cut short or damaged") from fault


def _segments(content: bytes) -> Iterator[_Segment]:
    (table,) = struct.unpack_from("<Q", content, 0x20)
    entry_size, count = struct.unpack_from("<HH", content, 0x36)
    for index in range(count):
        kind, _flags, offset, address, _physical, size = struct.unpack_from(
            "<IIQQQQ", content, table + index * entry_size
        )
        yield _Segment(kind, offset, address, size)


def _needed(content: bytes, segments: tuple[_Segment, ...]) -> tuple[str, ...]:
    dynamic = next((s for s in segments if s.kind == _PT_DYNAMIC), None)
    if dynamic is None:
        return ()
    names: list[int] = []
    strings = 0
    for tag, value in struct.iter_unpack("<QQ", _part(content, dynamic.offset, dynamic.size)):
        if tag == _DT_NULL:
            break
        if tag == _DT_NEEDED:
            names.append(value)
        elif tag == _DT_STRTAB:
            strings = _file_offset(segments, value)
    return tuple(_text(content, strings + name) for name in names)


def _file_offset(segments: tuple[_Segment, ...], address: int) -> int:
    for segment in segments:
        if segment.kind == _PT_LOAD and segment.address <= address < segment.address + segment.size:
            return address - segment.address + segment.offset
    raise IndexError(f"address {address:#x} is in no segment of the file")


def _interpreter(content: bytes, segments: tuple[_Segment, ...]) -> str | None:
    found = next((s for s in segments if s.kind == _PT_INTERP), None)
    return None if found is None else _text(content, found.offset)


def _modinfo(content: bytes) -> Iterator[tuple[str, str]]:
    (table,) = struct.unpack_from("<Q", content, 0x28)
    entry_size, count, names_index = struct.unpack_from("<HHH", content, 0x3A)
    sections = [struct.unpack_from("<IIQQQQ", content, table + index * entry_size) for index in range(count)]
    if not sections:
        return
    names = sections[names_index][4]
    for name, _kind, _flags, _address, offset, size in sections:
        if _text(content, names + name) != ".modinfo":
            continue
        for line in _part(content, offset, size).split(b"\0"):
            key, equals, value = line.decode("utf-8", "replace").partition("=")
            if equals:
                yield key, value


def _part(content: bytes, offset: int, size: int) -> bytes:
    part = content[offset : offset + size]
    if len(part) != size:
        raise IndexError("a part reaches beyond the end of the file")
    return part


def _text(content: bytes, offset: int) -> str:
    end = content.find(b"\0", offset)
    if end < 0:
        raise IndexError("a text has no end")
    return content[offset:end].decode("utf-8", "replace")
