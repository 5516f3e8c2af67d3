"""Compare what is in a host's own network with what belongs there, but for what other folders look after."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, differences, on_host
from zstack_appliance.cloud.network_service.host_network.wire import Interface, ListHostNetwork
from zstack_appliance.hostkit.marks import Kind, table_name
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.instance import Instance


async def inspect(hook: InspectHost, cloud: Cloud) -> tuple[HostLeftover, ...]:
    """Tables of ours too many and too few, and interfaces of ours that are of no kind that we make."""
    found = await cloud.call(on_host(hook.host.uuid, ListHostNetwork()))
    return (
        *differences("nft table", found.tables, [f"ip {table_name(cloud.use(Instance).id)}"]),
        *differences("interface", (one.name for one in found.interfaces if not _has_keeper(one)), ()),
    )


def _has_keeper(interface: Interface) -> bool:
    """Whether another folder looks after such an interface: bridges go by what they are, the rest by name."""
    return interface.kind == "bridge" or interface.name[1] in (Kind.LAN, Kind.WAN, Kind.TAP)
