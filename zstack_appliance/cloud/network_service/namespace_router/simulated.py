"""Routers on a simulated host: remembered, by the same rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zstack_appliance.cloud.network_service.namespace_router.check import faults, missing_bridges
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    ApplyRouter,
    RemoveRouter,
    RouterState,
)
from zstack_appliance.hostkit.marks import namespace_name
from zstack_appliance.hostkit.simulated import SimulatedRuntime
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler

SHELF = "router"
_BRIDGES = "bridge"


async def apply_router(command: ApplyRouter, host: SimulatedRuntime) -> RouterState:
    """Remember the router, if a real host would take it."""
    spec = command.router
    if found := [*faults(spec, host.instance), *missing_bridges(spec, host.shelf(_BRIDGES).keys())]:
        raise HostCommandFailed(f"the router cannot be made: {'; '.join(found)}")
    namespace = namespace_name(host.instance, spec.l3_network_uuid)
    before = host.shelf(SHELF).get(namespace)
    host.shelf(SHELF)[namespace] = spec
    return RouterState(namespace=namespace, changed=() if before == spec else (f"router {namespace}",))


async def remove_router(command: RemoveRouter, host: SimulatedRuntime) -> RouterState:
    """Forget the router."""
    namespace = namespace_name(host.instance, command.l3_network_uuid)
    gone = host.shelf(SHELF).pop(namespace, None)
    return RouterState(namespace=namespace, changed=() if gone is None else (f"no router {namespace}",))


HANDLERS: Mapping[type[Command[Any]], HostHandler] = {ApplyRouter: apply_router, RemoveRouter: remove_router}
