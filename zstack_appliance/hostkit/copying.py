"""Files that are counted and hashed while they are written.

Primitives: `Sink` (a new file: writes, counts, hashes), `Checked` (what went in), `copy_in` (an open file
into a `Sink`), `Progress` (turns byte counts into a report worth reading).

Blocking work runs in threads, in pieces short enough that a cancel is heard within a blink.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import trio

from zstack_appliance.hostkit.files import explained
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import HostCommandFailed

CHUNK = 4 * 2**20
"""Bytes copied between two chances to cancel: about 20 ms of work with two checksums."""

_FICLONE = 0x40049409
"""The ioctl of linux/fs.h that makes one file share another's blocks until either is written to."""

_ZEROS = bytes(CHUNK)
_MIB = 2**20
_REPORT_EVERY = 64 * _MIB


@dataclass(frozen=True, slots=True)
class Checked:
    """What went through a `Sink`: bytes, and hexadecimal digests by algorithm."""

    size: int
    digests: dict[str, str]


class Sink:
    """A new file that counts and hashes what is written to it, and leaves a hole where all is zero.

    Its methods block: call them in a thread.

    Args:
        path: must not exist.
        algorithms: names that hashlib knows.
    """

    def __init__(self, path: Path, algorithms: Sequence[str]) -> None:
        self._file = path.open("xb", buffering=0)
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self.absorb(chunk)
        if chunk == _ZEROS[: len(chunk)]:
            self._file.seek(len(chunk), os.SEEK_CUR)
            return
        rest = memoryview(chunk)
        while rest:
            rest = rest[self._file.write(rest) :]

    def absorb(self, chunk: bytes) -> None:
        """Count and hash a chunk that the file has already."""
        for running in self._hashes.values():
            running.update(chunk)
        self.size += len(chunk)

    def share(self, source: BinaryIO) -> bool:
        """Take all of a file's blocks without copying, where the file system can; then `absorb` them."""
        try:
            fcntl.ioctl(self._file, _FICLONE, source.fileno())
        except OSError:
            # Another file system, or one without shared blocks: the caller copies instead.
            return False
        return True

    def finish(self) -> Checked:
        """Set the length (a hole at the end writes nothing), make the file read-only, answer the sums."""
        self._file.truncate(self.size)
        os.fchmod(self._file.fileno(), 0o444)
        return Checked(self.size, {name: running.hexdigest() for name, running in self._hashes.items()})

    def close(self) -> None:
        """Close the file. What is there of an unfinished one is for its folder's owner to remove."""
        self._file.close()


class Progress:
    """Reports at every whole percent, or at every 64 MiB while the total is unknown.

    Args:
        report: receives it.
        total: bytes expected; None when nobody knows.
    """

    def __init__(self, report: Report, total: int | None) -> None:
        self._report = report
        self._total = total
        self._last = -1

    def __call__(self, done: int) -> None:
        """Take note that this many bytes are done."""
        step = done // _REPORT_EVERY if not self._total else min(100, done * 100 // self._total)
        if step == self._last:
            return
        self._last = step
        if self._total:
            self._report(step / 100, f"{done // _MIB} of {self._total // _MIB} MiB")
        else:
            self._report(None, f"{done // _MIB} MiB")


async def copy_in(source: BinaryIO, sink: Sink, *, reached: Callable[[int], None], limit: int | None = None) -> Checked:
    """Copy an open file into a sink, sharing its blocks where the file system can.

    Args:
        source: read from its current position, which must be its start, to its end.
        sink: new; the caller closes it.
        reached: told the bytes done after every chunk.
        limit: bytes after which the copy gives up.

    Raises:
        HostCommandFailed: the source is longer than `limit`, or reading or writing failed.
    """

    def step(take: Callable[[bytes], None]) -> bool:
        chunk = source.read(CHUNK)
        take(chunk)
        return bool(chunk)

    with explained("cannot copy"):
        shared = await trio.to_thread.run_sync(sink.share, source)
        take = sink.absorb if shared else sink.write
        while await trio.to_thread.run_sync(step, take):
            reached(sink.size)
            if limit is not None and sink.size > limit:
                raise HostCommandFailed(f"the file is larger than the allowed {limit} bytes")
        return await trio.to_thread.run_sync(sink.finish)
