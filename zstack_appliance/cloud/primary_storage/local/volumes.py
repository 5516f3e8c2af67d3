"""Volumes on a local primary storage: `create`, which any kind of volume goes through, and `measure`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from zstack_appliance.cloud.primary_storage.driver import SECTOR, VolumeBits, VolumeKind
from zstack_appliance.cloud.primary_storage.local import layout, qemu_img
from zstack_appliance.hostkit.files import building, explained
from zstack_appliance.kernel.remote import Runtime


async def create(
    root: str,
    volume_uuid: str,
    kind: VolumeKind,
    make: Callable[[Path], Awaitable[None]],
    *,
    size: int,
    backing: str | None,
) -> VolumeBits:
    """Have `make` write a volume's file, and publish it complete.

    Args:
        root: of the storage.
        volume_uuid: names the volume, which must not exist.
        kind: chooses its folder.
        make: makes the file at the path that it is given.
        size: bytes that the guest will see.
        backing: path of the image that it is cloned from.
    """
    file = layout.volume_file(root, volume_uuid, kind)
    async with building(file.parent) as part:
        await make(part / file.name)
        with explained(f"cannot finish {file}"):
            actual = await trio.to_thread.run_sync(_close_to_others, part / file.name)
    return VolumeBits(
        volume_uuid=volume_uuid,
        kind=kind,
        install_path=str(file),
        virtual_size=size,
        actual_size=actual,
        backing=backing,
    )


async def measure(root: str, volume_uuid: str, kind: VolumeKind, runtime: Runtime) -> VolumeBits | None:
    """A volume as it is now; None when there is none."""
    file = layout.volume_file(root, volume_uuid, kind)
    with explained("cannot look for the volume"):
        if not await trio.to_thread.run_sync(file.exists):
            return None
    found = await qemu_img.info(file, runtime)
    return VolumeBits(
        volume_uuid=volume_uuid,
        kind=kind,
        install_path=str(file),
        virtual_size=found.virtual_size,
        actual_size=found.actual_size,
        backing=found.backing_filename,
    )


def _close_to_others(file: Path) -> int:
    """Keep other users from reading the disk, which libvirt gives to QEMU's user; answer what it takes."""
    file.chmod(0o600)
    return file.stat().st_blocks * SECTOR
