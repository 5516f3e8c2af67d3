"""What is stored of a backup storage, whatever its type."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.primary_storage.schema import StorageStatus
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import (
    DELETE,
    DETACH,
    HIDDEN,
    VETO,
    ByteSize,
    Embed,
    OnOff,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)


@resource(
    wire="org.zstack.header.storage.backup",
    path="/backup-storage",
    discriminator="type",
    aliases={"zone": "zoneRef.zone", "image": "imageRef.image"},
)
class BackupStorage(Resource, frozen=True, kw_only=True):
    """Where images are kept."""

    url: str
    type: str
    state: OnOff
    status: StorageStatus
    total_capacity: ByteSize
    available_capacity: int
    host_uuid: Annotated[Uuid | None, Ref(Host, on_delete=VETO), HIDDEN] = None
    """The host whose agent reaches the storage, for the types that lie on one."""


@resource(
    wire="org.zstack.header.storage.backup",
    path="/backup-storage/zone-refs",
    unique=(("backup_storage_uuid", "zone_uuid"),),
    aliases={"Zone.backupStorage": "backupStorageRef.backupStorage"},
)
class BackupStorageZoneRef(Record, frozen=True, kw_only=True):
    """A backup storage serves a zone."""

    backup_storage_uuid: Annotated[
        Uuid,
        Ref(
            BackupStorage,
            back="zoneRef",
            on_delete=DELETE,
            hidden=True,
            embed=Embed(name="attachedZoneUuids", pluck="zone_uuid"),
        ),
    ]
    zone_uuid: Annotated[Uuid, Ref(Zone, back="backupStorageRef", on_delete=DETACH, hidden=True)]
