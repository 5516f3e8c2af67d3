"""Have hosts forward and masquerade for the public networks that stay inside them."""

from __future__ import annotations

import logging

from zstack_appliance.cloud.host.messages import HostLeaving, PrepareHost, on_host
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.l2_network.schema import L2Network, L2NetworkClusterRef
from zstack_appliance.cloud.l2_network.wire import bridge_name
from zstack_appliance.cloud.l3_network.messages import L3NetworkChanged
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, L3Network
from zstack_appliance.cloud.network_service.host_network.wire import ApplyHostNetwork, PublicNetwork, PurgeHostNetwork
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.instance import Instance

log = logging.getLogger(__name__)


async def on_prepare_host(hook: PrepareHost, cloud: Cloud) -> None:
    """A host is being connected."""
    await apply(hook.host, cloud)


async def on_leaving(hook: HostLeaving, cloud: Cloud) -> None:
    """A host is taken back: leave none of our networks on it. One that does not answer has to keep them."""
    try:
        await cloud.call(on_host(hook.host.uuid, PurgeHostNetwork()))
    except Unavailable as error:
        log.warning("networks may be left on host %s (%s): %s", hook.host.name, hook.host.management_ip, error)


async def on_changed(event: L3NetworkChanged, cloud: Cloud) -> None:
    """The ranges of a public network changed."""
    if event.l3.category is not Category.PUBLIC:
        return
    for ref in await cloud.find(L2NetworkClusterRef, l2_network_uuid=event.l3.l2_network_uuid):
        for host in await cloud.find(Host, cluster_uuid=ref.cluster_uuid, status=HostStatus.CONNECTED):
            await apply(host, cloud)


async def apply(host: Host, cloud: Cloud) -> None:
    """Have a host serve exactly the public networks of its cluster that have no physical interface."""
    await cloud.call(on_host(host.uuid, ApplyHostNetwork(public=await public_networks(host, cloud))))


async def public_networks(host: Host, cloud: Cloud) -> tuple[PublicNetwork, ...]:
    """Each such network's bridge and subnet, ordered by bridge."""
    instance = cloud.use(Instance).id
    found: set[PublicNetwork] = set()
    for ref in await cloud.find(L2NetworkClusterRef, cluster_uuid=host.cluster_uuid):
        l2 = await cloud.get(L2Network, ref.l2_network_uuid)
        if l2.physical_interface:
            continue
        for network in await cloud.find(L3Network, l2_network_uuid=l2.uuid, category=Category.PUBLIC):
            for ip_range in await cloud.find(IpRange, l3_network_uuid=network.uuid):
                found.add(PublicNetwork(bridge=bridge_name(instance, l2.uuid), subnet=ip_range.network_cidr))
    return tuple(sorted(found, key=lambda public: (public.bridge, public.subnet)))
