"""What jobs add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.job import retention, service
from zstack_appliance.cloud.job.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="job",
    handlers=(service.steps, service.cancel),
    singletons=(retention.forget_old,),
    presentations=PRESENTATIONS,
)
