"""What L3 networks add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.l2_network.messages import BridgeAddresses
from zstack_appliance.cloud.l3_network import ranges, service
from zstack_appliance.cloud.l3_network.messages import (
    ChangeL3NetworkState,
    DeleteIpRange,
    DeleteL3Network,
    L3NetworkChanged,
    UpdateIpRange,
    UpdateL3Network,
)
from zstack_appliance.cloud.l3_network.schema import IpRange, L3Network, L3NetworkDns, UsedIp
from zstack_appliance.cloud.l3_network.ui import PRESENTATIONS
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.quota import Quota
from zstack_appliance.kernel.standard import deletes, switches_state, updates

plugin = Plugin(
    name="l3_network",
    resources=(L3Network, IpRange, UsedIp, L3NetworkDns),
    handlers=(
        service.create,
        deletes(DeleteL3Network, act=service.delete),
        service.add_dns,
        service.remove_dns,
        ranges.add,
        ranges.add_by_cidr,
        deletes(DeleteIpRange, act=ranges.delete),
        updates(UpdateL3Network),
        updates(UpdateIpRange),
        switches_state(ChangeL3NetworkState),
    ),
    listeners=((L3NetworkChanged, service.on_changed),),
    hooks=((BridgeAddresses, service.bridge_addresses),),
    quotas=(Quota("l3.num", 20, "L3 networks", L3Network),),
    configs=(
        GlobalConfig(
            "l3Network",
            "ipAllocateStrategy",
            "RandomIpAllocatorStrategy",
            "How a NIC's address is chosen among the free ones.",
            choices=("RandomIpAllocatorStrategy", "FirstAvailableIpAllocatorStrategy"),
            bind=("L3NetworkVO",),
        ),
    ),
    presentations=PRESENTATIONS,
)
