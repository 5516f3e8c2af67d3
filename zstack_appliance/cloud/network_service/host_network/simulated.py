"""A simulated host's own network: remembered, by the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zstack_appliance.cloud.network_service.host_network.check import faults
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    Daemon,
    HostNetworkInventory,
    HostNetworkState,
    Interface,
    ListHostNetwork,
    PurgeHostNetwork,
)
from zstack_appliance.cloud.network_service.namespace_router.wire import RouterSpec
from zstack_appliance.hostkit.marks import table_name
from zstack_appliance.hostkit.simulated import SimulatedRuntime
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler

SHELF = "host_network"
_BRIDGES, _ROUTERS = "bridge", "router"


async def apply_host_network(command: ApplyHostNetwork, host: SimulatedRuntime) -> HostNetworkState:
    """Remember the public networks."""
    if found := faults(command, host.instance):
        raise HostCommandFailed("; ".join(found))
    table = _table(host)
    before = host.shelf(SHELF).get(table)
    host.shelf(SHELF)[table] = command
    return HostNetworkState(changed=() if before == command else (f"table {table}",))


async def list_host_network(_: ListHostNetwork, host: SimulatedRuntime) -> HostNetworkInventory:
    """What is remembered, under the names that it would have."""
    routers = tuple(sorted(host.shelf(_ROUTERS)))
    return HostNetworkInventory(
        interfaces=tuple(
            Interface(name=name, kind="bridge", alias=bridge.l2_network_uuid)
            for name, bridge in sorted(host.shelf(_BRIDGES).items())
        ),
        namespaces=routers,
        tables=tuple(sorted(host.shelf(SHELF))),
        # A simulated daemon has no process: its number is that of none.
        daemons=tuple(Daemon(pid=0, namespace=name) for name in routers if _has_dnsmasq(host.shelf(_ROUTERS)[name])),
        folders=routers,
    )


async def purge_host_network(_: PurgeHostNetwork, host: SimulatedRuntime) -> HostNetworkState:
    """Forget everything."""
    changed = []
    for kind in (_ROUTERS, _BRIDGES, SHELF):
        changed += [f"no {name}" for name in sorted(host.shelf(kind))]
        host.shelf(kind).clear()
    return HostNetworkState(changed=tuple(changed))


def _has_dnsmasq(router: RouterSpec | None) -> bool:
    return router is not None and (router.dhcp is not None or router.dns is not None)


def _table(host: SimulatedRuntime) -> str:
    return f"ip {table_name(host.instance)}"


HANDLERS: Mapping[type[Command[Any]], HostHandler] = {
    ApplyHostNetwork: apply_host_network,
    ListHostNetwork: list_host_network,
    PurgeHostNetwork: purge_host_network,
}
