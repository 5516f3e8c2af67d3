"""File systems written into plain files, without mounting: FAT for the boot loader, ext4 for the root.

Nothing in them depends on the clock, on the user who builds, or on the order of a folder's entries. That is
why the root is filled by debugfs, entry by entry in sorted order, and not by ``mke2fs -d``, which keeps the
inode times and the readdir order of a folder on the host.
"""

from __future__ import annotations

import re
import stat
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from images.command import CommandError, run
from images.tree import Entry, File, Folder, Link, with_parents

MIB = 1 << 20
_PLAIN_NAME = re.compile(r"^[^\s\"]+$")


def fat16(path: Path, size_mib: int, label: str, files: Mapping[str, bytes]) -> None:
    """Make a bootable FAT16 file system with syslinux and `files` in its top folder.

    Raises:
        CommandError: a tool is missing, or the files do not fit.
    """
    _blank(path, size_mib)
    run("mkfs.fat", "-F", "16", "-n", label, "--invariant", path)
    run("syslinux", "--install", path)
    # From files: of standard input mcopy keeps what fits, and ends with 0.
    bodies = path.with_suffix(".bodies")
    bodies.mkdir()
    for name, content in sorted(files.items()):
        (bodies / name).write_bytes(content)
        run("mcopy", "-i", path, bodies / name, f"::/{name}")


def ext4(path: Path, size_mib: int, label: str, identity: uuid.UUID, tree: Mapping[str, Entry]) -> None:
    """Make an ext4 file system that holds `tree`, all of it owned by root.

    Args:
        path: the file to write.
        size_mib: its size in MiB; the guest may grow it by far more.
        label: the volume's name.
        identity: the file system's UUID, and the seed of its directory hashes.
        tree: what to put in it.

    Raises:
        CommandError: a tool is missing, or the tree does not fit.
    """
    _blank(path, size_mib)
    # One inode for 32 KiB: small tables, so that growing to a hundred gigabytes writes little.
    features = f"hash_seed={identity},lazy_itable_init=0,lazy_journal_init=0"
    run(
        "mke2fs", "-q", "-t", "ext4", "-b", "4096", "-i", "32768", "-m", "1",
        "-J", "size=4", "-L", label, "-U", str(identity), "-E", features, path,
    )  # fmt: skip
    bodies = path.with_suffix(".bodies")
    bodies.mkdir()
    script = bodies / "script"
    script.write_text("".join(f"{line}\n" for line in _debugfs(with_parents(tree), bodies)), "utf-8")
    done = run("debugfs", "-w", "-f", script, path)
    # debugfs goes on after an error and ends with 0: its version banner is all it may say.
    faults = [line for line in done.stderr.decode().splitlines() if not line.startswith("debugfs 1.")]
    if faults:
        raise CommandError(f"debugfs could not fill the root file system: {faults[0]}")
    run("e2fsck", "-f", "-n", path)


def _debugfs(tree: Mapping[str, Entry], bodies: Path) -> Iterator[str]:
    yield "rmdir lost+found"
    for number, (path, entry) in enumerate(tree.items()):
        if not _PLAIN_NAME.match(path):
            raise CommandError(f"debugfs takes no path with spaces or quotes: {path!r}")
        match entry:
            case File(content, mode):
                body = bodies / str(number)
                body.write_bytes(content)
                yield f"write {body} {path}"
                yield f"set_inode_field {path} mode 0{stat.S_IFREG | mode:o}"
                yield f"set_inode_field {path} uid 0"
                yield f"set_inode_field {path} gid 0"
            case Folder(mode):
                yield f"mkdir {path}"
                yield f"set_inode_field {path} mode 0{stat.S_IFDIR | mode:o}"
            case Link(target):
                yield f"symlink {path} {target}"


def _blank(path: Path, size_mib: int) -> None:
    with path.open("wb") as file:
        file.truncate(size_mib * MIB)
