"""What instance offerings add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.instance_offering.messages import (
    ChangeInstanceOfferingState,
    CreateInstanceOffering,
    DeleteInstanceOffering,
    UpdateInstanceOffering,
)
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.instance_offering.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.standard import creates, deletes, switches_state, updates

plugin = Plugin(
    name="instance_offering",
    resources=(InstanceOffering,),
    handlers=(
        creates(CreateInstanceOffering, InstanceOffering, state=OnOff.ENABLED, cpu_speed=0),
        updates(UpdateInstanceOffering),
        switches_state(ChangeInstanceOfferingState),
        deletes(DeleteInstanceOffering),
    ),
    presentations=PRESENTATIONS,
)
