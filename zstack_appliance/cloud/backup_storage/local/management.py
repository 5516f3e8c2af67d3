"""The management half: `LocalBackupStorage` turns the driver's calls into commands to one host."""

from __future__ import annotations

from dataclasses import dataclass

from zstack_appliance.cloud.backup_storage.driver import FetchPolicy, ImageFormat, StoredImage
from zstack_appliance.cloud.backup_storage.local.wire import (
    BackupCapacity,
    ConnectBackupStorage,
    DeleteImage,
    FetchImage,
    ListImages,
)
from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.host_link import HostLink, Report


@dataclass(frozen=True, slots=True)
class LocalBackupStorage:
    """A `BackupStorageDriver` for a folder of one host.

    Args:
        host: the host that the folder is on.
        root: the storage's URL, an absolute path on that host.
    """

    host: HostLink
    root: str

    async def connect(self) -> Space:
        """See `BackupStorageDriver.connect`."""
        return await self.host.ask(ConnectBackupStorage(root=self.root))

    async def capacity(self) -> Space:
        """See `BackupStorageDriver.capacity`."""
        return await self.host.ask(BackupCapacity(root=self.root))

    async def fetch(
        self,
        image_uuid: str,
        url: str,
        format: ImageFormat,  # noqa: A002 - ZStack's name for it
        *,
        policy: FetchPolicy,
        checksum: str | None = None,
        report: Report | None = None,
    ) -> StoredImage:
        """See `BackupStorageDriver.fetch`."""
        command = FetchImage(
            root=self.root,
            image_uuid=image_uuid,
            url=url,
            format=format,
            checksum=checksum,
            policy=policy,
        )
        return await self.host.ask(command, report=report)

    async def delete(self, image_uuid: str) -> None:
        """See `BackupStorageDriver.delete`."""
        await self.host.ask(DeleteImage(root=self.root, image_uuid=image_uuid))

    async def images(self) -> tuple[StoredImage, ...]:
        """See `BackupStorageDriver.images`."""
        return await self.host.ask(ListImages(root=self.root))
