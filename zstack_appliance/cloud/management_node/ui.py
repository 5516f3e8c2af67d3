"""How management nodes are shown."""

from __future__ import annotations

from zstack_appliance.cloud.management_node.schema import ManagementNode
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        ManagementNode,
        one="management node",
        many="Management nodes",
        place=("Infrastructure", 4),
        icon="hub",
        columns=("hostName", "joinDate", "heartBeat", "uuid"),
    ),
)
