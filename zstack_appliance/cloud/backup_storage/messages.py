"""What can be asked of backup storages."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.backup_storage.driver import StoredImage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.message import ADMIN, Action, Create, Delete, Request, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid


@api("PUT", "/backup-storage/{uuid}/actions", access=ADMIN)
class UpdateBackupStorage(Update[BackupStorage], frozen=True, kw_only=True):
    """Change a backup storage's name or description."""

    uuid: Annotated[Uuid, Ref(BackupStorage)]
    name: Name | None = None
    description: Text | None = None


@api("PUT", "/backup-storage/{uuid}/actions", access=ADMIN)
class ChangeBackupStorageState(Action[BackupStorage], frozen=True, kw_only=True):
    """Enable a backup storage, or keep new images off it."""

    uuid: Annotated[Uuid, Ref(BackupStorage)]
    state_event: StateEvent


@api("PUT", "/backup-storage/{uuid}/actions", access=ADMIN)
class ReconnectBackupStorage(Action[BackupStorage], frozen=True, kw_only=True):
    """Connect to a backup storage anew and measure it."""

    uuid: Annotated[Uuid, Ref(BackupStorage)]


@api("DELETE", "/backup-storage/{uuid}", access=ADMIN, reply=None)
class DeleteBackupStorage(Delete, frozen=True, kw_only=True):
    """Take a backup storage out of the cloud."""

    uuid: Annotated[Uuid, Ref(BackupStorage)]


@api("POST", "/zones/{zoneUuid}/backup-storage/{backupStorageUuid}", access=ADMIN)
class AttachBackupStorageToZone(Action[BackupStorage], frozen=True, kw_only=True):
    """Let VMs of a zone begin as images of a backup storage."""

    zone_uuid: Annotated[Uuid, Ref(Zone)]
    backup_storage_uuid: Annotated[Uuid, Ref(BackupStorage)]


@api("DELETE", "/zones/{zoneUuid}/backup-storage/{backupStorageUuid}", access=ADMIN)
class DetachBackupStorageFromZone(Action[BackupStorage], frozen=True, kw_only=True):
    """Take a backup storage from a zone."""

    zone_uuid: Annotated[Uuid, Ref(Zone)]
    backup_storage_uuid: Annotated[Uuid, Ref(BackupStorage)]


@api("POST", "/backup-storage/local", access=ADMIN, wire="org.zstack.appliance")
class AddLocalBackupStorage(Create[BackupStorage], frozen=True, kw_only=True):
    """Keep images in a folder of one host."""

    url: Annotated[str, msgspec.Meta(max_length=2048)]
    name: Name
    host_uuid: Annotated[Uuid, Ref(Host)]
    description: Text | None = None


class FetchToBackupStorage(Request[StoredImage], frozen=True, kw_only=True):
    """Have an image on a backup storage, fetched from its URL. Safe to repeat."""

    backup_storage_uuid: Uuid
    image_uuid: Uuid
    url: str
    format: str
    report: Report | None = None


class RemoveFromBackupStorage(Request[None], frozen=True, kw_only=True):
    """Have no copy of an image on a backup storage. Safe to repeat."""

    backup_storage_uuid: Uuid
    image_uuid: Uuid
