"""How L2 networks are shown."""

from __future__ import annotations

from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        L2Network,
        many="L2 networks",
        place=("Network", 2),
        icon="link",
        columns=("name", "type", "physicalInterface", "zoneUuid", "attachedClusterUuids", "createDate"),
        note="An L2 network is a bridge on each host of the clusters that it is attached to.",
        step=8,
    ),
)
