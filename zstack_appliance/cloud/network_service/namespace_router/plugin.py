"""What namespace routers add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostLost, InspectHost, PrepareHost
from zstack_appliance.cloud.l2_network.messages import L2NetworkLeaving
from zstack_appliance.cloud.network_service.messages import ProvideServices
from zstack_appliance.cloud.network_service.namespace_router import inspect, provide
from zstack_appliance.cloud.network_service.namespace_router.host_side import HOST_SIDE
from zstack_appliance.cloud.network_service.namespace_router.messages import WithdrawRouter
from zstack_appliance.cloud.network_service.namespace_router.schema import NamespaceRouter
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import DELETE, DETACH

plugin = Plugin(
    name="network_service.namespace_router",
    resources=(NamespaceRouter,),
    handlers=(provide.withdraw,),
    listeners=((HostLost, provide.on_host_lost),),
    cascades={
        (NamespaceRouter, DELETE): lambda router, _mode: WithdrawRouter(uuid=router.uuid),
        (NamespaceRouter, DETACH): lambda router, _mode: WithdrawRouter(uuid=router.uuid),
    },
    hooks=(
        (ProvideServices, provide.provide),
        (PrepareHost, provide.on_prepare_host),
        (InspectHost, inspect.inspect),
        (L2NetworkLeaving, provide.on_l2_leaving),
    ),
    starts=(provide.register,),
    tasks=(provide.bring_in_line,),
    host_side=HOST_SIDE,
)
