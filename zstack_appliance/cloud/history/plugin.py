"""What the history of resources adds to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.history import retention, service
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="history",
    handlers=(service.history,),
    configs=(retention.DAYS, retention.ROWS),
    tasks=(retention.forget_old,),
)
