"""How backup storages are shown."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.kernel.presentation import Gauge, Presentation

PRESENTATIONS = (
    Presentation(
        BackupStorage,
        one="backup storage",
        many="Backup storage",
        place=("Storage", 4),
        icon="archive",
        key="b",
        columns=("name", "status", "state", "type", "availableCapacity", "totalCapacity", "url"),
        first=("UpdateBackupStorage", "ReconnectBackupStorage"),
        note="Images are kept on a backup storage until a VM needs them.",
        gauges=(Gauge("Backup storage", "totalCapacity", "availableCapacity"),),
        step=5,
    ),
)
