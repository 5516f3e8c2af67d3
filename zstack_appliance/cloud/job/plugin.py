"""What jobs add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.job import retention, service
from zstack_appliance.cloud.job.ui import PRESENTATIONS
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.meter import Gauge
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="job",
    handlers=(service.steps, service.cancel),
    singletons=(retention.forget_old,),
    presentations=PRESENTATIONS,
    gauges=(Gauge("zstack_jobs", "Jobs that are kept, by their state.", Job, by=("state",)),),
)
