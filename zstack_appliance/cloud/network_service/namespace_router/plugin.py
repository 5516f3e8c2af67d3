"""What namespace routers add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import InspectHost, PrepareHost
from zstack_appliance.cloud.network_service.messages import ProvideServices
from zstack_appliance.cloud.network_service.namespace_router import inspect, provide
from zstack_appliance.cloud.network_service.namespace_router.host_side import HOST_SIDE
from zstack_appliance.cloud.network_service.namespace_router.schema import NamespaceRouter
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(
    name="network_service.namespace_router",
    resources=(NamespaceRouter,),
    hooks=(
        (ProvideServices, provide.provide),
        (PrepareHost, provide.on_prepare_host),
        (InspectHost, inspect.inspect),
    ),
    starts=(provide.register,),
    host_side=HOST_SIDE,
)
