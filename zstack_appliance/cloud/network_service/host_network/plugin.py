"""What hosts' own networks add to the cloud.

The name sorts before the routers', so that a host forwards before it gets routers.
"""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostLeaving, InspectHost, PrepareHost
from zstack_appliance.cloud.l3_network.messages import L3NetworkChanged
from zstack_appliance.cloud.network_service.host_network import inspect, service
from zstack_appliance.cloud.network_service.host_network.host_side import HOST_SIDE
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="network_service.host_network",
    listeners=((L3NetworkChanged, service.on_changed),),
    hooks=(
        (PrepareHost, service.on_prepare_host),
        (HostLeaving, service.on_leaving),
        (InspectHost, inspect.inspect),
    ),
    host_side=HOST_SIDE,
)
