"""How primary storages are shown."""

from __future__ import annotations

from zstack_appliance.cloud.primary_storage.schema import ImageCache, LocalStorageHostRef, PrimaryStorage
from zstack_appliance.kernel.presentation import Gauge, Presentation

PRESENTATIONS = (
    Presentation(
        PrimaryStorage,
        one="primary storage",
        many="Primary storage",
        place=("Storage", 2),
        icon="database",
        key="p",
        columns=("name", "status", "state", "type", "availableCapacity", "totalCapacity", "attachedClusterUuids"),
        first=("UpdatePrimaryStorage", "ReconnectPrimaryStorage"),
        note="Disks of VMs lie on a primary storage that their cluster reaches.",
        gauges=(
            Gauge("Storage promised", "totalCapacity", "availableCapacity", rank=3),
            Gauge("Storage in use", "totalPhysicalCapacity", "availablePhysicalCapacity", rank=4),
        ),
        step=4,
    ),
    Presentation(LocalStorageHostRef, one="host share", many="Shares of hosts"),
    Presentation(ImageCache, one="cached image", many="Cached images"),
)
