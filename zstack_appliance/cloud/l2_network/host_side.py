"""Bridges on a host: the half of an L2 network that runs there."""

from __future__ import annotations

from dataclasses import replace

from zstack_appliance.cloud.l2_network import simulated
from zstack_appliance.cloud.l2_network.bridge_plan import Seen, alias_fault, faults, plan
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, Bridge, RemoveBridge, bridge_name
from zstack_appliance.hostkit.iproute import ip_apply, ip_show, links, routes
from zstack_appliance.hostkit.marks import is_our_interface
from zstack_appliance.kernel.remote import HostCommandFailed, HostSide, Runtime


async def apply_bridge(command: ApplyBridge, runtime: Runtime) -> Bridge:
    """Have the bridge as described; see `ApplyBridge`.

    Raises:
        HostCommandFailed: the description cannot be followed, with every reason; nothing was changed.
    """
    name = bridge_name(runtime.instance, command.l2_network_uuid)
    seen = await _look(runtime, name)
    if command.physical_interface is not None:
        seen = await _look_at_joining(runtime, seen, command.physical_interface)
    if found := faults(command, name, seen):
        raise HostCommandFailed("; ".join(found))
    planned = plan(command, name, seen)
    await ip_apply(runtime, planned.changes)
    changed = list(planned.changes)
    if planned.bring_up:
        # The host must not talk IPv6 with guests: a router advertisement of theirs would move its routes.
        # A kernel without IPv6 has no such setting, which `-e` forgives.
        setting = f"net.ipv6.conf.{name}.disable_ipv6=1"
        await runtime.run(["sysctl", "-e", "-q", "-w", setting])
        up = f"link set dev {name} up"
        await ip_apply(runtime, [up])
        changed += [setting, up]
    return Bridge(name=name, changed=tuple(changed))


async def remove_bridge(command: RemoveBridge, runtime: Runtime) -> Bridge:
    """Have no such bridge; see `RemoveBridge`.

    Raises:
        HostCommandFailed: something of ours is still attached to it, or it is another L2 network's.
    """
    name = bridge_name(runtime.instance, command.l2_network_uuid)
    seen = await _look(runtime, name)
    if seen.bridge is None:
        return Bridge(name=name)
    if fault := alias_fault(seen.bridge, name, command.l2_network_uuid):
        raise HostCommandFailed(fault)
    [ports] = await ip_show(runtime, [f"link show master {name}"])
    attached = sorted(port for port in links(ports) if is_our_interface(port, runtime.instance))
    if attached:
        raise HostCommandFailed(
            f"the bridge {name} still has the ports {', '.join(attached)}: detach the VMs' NICs and remove "
            "the router of its networks first"
        )
    removal = f"link delete dev {name}"
    await ip_apply(runtime, [removal])
    return Bridge(name=name, changed=(removal,))


async def _look(runtime: Runtime, name: str) -> Seen:
    # An alias shows in details only, when addresses are asked for.
    questions = ["address show type bridge", "route show default"]
    bridges, defaults = await ip_show(runtime, questions, details=True)
    bridge = links(bridges).get(name)
    strangers = {}
    if bridge is not None:
        [ports] = await ip_show(runtime, [f"link show master {name}"])
        strangers = {port: link for port, link in links(ports).items() if not is_our_interface(port, runtime.instance)}
    return Seen(bridge=bridge, strangers=strangers, defaults=tuple(routes(defaults)))


async def _look_at_joining(runtime: Runtime, seen: Seen, interface: str) -> Seen:
    """Add the interface that is to be joined, with its kind, which only details show."""
    try:
        [rows] = await ip_show(runtime, [f"address show dev {interface}"], details=True)
    except HostCommandFailed as error:
        text = f"cannot look at the interface {interface}: choose one that `ip link` lists on this host"
        raise HostCommandFailed(f"{text} ({error})") from error
    return replace(seen, joining=links(rows)[interface])


HOST_SIDE = HostSide(real={ApplyBridge: apply_bridge, RemoveBridge: remove_bridge}, simulated=simulated.HANDLERS)
