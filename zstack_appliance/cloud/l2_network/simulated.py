"""Bridges on a simulated host: remembered, nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zstack_appliance.cloud.l2_network.wire import ApplyBridge, Bridge, RemoveBridge, bridge_name
from zstack_appliance.hostkit.simulated import SimulatedRuntime
from zstack_appliance.kernel.remote import Command, HostHandler

SHELF = "bridge"


async def apply_bridge(command: ApplyBridge, host: SimulatedRuntime) -> Bridge:
    """Remember the bridge."""
    name = bridge_name(host.instance, command.l2_network_uuid)
    before = host.shelf(SHELF).get(name)
    host.shelf(SHELF)[name] = command
    return Bridge(name=name, changed=() if before == command else (f"bridge {name}",))


async def remove_bridge(command: RemoveBridge, host: SimulatedRuntime) -> Bridge:
    """Forget the bridge."""
    name = bridge_name(host.instance, command.l2_network_uuid)
    gone = host.shelf(SHELF).pop(name, None)
    return Bridge(name=name, changed=() if gone is None else (f"no bridge {name}",))


HANDLERS: Mapping[type[Command[Any]], HostHandler] = {ApplyBridge: apply_bridge, RemoveBridge: remove_bridge}
