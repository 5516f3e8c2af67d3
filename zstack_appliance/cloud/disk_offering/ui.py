"""How disk offerings are shown."""

from __future__ import annotations

from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        DiskOffering,
        many="Disk offerings",
        place=("Storage", 3),
        icon="disk",
        columns=("name", "state", "diskSize", "description", "createDate"),
        inputs=("name", "diskSize", "description"),
        note="A disk offering is a size of disk to choose from.",
    ),
)
