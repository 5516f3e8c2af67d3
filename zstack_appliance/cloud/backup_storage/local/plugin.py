"""What local backup storage adds to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage.driver import BackupStorageDriver
from zstack_appliance.cloud.backup_storage.local.add import ADD, TYPE, add_local
from zstack_appliance.cloud.backup_storage.local.host_side import HOST_SIDE
from zstack_appliance.cloud.backup_storage.local.management import LocalBackupStorage
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="backup_storage.local",
    handlers=(add_local,),
    flows=(ADD,),
    drivers={(BackupStorageDriver, TYPE): LocalBackupStorage},
    host_side=HOST_SIDE,
)
