"""What volumes add to the cloud. Root volumes come and go with their VMs."""

from __future__ import annotations

from zstack_appliance.cloud.volume.messages import UpdateVolume
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.standard import updates

plugin = Plugin(name="volume", resources=(Volume,), handlers=(updates(UpdateVolume),))
