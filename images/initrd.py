"""An initial RAM disk: a cpio archive in the "newc" format, compressed with gzip."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Mapping

from images.tree import Entry, File, Folder, with_parents

_TRAILER = "TRAILER!!!"


def archive(tree: Mapping[str, Entry], epoch: int) -> bytes:
    """The tree as the kernel unpacks it at boot; every time in it is `epoch` (seconds), every owner root."""
    parts = [
        _member(number, path, entry, epoch) for number, (path, entry) in enumerate(with_parents(tree).items(), start=1)
    ]
    parts.append(_header(0, _TRAILER, 0, 0, 0))
    return gzip.compress(b"".join(parts), compresslevel=9, mtime=epoch)


def _member(number: int, path: str, entry: Entry, epoch: int) -> bytes:
    match entry:
        case File(content, mode):
            body, bits = content, stat.S_IFREG | mode
        case Folder(mode):
            body, bits = b"", stat.S_IFDIR | mode
        case _:
            body, bits = entry.target.encode(), stat.S_IFLNK | 0o777
    return _header(number, path, bits, len(body), epoch) + _padded(body)


def _header(number: int, path: str, mode: int, size: int, epoch: int) -> bytes:
    name = path.encode() + b"\0"
    # inode, mode, uid, gid, links, mtime, size, device (2), device of a node (2), length of the name, checksum
    numbers = (number, mode, 0, 0, 1, epoch, size, 0, 0, 0, 0, len(name), 0)
    return _padded(b"070701" + b"".join(b"%08X" % one for one in numbers) + name)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
