"""The initrd is a cpio archive that cpio itself reads, the same at every build."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

from images.initrd import archive
from images.tree import Entry, File, Link

TREE: dict[str, Entry] = {
    "init": File(b"#!/bin/sh\n", 0o755),
    "usr/bin/sh": Link("busybox"),
    "usr/bin/busybox": File(b"12345", 0o755),
}


def test_cpio_unpacks_it(tmp_path: Path) -> None:
    packed = gzip.decompress(archive(TREE, epoch=1_700_000_000))
    unpack = ["cpio", "--quiet", "-i", "--preserve-modification-time"]
    subprocess.run(unpack, input=packed, cwd=tmp_path, check=True)
    assert (tmp_path / "init").read_bytes() == b"#!/bin/sh\n"
    assert (tmp_path / "init").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "init").stat().st_mtime == 1_700_000_000
    assert (tmp_path / "usr/bin/sh").read_bytes() == b"12345"
    assert (tmp_path / "usr/bin/sh").is_symlink()


def test_the_same_tree_gives_the_same_bytes() -> None:
    backwards = dict(reversed(TREE.items()))
    assert archive(TREE, epoch=1) == archive(backwards, epoch=1)
    assert archive(TREE, epoch=1) != archive(TREE, epoch=2)
