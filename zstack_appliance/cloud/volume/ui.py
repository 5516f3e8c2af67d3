"""How volumes are shown."""

from __future__ import annotations

from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Volume,
        many="Volumes",
        place=("Storage", 1),
        icon="disk",
        key="d",
        columns=("name", "status", "type", "size", "actualSize", "vmInstanceUuid", "primaryStorageUuid", "createDate"),
        note="A volume is a disk of a VM. Root volumes come with their VM.",
    ),
)
