"""The header of a qcow2 image, read by ourselves: `parse`, `Qcow2Header`, `NotQcow2` (pure).

A qcow2 file can name other files (a backing file, an external data file) that whoever opens it then reads,
so an image from outside must be judged before any tool of QEMU's opens it. The layout is the one of QEMU's
``docs/interop/qcow2.txt``: big-endian, header extensions up to the end of the first cluster.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MAGIC = b"QFI\xfb"

HEAD = 2 * 2**20
"""Bytes of the file that `parse` may need: the largest cluster there is."""

_FIXED = struct.Struct(">4sIQIIQIIQQIIQ")
_FEATURES = struct.Struct(">QQQII")
_EXTENSION = struct.Struct(">II")

_CORRUPT = 1 << 1
_DATA_FILE = 1 << 2
_KNOWN = (1 << 5) - 1  # dirty, corrupt, external data file, compression type, extended L2

_EXTENSION_END = 0
_EXTENSION_DATA_FILE = 0x44415441
_SMALLEST_V3_HEADER = 104


class NotQcow2(Exception):
    """The bytes are not the header of a qcow2 image. The text says in what they differ."""


@dataclass(frozen=True, slots=True)
class Qcow2Header:
    """What matters of a header before its image is opened.

    Args:
        version: 2 or 3.
        virtual_size: bytes that a guest sees.
        backing_file: name of the file that unallocated parts are read from; None for a whole image.
        data_file: whether the content lies in another file.
        encrypted: whether it needs a key.
        corrupt: whether QEMU marked it so.
        unknown_features: incompatible feature bits that no known version defines.
    """

    version: int
    virtual_size: int
    backing_file: str | None
    data_file: bool
    encrypted: bool
    corrupt: bool
    unknown_features: int

    def fault(self) -> str | None:
        """Why an image from outside with this header is refused, in words; None when it is not."""
        if self.backing_file is not None:
            return (
                f"it has the backing file {self.backing_file!r}, which would be read from this host; make it "
                "whole with 'qemu-img convert -O qcow2'"
            )
        if self.data_file:
            return (
                "its content lies in an external data file, which would be read from this host; make it "
                "whole with 'qemu-img convert -O qcow2'"
            )
        if self.unknown_features:
            return f"it needs qcow2 features that are unknown here (bits {self.unknown_features:#x})"
        if self.encrypted:
            return "it is encrypted; decrypt it with 'qemu-img convert'"
        if self.corrupt:
            return "it is marked corrupt; repair it with 'qemu-img check -r all'"
        return None


def parse(head: bytes) -> Qcow2Header:
    """Read the beginning of a file.

    Args:
        head: its first `HEAD` bytes, or all of it if it is shorter.

    Raises:
        NotQcow2: it is not a header that QEMU would accept either.
    """
    if head[:4] != MAGIC:
        raise NotQcow2("it does not begin as qcow2 does")
    if len(head) < _FIXED.size:
        raise NotQcow2("its header is cut off")
    _, version, backing_at, backing_length, cluster_bits, size, crypt, *_ = _FIXED.unpack_from(head)
    if version not in (2, 3):
        raise NotQcow2(f"its qcow2 version is {version}, not 2 or 3")
    if not 9 <= cluster_bits <= 21:
        raise NotQcow2(f"its cluster size is 2^{cluster_bits} bytes, not between 2^9 and 2^21")
    incompatible, header_length = _features(head, version)
    extensions = _extensions(head[: 1 << cluster_bits], header_length, backing_at)
    return Qcow2Header(
        version=version,
        virtual_size=size,
        backing_file=_backing_name(head, backing_at, backing_length) if backing_at else None,
        data_file=bool(incompatible & _DATA_FILE) or _EXTENSION_DATA_FILE in extensions,
        encrypted=crypt != 0,
        corrupt=bool(incompatible & _CORRUPT),
        unknown_features=incompatible & ~_KNOWN,
    )


def _features(head: bytes, version: int) -> tuple[int, int]:
    """The incompatible feature bits, and the header's length in bytes."""
    if version == 2:
        return 0, _FIXED.size
    if len(head) < _SMALLEST_V3_HEADER:
        raise NotQcow2("its header is cut off")
    incompatible, _, _, _, header_length = _FEATURES.unpack_from(head, _FIXED.size)
    if header_length < _SMALLEST_V3_HEADER or header_length % 8:
        raise NotQcow2(f"its header claims a length of {header_length} bytes")
    return incompatible, header_length


def _extensions(cluster: bytes, start: int, backing_at: int) -> frozenset[int]:
    """The types of the header extensions, which end with a marker, the backing file's name or the cluster."""
    end = min(len(cluster), backing_at or len(cluster))
    found: set[int] = set()
    at = start
    while at + _EXTENSION.size <= end:
        kind, length = _EXTENSION.unpack_from(cluster, at)
        if kind == _EXTENSION_END:
            return frozenset(found)
        at += _EXTENSION.size
        if length > end - at:
            raise NotQcow2("a header extension reaches beyond the first cluster")
        found.add(kind)
        at += (length + 7) // 8 * 8
    return frozenset(found)


def _backing_name(head: bytes, at: int, length: int) -> str:
    return head[at : at + length].decode("utf-8", "replace") if length <= 1023 else "(too long)"
