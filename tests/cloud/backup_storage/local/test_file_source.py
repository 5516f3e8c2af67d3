"""Opening local images so that no link leads elsewhere."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from zstack_appliance.cloud.backup_storage.local.file_source import open_source
from zstack_appliance.cloud.backup_storage.local.source import FileSource
from zstack_appliance.kernel.remote import HostCommandFailed


def read(directory: Path, *names: str) -> bytes:
    with open_source(FileSource(PurePosixPath(directory), names)) as opened:
        return opened.read()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "x").write_bytes(b"an image")
    (tmp_path / "secret").write_bytes(b"a secret")
    return folder


def test_a_file_below_is_read(images: Path) -> None:
    assert read(images, "inner", "x") == b"an image"


def test_a_link_at_the_end_is_refused(images: Path) -> None:
    (images / "x").symlink_to(images.parent / "secret")
    with pytest.raises(HostCommandFailed, match="'x' in it is a symbolic link"):
        read(images, "x")


def test_a_link_on_the_way_is_refused(images: Path) -> None:
    (images / "way").symlink_to(images.parent)
    with pytest.raises(HostCommandFailed, match="'way' in it is a symbolic link"):
        read(images, "way", "secret")


def test_a_link_above_the_allowed_directory_is_refused(images: Path) -> None:
    (images.parent / "alias").symlink_to(images)
    with pytest.raises(HostCommandFailed, match="'alias' in it is a symbolic link"):
        read(images.parent / "alias", "inner", "x")


def test_what_is_missing_is_named(images: Path) -> None:
    with pytest.raises(HostCommandFailed, match="No such file or directory at 'y'"):
        read(images, "inner", "y")
    with pytest.raises(HostCommandFailed, match="Not a directory at 'x'"):
        read(images, "inner", "x", "y")


def test_only_regular_files_are_read(images: Path) -> None:
    os.mkfifo(images / "pipe")
    for name in ("pipe", "inner"):
        with pytest.raises(HostCommandFailed, match="not a regular file"):
            read(images, name)
    with pytest.raises(HostCommandFailed, match="not a regular file"):
        read(Path("/dev"), "null")


def test_no_descriptor_is_left_open(images: Path) -> None:
    (images / "x").symlink_to("/etc/passwd")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for names in (("x",), ("inner",), ("none", "none"), ("inner", "x")):
        try:
            read(images, *names)
        except HostCommandFailed:
            continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before
