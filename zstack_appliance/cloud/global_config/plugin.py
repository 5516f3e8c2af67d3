"""What the global configuration adds to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.global_config import service
from zstack_appliance.kernel.config import Setting
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="global_config",
    resources=(Setting,),
    handlers=(service.update, service.reset),
    starts=(service.seed,),
)
