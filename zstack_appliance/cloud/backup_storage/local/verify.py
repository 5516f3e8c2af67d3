"""Whether a fetched file is the image it is declared to be: `virtual_size` is its answer.

Every format is declared, never probed: a guest that writes a qcow2 header onto its raw disk must not have
it believed later. What is recognised here only serves better words and the rules on qcow2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import trio

from zstack_appliance.cloud.backup_storage.driver import ImageFormat
from zstack_appliance.cloud.backup_storage.local import qcow2
from zstack_appliance.hostkit.files import explained
from zstack_appliance.kernel.remote import HostCommandFailed, Runtime

SECTOR = 512

MEMORY_LIMIT = 2 * 2**30
"""Address space for ``qemu-img info``: tables of any sane image fit, and its threads reserve much that they hardly
use; with 512 MiB it was refused a thread now and then."""

_ISO_AT = 32769
_SIGNATURES = (
    (0, qcow2.MAGIC, "a qcow2 image"),
    (_ISO_AT, b"CD001", "an ISO image"),
    (_ISO_AT, b"BEA01", "an ISO image (UDF)"),
    (0, b"KDMV", "a VMDK image: convert it with 'qemu-img convert -O qcow2'"),
    (0, b"# Disk DescriptorFile", "a VMDK descriptor: convert it with 'qemu-img convert -O qcow2'"),
    (0, b"vhdxfile", "a VHDX image: convert it with 'qemu-img convert -O qcow2'"),
    (0, b"conectix", "a VHD image: convert it with 'qemu-img convert -O qcow2'"),
    (64, b"\x7f\x10\xda\xbe", "a VDI image: convert it with 'qemu-img convert -O qcow2'"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it first"),
    (0, b"\xfd7zXZ\x00", "an xz archive: unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it first"),
    (0, b"BZh", "a bzip2 archive: unpack it first"),
    (0, b"PK\x03\x04", "a zip archive: unpack it first"),
    (0, b"<", "a web page or another text: check the URL"),
)


class _Info(msgspec.Struct, rename="kebab"):
    """What is read of ``qemu-img info``'s answer."""

    format: str
    virtual_size: int
    backing_filename: str | None = None
    full_backing_filename: str | None = None
    encrypted: bool = False
    format_specific: dict[str, Any] = {}


def recognise(head: bytes) -> str | None:
    """What the beginning of a file looks like, in words; None when nothing is known to begin so."""
    return next((what for at, mark, what in _SIGNATURES if head[at : at + len(mark)] == mark), None)


async def virtual_size(file: Path, declared: ImageFormat, runtime: Runtime, *, largest: int) -> int:
    """The bytes that a guest will see of a fetched image.

    Args:
        file: complete, and not to be changed by anyone any more.
        declared: what it is said to be.
        runtime: runs ``qemu-img``.
        largest: bytes that the disk may have.

    Raises:
        HostCommandFailed: it is something else, or reaches outside itself.
    """
    with explained("cannot read the image"):
        head = await trio.to_thread.run_sync(_head, file)
        length = (await trio.to_thread.run_sync(file.stat)).st_size
    if not length:
        raise HostCommandFailed("the image is empty; check the URL")
    if declared == "qcow2":
        size = await _qcow2_size(file, head, runtime)
    elif declared == "iso":
        size = _iso_size(head, length)
    else:
        size = -(-length // SECTOR) * SECTOR
    if not 0 < size <= largest:
        raise HostCommandFailed(f"the image's disk has {size} bytes; from 1 to {largest} are allowed")
    return size


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(qcow2.HEAD)


def _iso_size(head: bytes, length: int) -> int:
    if head[_ISO_AT : _ISO_AT + 5] not in (b"CD001", b"BEA01"):
        raise _not_as_declared("iso", head, "it has no ISO 9660 or UDF volume descriptor")
    return length


async def _qcow2_size(file: Path, head: bytes, runtime: Runtime) -> int:
    try:
        header = qcow2.parse(head)
    except qcow2.NotQcow2 as error:
        raise _not_as_declared("qcow2", head, str(error)) from error
    fault = header.fault()
    if fault:
        raise HostCommandFailed(f"the image is refused: {fault}")
    info = await _info(file, runtime)
    named = info.backing_filename or info.full_backing_filename
    data = info.format_specific.get("data") or {}
    if named or data.get("data-file"):
        raise HostCommandFailed(f"the image is refused: it names another file, {named or data['data-file']!r}")
    if info.format != "qcow2" or info.virtual_size != header.virtual_size:
        raise HostCommandFailed("the image is refused: qemu-img reads its header differently")
    return header.virtual_size


async def _info(file: Path, runtime: Runtime) -> _Info:
    done = await runtime.run(
        ["qemu-img", "info", "-f", "qcow2", "--output=json", str(file)],
        timeout=60,
        memory_limit=MEMORY_LIMIT,
        private_network=True,
    )
    try:
        return msgspec.json.decode(done.stdout, type=_Info)
    except msgspec.DecodeError as error:
        raise HostCommandFailed(f"qemu-img describes the image in an unknown way: {error}") from error


def _not_as_declared(declared: str, head: bytes, why: str) -> HostCommandFailed:
    looks = recognise(head)
    hint = f"; it looks like {looks}" if looks else ""
    return HostCommandFailed(f"the image is declared {declared}, but {why}{hint}")
