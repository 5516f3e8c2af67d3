"""A local primary storage on a simulated host: the same commands over a dictionary, by the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Literal, cast

from zstack_appliance.cloud.primary_storage.driver import (
    CachedImage,
    FoundBits,
    ImageFormat,
    VolumeBits,
    VolumeKind,
)
from zstack_appliance.cloud.primary_storage.local import layout, rules
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
from zstack_appliance.hostkit.files import Space, storage_root
from zstack_appliance.hostkit.simulated import SimulatedRuntime
from zstack_appliance.hostkit.simulated_files import SimulatedFile, SimulatedFiles
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler

EMPTY_QCOW2 = 200_704
"""Bytes that QEMU 7.2's empty qcow2 file takes: header, refcounts and first table."""


async def connect(command: ConnectPrimaryStorage, runtime: SimulatedRuntime) -> Space:
    """Nothing half done can be left here; measure."""
    storage_root(command.root)
    return runtime.files.space()


async def capacity(_: PrimaryCapacity, runtime: SimulatedRuntime) -> Space:
    """Measure."""
    return runtime.files.space()


async def fill_image_cache(command: FillImageCache, runtime: SimulatedRuntime) -> CachedImage:
    """Note a second file with the image's sizes, if the first is the image that was recorded."""
    source = command.source
    cached = _cached(command.root, source.image_uuid, runtime.files)
    if cached is not None:
        _refuse(rules.cached_fault(cached, source))
        return cached
    original = runtime.files.get(source.path)
    if original is None:
        raise HostCommandFailed(f"cannot open image {source.image_uuid}: No such file ({source.path})")
    if original.sha256 != source.sha256:
        raise HostCommandFailed(
            f"{source.path} is not image {source.image_uuid} as it was fetched: its sha256 is "
            f"{original.sha256}, not {source.sha256}; delete the image and add it again"
        )
    path = str(layout.cached_file(command.root, source.image_uuid, source.format))
    copy = SimulatedFile(
        format=source.format,
        virtual_size=source.virtual_size,
        actual_size=original.actual_size,
        sha256=source.sha256,
    )
    runtime.files.put(path, copy)
    runtime.report(1.0, f"{copy.actual_size >> 20} of {copy.actual_size >> 20} MiB")
    return _as_cached(path, copy)


async def evict_image(command: EvictImage, runtime: SimulatedRuntime) -> None:
    """Forget an image that no file is cloned from."""
    folder = str(layout.cached_folder(command.root, command.image_uuid))
    paths = {path for path, _ in runtime.files.inside(folder)}
    users = sum(file.backing in paths for _, file in runtime.files.below(command.root))
    _refuse(rules.eviction_fault(command.image_uuid, users))
    runtime.files.remove(folder)


async def create_root_volume(command: CreateRootVolume, runtime: SimulatedRuntime) -> VolumeBits:
    """Note a linked clone."""
    image = _cached(command.root, command.image_uuid, runtime.files)
    if image is None:
        raise HostCommandFailed(f"image {command.image_uuid} is not cached on this host: fill the cache first")
    size = rules.whole_sectors(image.virtual_size if command.size is None else command.size)
    _refuse(rules.clone_fault(image, size))
    return _create(command.root, command.volume_uuid, "Root", size, image.install_path, runtime.files)


async def create_empty_volume(command: CreateEmptyVolume, runtime: SimulatedRuntime) -> VolumeBits:
    """Note a volume that holds nothing."""
    _refuse(rules.size_fault(command.size))
    size = rules.whole_sectors(command.size)
    return _create(command.root, command.volume_uuid, command.kind, size, None, runtime.files)


async def delete_volume(command: DeleteVolumeBits, runtime: SimulatedRuntime) -> None:
    """Forget a volume and what lies beside it."""
    folder = str(layout.volume_folder(command.root, command.volume_uuid, command.kind))
    runtime.files.remove(folder)


async def measure_volume(command: MeasureVolume, runtime: SimulatedRuntime) -> VolumeBits:
    """A volume's sizes."""
    path = str(layout.volume_file(command.root, command.volume_uuid, command.kind))
    file = runtime.files.get(path)
    if file is None:
        raise HostCommandFailed(f"volume {command.volume_uuid} is not on this host")
    return _as_volume(path, file, command.kind)


async def list_bits(command: ListBits, runtime: SimulatedRuntime) -> tuple[FoundBits, ...]:
    """Everything, images first."""
    folders: tuple[tuple[Literal["Image", "Root", "Data"], str], ...] = (
        ("Image", str(layout.cache(command.root))),
        ("Root", str(layout.volumes(command.root, "Root"))),
        ("Data", str(layout.volumes(command.root, "Data"))),
    )
    return tuple(
        FoundBits(uuid=PurePosixPath(path).stem, kind=kind, install_path=path, actual_size=file.actual_size)
        for kind, folder in folders
        for path, file in runtime.files.below(folder)
    )


HANDLERS: Mapping[type[Command[Any]], HostHandler] = {
    ConnectPrimaryStorage: connect,
    PrimaryCapacity: capacity,
    FillImageCache: fill_image_cache,
    EvictImage: evict_image,
    CreateRootVolume: create_root_volume,
    CreateEmptyVolume: create_empty_volume,
    DeleteVolumeBits: delete_volume,
    MeasureVolume: measure_volume,
    ListBits: list_bits,
}


def _create(
    root: str, volume_uuid: str, kind: VolumeKind, size: int, backing: str | None, files: SimulatedFiles
) -> VolumeBits:
    path = str(layout.volume_file(root, volume_uuid, kind))
    existing = files.get(path)
    if existing is not None:
        found = _as_volume(path, existing, kind)
        _refuse(rules.volume_fault(found, size, backing))
        return found
    made = SimulatedFile(format="qcow2", virtual_size=size, actual_size=EMPTY_QCOW2, backing=backing)
    files.put(path, made)
    return _as_volume(path, made, kind)


def _cached(root: str, image_uuid: str, files: SimulatedFiles) -> CachedImage | None:
    found = files.inside(str(layout.cached_folder(root, image_uuid)))
    return _as_cached(*found[0]) if found else None


def _as_cached(path: str, file: SimulatedFile) -> CachedImage:
    return CachedImage(
        image_uuid=PurePosixPath(path).stem,
        format=cast("ImageFormat", file.format),
        install_path=path,
        virtual_size=file.virtual_size,
        actual_size=file.actual_size,
        sha256=file.sha256,
    )


def _as_volume(path: str, file: SimulatedFile, kind: VolumeKind) -> VolumeBits:
    return VolumeBits(
        volume_uuid=PurePosixPath(path).stem,
        kind=kind,
        install_path=path,
        virtual_size=file.virtual_size,
        actual_size=file.actual_size,
        backing=file.backing,
    )


def _refuse(fault: str | None) -> None:
    if fault:
        raise HostCommandFailed(fault)
