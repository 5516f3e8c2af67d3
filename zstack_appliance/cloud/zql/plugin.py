"""What ZQL adds to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.zql import service
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(name="zql", handlers=(service.query_zql,))
