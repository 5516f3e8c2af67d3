"""How L3 networks and addresses are shown."""

from __future__ import annotations

from zstack_appliance.cloud.l3_network.schema import IpRange, L3Network, UsedIp
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        L3Network,
        many="L3 networks",
        place=("Network", 1),
        icon="globe",
        key="n",
        columns=("name", "state", "category", "ipRanges.networkCidr", "l2NetworkUuid", "zoneUuid", "createDate"),
        inputs=("name", "l2NetworkUuid", "category", "description"),
        first=("UpdateL3Network", "AttachNetworkServiceToL3Network"),
        note="An L3 network hands out addresses to VMs once it has an IP range.",
        step=9,
    ),
    Presentation(
        IpRange,
        one="IP range",
        many="IP ranges",
        place=("Network", 3),
        icon="range",
        columns=("name", "networkCidr", "startIp", "endIp", "gateway", "l3NetworkUuid"),
    ),
    Presentation(
        UsedIp,
        one="address",
        many="Used addresses",
        columns=("ip", "netmask", "gateway", "usedFor", "l3NetworkUuid", "createDate"),
    ),
)
