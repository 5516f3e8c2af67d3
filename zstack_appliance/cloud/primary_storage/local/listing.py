"""What lies in a local primary storage, read from its folders alone: `found` and `disks`; both block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from zstack_appliance.cloud.primary_storage.driver import SECTOR, FoundBits, VolumeKind
from zstack_appliance.cloud.primary_storage.local import layout
from zstack_appliance.hostkit.files import UNFINISHED, explained

KINDS: tuple[VolumeKind, ...] = ("Root", "Data")


def found(root: str) -> tuple[FoundBits, ...]:
    """Every image and volume, images first, then by uuid; what is being made is not one yet.

    Raises:
        HostCommandFailed: the storage was never connected, or cannot be read.
    """
    with explained("cannot list the primary storage"):
        return (
            *_inside(layout.cache(root), "Image"),
            *(bits for kind in KINDS for bits in _inside(layout.volumes(root, kind), kind)),
        )


def disks(root: str) -> list[Path]:
    """Every qcow2 file that may be cloned from an image, snapshots included."""
    with explained("cannot list the volumes"):
        return sorted(file for kind in KINDS for file in layout.volumes(root, kind).glob("*/*.qcow2"))


def _inside(folder: Path, kind: Literal["Image", "Root", "Data"]) -> Iterator[FoundBits]:
    for entry in sorted(folder.iterdir()):
        if entry.name.endswith(UNFINISHED):
            continue
        # Removed between being listed and being looked at: then it is not there.
        with suppress(FileNotFoundError):
            disk = _disk(entry)
            yield FoundBits(
                uuid=entry.name,
                kind=kind,
                install_path=str(disk or entry),
                actual_size=(disk or entry).stat().st_blocks * SECTOR,
                complete=disk is not None,
            )


def _disk(entry: Path) -> Path | None:
    inside = sorted(entry.iterdir()) if entry.is_dir() else []
    return next((file for file in inside if file.stem == entry.name), None)
