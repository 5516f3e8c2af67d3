"""The management half: `LocalPrimaryStorage` turns the driver's calls into commands to one host."""

from __future__ import annotations

from dataclasses import dataclass

from zstack_appliance.cloud.primary_storage.driver import (
    CachedImage,
    FoundBits,
    ImageSource,
    VolumeBits,
    VolumeKind,
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
from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.host_link import HostLink, Report


@dataclass(frozen=True, slots=True)
class LocalPrimaryStorage:
    """A `PrimaryStorageDriver` for one host's share of a local storage.

    Args:
        host: the host.
        root: the storage's URL, an absolute path on every host.
    """

    host: HostLink
    root: str

    async def connect(self) -> Space:
        """See `PrimaryStorageDriver.connect`."""
        return await self.host.ask(ConnectPrimaryStorage(root=self.root))

    async def capacity(self) -> Space:
        """See `PrimaryStorageDriver.capacity`."""
        return await self.host.ask(PrimaryCapacity(root=self.root))

    async def fill_cache(self, source: ImageSource, *, report: Report | None = None) -> CachedImage:
        """See `PrimaryStorageDriver.fill_cache`."""
        return await self.host.ask(FillImageCache(root=self.root, source=source), report=report)

    async def evict(self, image_uuid: str) -> None:
        """See `PrimaryStorageDriver.evict`."""
        await self.host.ask(EvictImage(root=self.root, image_uuid=image_uuid))

    async def create_root_volume(self, volume_uuid: str, image_uuid: str, size: int | None) -> VolumeBits:
        """See `PrimaryStorageDriver.create_root_volume`."""
        command = CreateRootVolume(root=self.root, volume_uuid=volume_uuid, image_uuid=image_uuid, size=size)
        return await self.host.ask(command)

    async def create_empty_volume(self, volume_uuid: str, kind: VolumeKind, size: int) -> VolumeBits:
        """See `PrimaryStorageDriver.create_empty_volume`."""
        command = CreateEmptyVolume(root=self.root, volume_uuid=volume_uuid, kind=kind, size=size)
        return await self.host.ask(command)

    async def delete_volume(self, volume_uuid: str, kind: VolumeKind) -> None:
        """See `PrimaryStorageDriver.delete_volume`."""
        await self.host.ask(DeleteVolumeBits(root=self.root, volume_uuid=volume_uuid, kind=kind))

    async def measure_volume(self, volume_uuid: str, kind: VolumeKind) -> VolumeBits:
        """See `PrimaryStorageDriver.measure_volume`."""
        return await self.host.ask(MeasureVolume(root=self.root, volume_uuid=volume_uuid, kind=kind))

    async def bits(self) -> tuple[FoundBits, ...]:
        """See `PrimaryStorageDriver.bits`."""
        return await self.host.ask(ListBits(root=self.root))
