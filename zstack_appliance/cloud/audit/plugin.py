"""What audits add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.audit import retention
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(name="audit", configs=(retention.DAYS, retention.ROWS), singletons=(retention.forget_old,))
