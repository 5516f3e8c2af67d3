"""What volumes add to the cloud. Root volumes come and go with their VMs."""

from __future__ import annotations

from zstack_appliance.cloud.volume.messages import UpdateVolume
from zstack_appliance.cloud.volume.schema import KEPT, Volume, VolumeType
from zstack_appliance.cloud.volume.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.quota import Quota
from zstack_appliance.kernel.standard import updates

plugin = Plugin(
    name="volume",
    resources=(Volume,),
    handlers=(updates(UpdateVolume),),
    quotas=(
        Quota("volume.capacity", 10 * 2**40, "size of all volumes, in bytes", Volume, "size", {"status": KEPT}),
        Quota("volume.data.num", 40, "data volumes", Volume, where={"type": (VolumeType.DATA,), "status": KEPT}),
    ),
    presentations=PRESENTATIONS,
)
