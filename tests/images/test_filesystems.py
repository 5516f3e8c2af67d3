"""File systems written without mounting hold what they were given, the same at every build."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from images.command import CommandError, run
from images.filesystems import ext4, fat16
from images.tree import Entry, File, Folder, Link

ID = uuid.UUID("0f5c2b6a-6f3f-4f0e-9b1d-3a7c1f0b2d11")
TREE: dict[str, Entry] = {
    "etc/shadow": File(b"root:*:\n", 0o600),
    "root": Folder(0o700),
    "bin": Link("usr/bin"),
    "empty": File(b""),
    # Enough entries for a directory of several blocks.
    **{f"usr/bin/command-with-a-long-name-{n}": Link("/usr/bin/busybox") for n in range(300)},
}


def ask(image: Path, command: str) -> str:
    return run("debugfs", "-R", command, image).stdout.decode()


def test_ext4_holds_the_tree(tmp_path: Path) -> None:
    image = tmp_path / "root.ext4"
    ext4(image, 32, "tiny", ID, TREE)
    assert ask(image, "cat etc/shadow") == "root:*:\n"
    assert "Mode:  0600" in ask(image, "stat etc/shadow")
    assert "Mode:  0700" in ask(image, "stat root")
    assert 'Fast link dest: "usr/bin"' in ask(image, "stat bin")
    assert ask(image, "ls -p usr/bin").count("command-with-a-long-name") == 300
    assert "User:     0   Group:     0" in ask(image, "stat etc/shadow")


def test_ext4_is_the_same_at_every_build(tmp_path: Path) -> None:
    for name in ("one", "two-in-a-longer-folder"):
        (tmp_path / name).mkdir()
        ext4(tmp_path / name / "root.ext4", 32, "tiny", ID, TREE)
    one, two = (path.read_bytes() for path in sorted(tmp_path.glob("*/root.ext4")))
    assert one == two


def test_ext4_says_when_the_tree_does_not_fit(tmp_path: Path) -> None:
    big: dict[str, Entry] = {"big": File(b"x" * (40 << 20))}
    with pytest.raises(CommandError, match="could not fill the root file system"):
        ext4(tmp_path / "root.ext4", 32, "tiny", ID, big)


def test_ext4_refuses_names_that_debugfs_would_take_apart(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no path with spaces"):
        ext4(tmp_path / "root.ext4", 32, "tiny", ID, {"a b": File(b"")})


def test_fat_holds_the_files_and_the_boot_loader(tmp_path: Path) -> None:
    for name in ("one", "two"):
        fat16(tmp_path / name, 20, "BOOT", {"vmlinuz": b"kernel", "initrd": b"archive"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert run("mcopy", "-i", tmp_path / "one", "::/vmlinuz", "-").stdout == b"kernel"
    listed = run("mdir", "-a", "-b", "-i", tmp_path / "one", "::").stdout.decode()
    assert "::/ldlinux.sys" in listed
    with pytest.raises(CommandError, match="mcopy"):
        fat16(tmp_path / "three", 20, "BOOT", {"vmlinuz": b"x" * (21 << 20)})
