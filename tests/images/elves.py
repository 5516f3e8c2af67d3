"""Makes small ELF files, so that tests say what is in them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_HEADER, _SEGMENT, _SECTION = 64, 56, 64


def program(needed: Sequence[str] = (), interpreter: str | None = None) -> bytes:
    """A program or library that names these libraries and this loader."""
    strings = bytearray(b"\0")
    tags = b""
    for name in needed:
        tags += struct.pack("<QQ", 1, len(strings))
        strings += name.encode() + b"\0"
    count = 2 + (interpreter is not None)
    base = _HEADER + count * _SEGMENT
    address = 0x400000
    loader = b"" if interpreter is None else interpreter.encode() + b"\0"
    dynamic_at = base + len(strings) + len(loader)
    dynamic = tags + struct.pack("<QQQQ", 5, address + base, 0, 0)
    body = bytes(strings) + loader + dynamic
    segments = [
        _segment(1, base, address + base, len(body)),
        _segment(2, dynamic_at, address + dynamic_at, len(dynamic)),
    ]
    if interpreter is not None:
        segments.append(_segment(3, base + len(strings), address + base + len(strings), len(loader)))
    return _header(segments=count) + b"".join(segments) + body


def module(**facts: str | Sequence[str]) -> bytes:
    """A kernel module with these facts in its .modinfo section."""
    pairs = [(key, one) for key, value in facts.items() for one in ([value] if isinstance(value, str) else value)]
    info = b"".join(f"{key}={value}".encode() + b"\0" for key, value in pairs)
    names = b"\0.modinfo\0.shstrtab\0"
    info_at = _HEADER
    names_at = info_at + len(info)
    table_at = names_at + len(names)
    sections = _section(0, 0, 0) + _section(1, info_at, len(info)) + _section(10, names_at, len(names))
    return _header(sections_at=table_at, sections=3, names=2) + info + names + sections


def _header(*, segments: int = 0, sections_at: int = 0, sections: int = 0, names: int = 0) -> bytes:
    start = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack("<HHIQ", 3, 62, 1, 0)
    rest = struct.pack("<QQIHHHHHH", _HEADER, sections_at, 0, 64, _SEGMENT, segments, _SECTION, sections, names)
    return start + rest


def _segment(kind: int, offset: int, address: int, size: int) -> bytes:
    return struct.pack("<IIQQQQQQ", kind, 4, offset, address, address, size, size, 1)


def _section(name: int, offset: int, size: int) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, offset, size, 0, 0, 1, 0)
