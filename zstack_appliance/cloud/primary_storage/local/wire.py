"""The commands that the management half of a local primary storage sends to a host."""

from __future__ import annotations

from typing import ClassVar

from zstack_appliance.cloud.primary_storage.driver import (
    CachedImage,
    FoundBits,
    ImageSource,
    VolumeBits,
    VolumeKind,
)
from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.remote import Command
from zstack_appliance.kernel.schema import Uuid


class ConnectPrimaryStorage(Command[Space], frozen=True, kw_only=True):
    """Have the folders made, and what a crash left half done removed."""

    path: ClassVar[str] = "primary-storage/local/connect"
    root: str


class PrimaryCapacity(Command[Space], frozen=True, kw_only=True):
    """Have the storage measured."""

    path: ClassVar[str] = "primary-storage/local/capacity"
    root: str


class FillImageCache(Command[CachedImage], frozen=True, kw_only=True):
    """Have an image in the cache."""

    path: ClassVar[str] = "primary-storage/local/cache/fill"
    root: str
    source: ImageSource


class EvictImage(Command[None], frozen=True, kw_only=True):
    """Have an image gone from the cache."""

    path: ClassVar[str] = "primary-storage/local/cache/evict"
    root: str
    image_uuid: Uuid


class CreateRootVolume(Command[VolumeBits], frozen=True, kw_only=True):
    """Have a linked clone of a cached image; see `PrimaryStorageDriver.create_root_volume`."""

    path: ClassVar[str] = "primary-storage/local/volume/create-root"
    root: str
    volume_uuid: Uuid
    image_uuid: Uuid
    size: int | None = None


class CreateEmptyVolume(Command[VolumeBits], frozen=True, kw_only=True):
    """Have an empty volume."""

    path: ClassVar[str] = "primary-storage/local/volume/create-empty"
    root: str
    volume_uuid: Uuid
    kind: VolumeKind
    size: int


class DeleteVolumeBits(Command[None], frozen=True, kw_only=True):
    """Have a volume gone."""

    path: ClassVar[str] = "primary-storage/local/volume/delete"
    root: str
    volume_uuid: Uuid
    kind: VolumeKind


class MeasureVolume(Command[VolumeBits], frozen=True, kw_only=True):
    """Say how large a volume is now."""

    path: ClassVar[str] = "primary-storage/local/volume/measure"
    root: str
    volume_uuid: Uuid
    kind: VolumeKind


class ListBits(Command[tuple[FoundBits, ...]], frozen=True, kw_only=True):
    """Have everything named that is here."""

    path: ClassVar[str] = "primary-storage/local/list"
    root: str
