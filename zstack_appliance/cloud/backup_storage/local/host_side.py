"""What a host does for a local backup storage: one function for each command of `wire`."""

from __future__ import annotations

from pathlib import Path

import msgspec
import trio

from zstack_appliance.cloud.backup_storage.driver import StoredImage
from zstack_appliance.cloud.backup_storage.local import layout, simulated, verify
from zstack_appliance.cloud.backup_storage.local.checksum import Expected
from zstack_appliance.cloud.backup_storage.local.fetch import fetch
from zstack_appliance.cloud.backup_storage.local.wire import (
    BackupCapacity,
    ConnectBackupStorage,
    DeleteImage,
    FetchImage,
    ListImages,
)
from zstack_appliance.hostkit.files import Space, building, discard, ensure_folder, explained, own_root, space, sweep
from zstack_appliance.kernel.host_link import ReportingRuntime
from zstack_appliance.kernel.remote import HostCommandFailed, HostSide, Runtime


async def connect(command: ConnectBackupStorage, runtime: Runtime) -> Space:
    """Make the folder of images, and clear it of what a crash left."""
    folder = layout.images_folder(command.root)
    await trio.to_thread.run_sync(own_root, folder.parent, runtime.instance)
    with explained("cannot make the backup storage"):
        await trio.to_thread.run_sync(ensure_folder, folder)
    await sweep(folder)
    return await space(folder)


async def capacity(command: BackupCapacity, _: Runtime) -> Space:
    """Measure the file system of the images."""
    return await space(layout.images_folder(command.root))


async def fetch_image(command: FetchImage, runtime: ReportingRuntime) -> StoredImage:
    """Fetch, check and keep an image; one that is kept already is only compared with the command."""
    expected = Expected.of(command.checksum) if command.checksum else None
    folder = layout.image_folder(command.root, command.image_uuid)
    stored = await trio.to_thread.run_sync(_facts, folder)
    if stored is None:
        stored = await _bring(command, folder, expected, runtime)
    elif stored.format != command.format:
        raise HostCommandFailed(
            f"image {stored.image_uuid} is stored as {stored.format} already, not as {command.format}"
        )
    elif expected:
        _refuse(expected.fault({"md5": stored.md5, "sha256": stored.sha256}))
    return stored


async def _bring(
    command: FetchImage, folder: Path, expected: Expected | None, runtime: ReportingRuntime
) -> StoredImage:
    final = layout.image_file(command.root, command.image_uuid, command.format)
    async with building(folder) as part:
        file = part / final.name
        came = await fetch(command.url, file, command.policy, runtime.report)
        _refuse(expected.fault(came.digests) if expected else None)
        size = await verify.virtual_size(file, command.format, runtime, largest=command.policy.max_virtual_bytes)
        stored = StoredImage(
            image_uuid=command.image_uuid,
            format=command.format,
            install_path=str(final),
            virtual_size=size,
            actual_size=came.size,
            md5=came.digests["md5"],
            sha256=came.digests["sha256"],
        )
        with explained("cannot write the image's facts"):
            await trio.to_thread.run_sync((part / layout.FACTS).write_bytes, msgspec.json.encode(stored))
    return stored


async def delete_image(command: DeleteImage, _: Runtime) -> None:
    """Remove an image and its facts, at once or not at all."""
    await discard(layout.image_folder(command.root, command.image_uuid))


async def list_images(command: ListImages, _: Runtime) -> tuple[StoredImage, ...]:
    """Read the facts of every image."""
    return await trio.to_thread.run_sync(_all_facts, layout.images_folder(command.root))


def _facts(folder: Path) -> StoredImage | None:
    """What is known of a stored image; None when it is not stored."""
    with explained("cannot read the image's facts"):
        try:
            content = (folder / layout.FACTS).read_bytes()
        except FileNotFoundError:
            return None
    try:
        stored = msgspec.json.decode(content, type=StoredImage)
    except msgspec.DecodeError as error:
        raise HostCommandFailed(f"{folder / layout.FACTS} is damaged ({error}): delete the image") from error
    # The storage may have been moved to another folder since the facts were written.
    return msgspec.structs.replace(stored, install_path=str(folder / Path(stored.install_path).name))


def _all_facts(folder: Path) -> tuple[StoredImage, ...]:
    with explained("cannot list the images"):
        inside = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    return tuple(facts for facts in map(_facts, inside) if facts is not None)


def _refuse(fault: str | None) -> None:
    if fault:
        raise HostCommandFailed(fault)


HOST_SIDE = HostSide(
    real={
        ConnectBackupStorage: connect,
        BackupCapacity: capacity,
        FetchImage: fetch_image,
        DeleteImage: delete_image,
        ListImages: list_images,
    },
    simulated=simulated.HANDLERS,
)
