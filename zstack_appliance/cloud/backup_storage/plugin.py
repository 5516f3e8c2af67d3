"""What backup storages of any type add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage import inspect, service
from zstack_appliance.cloud.backup_storage.messages import (
    ChangeBackupStorageState,
    DeleteBackupStorage,
    DetachBackupStorageFromZone,
    UpdateBackupStorage,
)
from zstack_appliance.cloud.backup_storage.schema import BackupStorage, BackupStorageZoneRef
from zstack_appliance.cloud.backup_storage.ui import PRESENTATIONS
from zstack_appliance.cloud.host.messages import HostConnected, HostLost, InspectHost
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import DETACH
from zstack_appliance.kernel.standard import deletes, switches_state, updates

plugin = Plugin(
    name="backup_storage",
    resources=(BackupStorage, BackupStorageZoneRef),
    handlers=(
        service.attach,
        service.detach,
        service.reconnect,
        service.fetch,
        service.remove,
        updates(UpdateBackupStorage),
        switches_state(ChangeBackupStorageState),
        deletes(DeleteBackupStorage),
    ),
    listeners=((HostConnected, service.on_host_connected), (HostLost, service.on_host_lost)),
    hooks=((InspectHost, inspect.inspect),),
    cascades={
        (BackupStorageZoneRef, DETACH): lambda ref, _mode: DetachBackupStorageFromZone(
            backup_storage_uuid=ref.backup_storage_uuid, zone_uuid=ref.zone_uuid
        ),
    },
    configs=(
        GlobalConfig(
            "backupStorage",
            "reservedCapacity",
            "1G",
            "Space that each backup storage keeps free, in bytes or with a unit.",
            int,
            low=0,
            bind=("BackupStorageVO",),
        ),
        GlobalConfig(
            "image",
            "download.localPath.directories",
            "/var/lib/zstack-appliance/images",
            "Folders that file: URLs of images may point below, separated by semicolons; empty forbids them.",
        ),
        GlobalConfig(
            "image",
            "download.allowed",
            "",
            "Private hosts and networks that images may be fetched from all the same, separated by semicolons.",
        ),
    ),
    presentations=PRESENTATIONS,
)
