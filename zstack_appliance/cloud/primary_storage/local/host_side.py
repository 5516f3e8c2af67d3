"""What a host does for a local primary storage: one function for each command of `wire`."""

from __future__ import annotations

from pathlib import Path

import trio

from zstack_appliance.cloud.primary_storage.driver import CachedImage, FoundBits, VolumeBits
from zstack_appliance.cloud.primary_storage.local import (
    image_cache,
    layout,
    listing,
    qemu_img,
    rules,
    simulated,
    volumes,
)
from zstack_appliance.cloud.primary_storage.local.wire import (
    ConnectPrimaryStorage,
    CreateEmptyVolume,
    CreateRootVolume,
    DeleteVolumeBits,
    EvictImage,
    FillImageCache,
    ListBits,
    MeasureVolume,
    PrimaryCapacity,
)
from zstack_appliance.hostkit.files import (
    Space,
    discard,
    ensure_folder,
    explained,
    own_root,
    space,
    storage_root,
    sweep,
)
from zstack_appliance.kernel.host_link import ReportingRuntime
from zstack_appliance.kernel.remote import HostCommandFailed, HostSide, Runtime


async def connect(command: ConnectPrimaryStorage, runtime: Runtime) -> Space:
    """Make the folders, and clear them of what a crash left."""
    root = storage_root(command.root)
    await trio.to_thread.run_sync(own_root, root, runtime.instance)
    inside = (layout.cache(command.root), *(layout.volumes(command.root, kind) for kind in listing.KINDS))
    for folder in inside:
        with explained("cannot make the primary storage"):
            await trio.to_thread.run_sync(ensure_folder, folder)
        await sweep(folder)
    return await space(root)


async def capacity(command: PrimaryCapacity, _: Runtime) -> Space:
    """Measure the file system of the root."""
    return await space(storage_root(command.root))


async def fill_image_cache(command: FillImageCache, runtime: ReportingRuntime) -> CachedImage:
    """Copy an image in, or compare the command with the one that is here."""
    cached = await image_cache.look_up(command.root, command.source.image_uuid)
    if cached is None:
        return await image_cache.fill(command.root, command.source, runtime.report)
    _refuse(rules.cached_fault(cached, command.source))
    return cached


async def evict_image(command: EvictImage, runtime: Runtime) -> None:
    """Remove an image that no file here is cloned from."""
    folder = layout.cached_folder(command.root, command.image_uuid)
    users = 0
    if await trio.to_thread.run_sync(folder.is_dir):
        for file in await trio.to_thread.run_sync(listing.disks, command.root):
            backing = (await qemu_img.info(file, runtime)).backing_filename
            users += backing is not None and Path(backing).parent == folder
    _refuse(rules.eviction_fault(command.image_uuid, users))
    await discard(folder)


async def create_root_volume(command: CreateRootVolume, runtime: Runtime) -> VolumeBits:
    """Clone a cached image, or compare the command with the volume that is here."""
    image = await image_cache.look_up(command.root, command.image_uuid)
    if image is None:
        raise HostCommandFailed(f"image {command.image_uuid} is not cached on this host: fill the cache first")
    size = rules.whole_sectors(image.virtual_size if command.size is None else command.size)
    _refuse(rules.clone_fault(image, size))
    backing = Path(image.install_path)
    existing = await volumes.measure(command.root, command.volume_uuid, "Root", runtime)
    if existing is not None:
        _refuse(rules.volume_fault(existing, size, str(backing)))
        return existing

    async def make(file: Path) -> None:
        await qemu_img.create_clone(file, backing, image.format, size, runtime)

    return await volumes.create(command.root, command.volume_uuid, "Root", make, size=size, backing=str(backing))


async def create_empty_volume(command: CreateEmptyVolume, runtime: Runtime) -> VolumeBits:
    """Make a volume that holds nothing, or compare the command with the one that is here."""
    _refuse(rules.size_fault(command.size))
    size = rules.whole_sectors(command.size)
    existing = await volumes.measure(command.root, command.volume_uuid, command.kind, runtime)
    if existing is not None:
        _refuse(rules.volume_fault(existing, size, None))
        return existing

    async def make(file: Path) -> None:
        await qemu_img.create_empty(file, size, runtime)

    return await volumes.create(command.root, command.volume_uuid, command.kind, make, size=size, backing=None)


async def delete_volume(command: DeleteVolumeBits, _: Runtime) -> None:
    """Remove a volume and what lies beside it, at once or not at all."""
    await discard(layout.volume_folder(command.root, command.volume_uuid, command.kind))


async def measure_volume(command: MeasureVolume, runtime: Runtime) -> VolumeBits:
    """Read a volume's sizes."""
    found = await volumes.measure(command.root, command.volume_uuid, command.kind, runtime)
    if found is None:
        raise HostCommandFailed(f"volume {command.volume_uuid} is not on this host")
    return found


async def list_bits(command: ListBits, _: Runtime) -> tuple[FoundBits, ...]:
    """Name everything that is complete."""
    return await trio.to_thread.run_sync(listing.found, command.root)


def _refuse(fault: str | None) -> None:
    if fault:
        raise HostCommandFailed(fault)


HOST_SIDE = HostSide(
    real={
        ConnectPrimaryStorage: connect,
        PrimaryCapacity: capacity,
        FillImageCache: fill_image_cache,
        EvictImage: evict_image,
        CreateRootVolume: create_root_volume,
        CreateEmptyVolume: create_empty_volume,
        DeleteVolumeBits: delete_volume,
        MeasureVolume: measure_volume,
        ListBits: list_bits,
    },
    simulated=simulated.HANDLERS,
)
