"""The commands that the management half of a local backup storage sends to its host."""

from __future__ import annotations

from typing import ClassVar

from zstack_appliance.cloud.backup_storage.driver import FetchPolicy, ImageFormat, StoredImage
from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.remote import Command
from zstack_appliance.kernel.schema import Uuid


class ConnectBackupStorage(Command[Space], frozen=True, kw_only=True):
    """Have the folders made, and what a crash left half done removed."""

    path: ClassVar[str] = "backup-storage/local/connect"
    root: str


class BackupCapacity(Command[Space], frozen=True, kw_only=True):
    """Have the storage measured."""

    path: ClassVar[str] = "backup-storage/local/capacity"
    root: str


class FetchImage(Command[StoredImage], frozen=True, kw_only=True):
    """Have an image here; see `BackupStorageDriver.fetch`."""

    path: ClassVar[str] = "backup-storage/local/fetch"
    root: str
    image_uuid: Uuid
    url: str
    format: ImageFormat
    checksum: str | None = None
    policy: FetchPolicy


class DeleteImage(Command[None], frozen=True, kw_only=True):
    """Have an image gone."""

    path: ClassVar[str] = "backup-storage/local/delete"
    root: str
    image_uuid: Uuid


class ListImages(Command[tuple[StoredImage, ...]], frozen=True, kw_only=True):
    """Have every image named that is here."""

    path: ClassVar[str] = "backup-storage/local/list"
    root: str
