"""What management nodes add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.management_node import membership, service
from zstack_appliance.cloud.management_node.schema import ManagementNode
from zstack_appliance.cloud.management_node.ui import PRESENTATIONS
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="management_node",
    resources=(ManagementNode,),
    handlers=(service.version, service.current_time, service.ready),
    configs=(
        GlobalConfig(
            "managementServer",
            "node.heartbeatInterval",
            "5",
            "Seconds between two heartbeats of a node.",
            int,
            low=1,
        ),
    ),
    early=(membership.join,),
    tasks=(membership.watch,),
    presentations=PRESENTATIONS,
)
