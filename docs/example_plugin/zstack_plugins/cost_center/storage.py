"""Storages that keep every image: how one is added, and the driver that reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from zstack_appliance.cloud.backup_storage.driver import FetchPolicy, ImageFormat, StoredImage
from zstack_appliance.cloud.backup_storage.local.wire import (
    BackupCapacity,
    ConnectBackupStorage,
    FetchImage,
    ListImages,
)
from zstack_appliance.cloud.backup_storage.messages import ReconnectBackupStorage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.primary_storage.schema import StorageStatus
from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.host_link import HostLink, Report
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.store import Tx
from zstack_plugins.cost_center.messages import AddWriteOnceStorage
from zstack_plugins.cost_center.schema import WriteOnceStorage

TYPE = "WriteOnce"


class NewStorage(Context):
    """The storage as it will be."""

    storage: WriteOnceStorage


ADD = Flow("cost_center.add_storage", NewStorage, lambda: (
    Step("record", tx=record, undo_tx=forget),
    Step("connect", do=connect, keeps="an empty folder may stay; it belongs to whoever named it"),
))  # fmt: skip


@handles(AddWriteOnceStorage)
async def add(m: AddWriteOnceStorage, cloud: Cloud) -> BackupStorage:
    """Serve `AddWriteOnceStorage`."""
    unmeasured = {"status": StorageStatus.CONNECTING, "total_capacity": 0, "available_capacity": 0}
    storage = cloud.draft(WriteOnceStorage, m, type=TYPE, state=OnOff.ENABLED, **unmeasured)
    await cloud.run(ADD, NewStorage(storage=storage))
    return await cloud.get(BackupStorage, storage.uuid)


def record(tx: Tx, d: NewStorage) -> None:
    """Write the storage down."""
    d.storage = tx.insert(d.storage)


def forget(tx: Tx, d: NewStorage) -> None:
    """Undo `record`."""
    remove(tx, WriteOnceStorage, d.storage.uuid)


async def connect(d: NewStorage, cloud: Cloud) -> None:
    """Have the folder made and measured."""
    await cloud.call(ReconnectBackupStorage(uuid=d.storage.uuid))


@dataclass(frozen=True, slots=True)
class WriteOnceDriver:
    """A `BackupStorageDriver` for a folder of one host from which nothing is removed."""

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
            root=self.root, image_uuid=image_uuid, url=url, format=format, checksum=checksum, policy=policy
        )
        return await self.host.ask(command, report=report)

    async def delete(self, image_uuid: str) -> None:
        """The record goes, the bits stay: that is what this storage is for."""

    async def images(self) -> tuple[StoredImage, ...]:
        """See `BackupStorageDriver.images`."""
        return await self.host.ask(ListImages(root=self.root))
