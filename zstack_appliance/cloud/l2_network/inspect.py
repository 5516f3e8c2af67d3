"""Compare the bridges on a host with the L2 networks that reach it."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, differences, on_host
from zstack_appliance.cloud.l2_network.schema import L2NetworkClusterRef
from zstack_appliance.cloud.l2_network.wire import bridge_name
from zstack_appliance.cloud.network_service.host_network.wire import ListHostNetwork
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.instance import Instance


async def inspect(hook: InspectHost, cloud: Cloud) -> tuple[HostLeftover, ...]:
    """Bridges too many and too few."""
    found = await cloud.call(on_host(hook.host.uuid, ListHostNetwork()))
    refs = await cloud.find(L2NetworkClusterRef, cluster_uuid=hook.host.cluster_uuid)
    instance = cloud.use(Instance).id
    return differences(
        "bridge",
        (one.name for one in found.interfaces if one.kind == "bridge"),
        (bridge_name(instance, ref.l2_network_uuid) for ref in refs),
    )
