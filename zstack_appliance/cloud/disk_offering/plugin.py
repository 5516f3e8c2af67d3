"""What disk offerings add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.disk_offering.messages import (
    ChangeDiskOfferingState,
    CreateDiskOffering,
    DeleteDiskOffering,
    UpdateDiskOffering,
)
from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.disk_offering.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.standard import creates, deletes, switches_state, updates

plugin = Plugin(
    name="disk_offering",
    resources=(DiskOffering,),
    handlers=(
        creates(
            CreateDiskOffering,
            DiskOffering,
            state=OnOff.ENABLED,
            allocator_strategy="DefaultPrimaryStorageAllocationStrategy",
        ),
        updates(UpdateDiskOffering),
        switches_state(ChangeDiskOfferingState),
        deletes(DeleteDiskOffering),
    ),
    presentations=PRESENTATIONS,
)
