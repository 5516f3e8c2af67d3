"""Files that are counted and hashed while they are written."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

import pytest
import trio

from zstack_appliance.hostkit.copying import CHUNK, Progress, Sink, copy_in
from zstack_appliance.kernel.remote import HostCommandFailed

CONTENT = bytes(range(256)) * 40_000


class Sharing(Sink):
    """A sink on a file system that shares blocks: here the content is put in place at once."""

    def share(self, source: BinaryIO) -> bool:
        self._file.write(CONTENT)
        return True


class Full(Sink):
    """A sink on a file system that has no room."""

    def write(self, chunk: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def copy(folder: Path, content: bytes, kind: type[Sink] = Sink) -> tuple[Path, Sink]:
    source = folder / "source"
    source.write_bytes(content)
    sink = kind(folder / "target", ("md5", "sha256"))
    with source.open("rb") as opened:
        await copy_in(opened, sink, reached=lambda _: None)
    return folder / "target", sink


@pytest.mark.parametrize("kind", [Sink, Sharing])
async def test_a_copy_is_equal_checked_and_read_only(tmp_path: Path, kind: type[Sink]) -> None:
    target, sink = await copy(tmp_path, CONTENT, kind)
    checked = sink.finish()
    sink.close()
    assert target.read_bytes() == CONTENT
    assert checked.size == len(CONTENT) > 2 * CHUNK
    assert checked.digests == {
        "md5": hashlib.md5(CONTENT).hexdigest(),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }
    assert target.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("content", [b"", bytes(3 * CHUNK), bytes(CHUNK) + b"x", b"x" + bytes(2 * CHUNK)])
async def test_zeros_become_holes_of_the_same_content(tmp_path: Path, content: bytes) -> None:
    target, sink = await copy(tmp_path, content)
    sink.close()
    assert target.read_bytes() == content
    assert target.stat().st_blocks * 512 <= CHUNK


async def test_a_copy_over_the_limit_stops(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    sink = Sink(tmp_path / "target", ())
    with source.open("rb") as opened, pytest.raises(HostCommandFailed, match="larger than the allowed 100"):
        await copy_in(opened, sink, reached=lambda _: None, limit=100)
    sink.close()
    assert sink.size == CHUNK


async def test_a_copy_hears_a_cancel_between_chunks(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    sink = Sink(tmp_path / "target", ())
    with source.open("rb") as opened, trio.CancelScope() as scope:
        await copy_in(opened, sink, reached=lambda _: scope.cancel())
    sink.close()
    assert scope.cancelled_caught
    assert sink.size == CHUNK


async def test_a_failing_write_is_told_in_words(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    sink = Full(tmp_path / "target", ())
    with source.open("rb") as opened, pytest.raises(HostCommandFailed, match="cannot copy: No space left"):
        await copy_in(opened, sink, reached=lambda _: None)
    sink.close()


def test_a_sink_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    with pytest.raises(FileExistsError):
        Sink(tmp_path / "target", ())


def test_progress_is_told_at_whole_percents() -> None:
    heard: list[tuple[float | None, str]] = []
    progress = Progress(lambda *said: heard.append(said), 200 * 2**20)
    for done in (0, 1, 2**20, 2 * 2**20, 100 * 2**20, 200 * 2**20, 201 * 2**20):
        progress(done)
    assert heard == [
        (0.0, "0 of 200 MiB"),
        (0.01, "2 of 200 MiB"),
        (0.5, "100 of 200 MiB"),
        (1.0, "200 of 200 MiB"),
    ]


def test_without_a_total_progress_is_told_every_64_mib() -> None:
    heard: list[tuple[float | None, str]] = []
    progress = Progress(lambda *said: heard.append(said), None)
    for done in range(0, 130 * 2**20, 2**20):
        progress(done)
    assert heard == [(None, "0 MiB"), (None, "64 MiB"), (None, "128 MiB")]
