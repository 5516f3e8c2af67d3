"""What lies in a local primary storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from zstack_appliance.cloud.primary_storage.local import layout, listing
from zstack_appliance.kernel.remote import HostCommandFailed

IMAGE, VOLUME = "1" * 32, "a" * 32


def put(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(4096))
    return file


@pytest.fixture
def root(tmp_path: Path) -> str:
    for folder in ("imagecache", "rootVolumes", "dataVolumes"):
        (tmp_path / folder).mkdir()
    return str(tmp_path)


def test_complete_folders_and_those_without_a_disk(root: str) -> None:
    cached = put(layout.cached_file(root, IMAGE, "raw"))
    put(layout.cached_folder(root, IMAGE) / layout.FACTS)
    put(layout.volumes(root, "Data") / f"{VOLUME}.part" / f"{VOLUME}.qcow2")
    (layout.volumes(root, "Data") / VOLUME).mkdir()
    put(layout.volumes(root, "Root") / "stranger")
    found, stranger, empty = listing.found(root)
    assert (found.uuid, found.kind, found.install_path) == (IMAGE, "Image", str(cached))
    assert (found.actual_size, found.complete) == (cached.stat().st_blocks * 512, True)
    assert (stranger.uuid, stranger.kind, stranger.complete) == ("stranger", "Root", False)
    assert (empty.uuid, empty.kind, empty.complete) == (VOLUME, "Data", False)


def test_every_disk_is_found_snapshots_too(root: str) -> None:
    volume = put(layout.volume_file(root, VOLUME, "Root"))
    snapshot = put(volume.parent / f"{'b' * 32}.qcow2")
    put(layout.cached_file(root, IMAGE, "qcow2"))
    assert listing.disks(root) == [volume, snapshot]


def test_a_storage_that_was_never_connected_says_so(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="cannot list"):
        listing.found(str(tmp_path))
