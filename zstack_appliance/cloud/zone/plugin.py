"""What zones add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.zone.messages import ChangeZoneState, CreateZone, DeleteZone, UpdateZone
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.cloud.zone.service import keep_one_default
from zstack_appliance.cloud.zone.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.standard import creates, deletes, switches_state, updates

plugin = Plugin(
    name="zone",
    resources=(Zone,),
    handlers=(
        creates(CreateZone, Zone, state=OnOff.ENABLED, type="zstack", also=keep_one_default),
        updates(UpdateZone, also=keep_one_default),
        switches_state(ChangeZoneState),
        deletes(DeleteZone),
    ),
    presentations=PRESENTATIONS,
)
