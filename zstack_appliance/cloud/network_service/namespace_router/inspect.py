"""Compare the routers on a host with the records: namespaces, their links, dnsmasq and files."""

from __future__ import annotations

from collections import Counter

from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, differences, on_host
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.network_service.host_network.wire import ListHostNetwork
from zstack_appliance.cloud.network_service.namespace_router.desired import DHCP, DNS
from zstack_appliance.cloud.network_service.namespace_router.provide import services_of
from zstack_appliance.cloud.network_service.namespace_router.schema import NamespaceRouter
from zstack_appliance.hostkit.marks import Kind, interface_name, namespace_name
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.instance import Instance


async def inspect(hook: InspectHost, cloud: Cloud) -> tuple[HostLeftover, ...]:
    """What of routers there is too much and too little."""
    found = await cloud.call(on_host(hook.host.uuid, ListHostNetwork()))
    routers = await cloud.find(NamespaceRouter, host_uuid=hook.host.uuid)
    instance = cloud.use(Instance).id
    wanted = {namespace_name(instance, router.l3_network_uuid) for router in routers}
    daemons = Counter(one.namespace for one in found.daemons)
    twins = [HostLeftover(kind="dnsmasq", name=name, problem="orphan") for name, n in daemons.items() if n > 1]
    ends = [one.name for one in found.interfaces if one.kind != "bridge" and one.name[1] in (Kind.LAN, Kind.WAN)]
    return (
        *differences("namespace", found.namespaces, wanted),
        *differences(
            "dnsmasq", daemons, [name for name in [await _served(r, instance, cloud) for r in routers] if name]
        ),
        *twins,
        # A real router is never without its links, and a simulated one has none: so only too many can be told.
        *differences("veth", set(ends) - {name for r in routers for name in _ends(r, instance)}, ()),
        *differences("router folder", set(found.folders) - wanted, ()),
    )


async def _served(router: NamespaceRouter, instance: str, cloud: Cloud) -> str | None:
    """The router's namespace if a dnsmasq belongs there."""
    services = await services_of(await cloud.get(L3Network, router.l3_network_uuid), cloud)
    return namespace_name(instance, router.l3_network_uuid) if services & {DHCP, DNS} else None


def _ends(router: NamespaceRouter, instance: str) -> list[str]:
    kinds = [Kind.LAN] if router.public_ip_uuid is None else [Kind.LAN, Kind.WAN]
    return [interface_name(kind, instance, router.l3_network_uuid) for kind in kinds]
