"""What has to change on a host for a bridge to be as described: pure functions of what is there.

Primitives: `Seen` (what was found), `faults` (why the description is refused), `plan` (the `ip` commands
from what is there to what is described).
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field

from zstack_appliance.cloud.l2_network.wire import ApplyBridge
from zstack_appliance.hostkit.iproute import Link, Route

JOINABLE = ("dummy", "veth")
"""Kinds of interface that may be joined: nobody reaches this host through them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host has.

    Attributes:
        bridge: the bridge with its addresses, when there is one of that name.
        strangers: ports of it that do not carry our instance id, by name.
        joining: the interface that is to be joined, with its kind and addresses.
        defaults: the host's default routes.
    """

    bridge: Link | None = None
    strangers: Mapping[str, Link] = field(default_factory=dict)
    joining: Link | None = None
    defaults: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes for `ip`. The bridge comes up apart, so that one that is up lacks nothing a new one gets."""

    changes: tuple[str, ...]
    bring_up: bool


def faults(wanted: ApplyBridge, name: str, seen: Seen) -> list[str]:
    """Everything that speaks against the description, in words for the operator."""
    found = [address_fault(address) for address in wanted.addresses]
    found.append(alias_fault(seen.bridge, name, wanted.l2_network_uuid))
    if seen.joining is not None and seen.joining.master != name:
        found.append(joining_fault(seen.joining, seen.defaults))
    return [fault for fault in found if fault is not None]


def address_fault(address: str) -> str | None:
    """Why this cannot be the host's address on a bridge."""
    try:
        given = ipaddress.IPv4Interface(address)
    except ValueError:
        return f"{address!r} is not an IPv4 address with a prefix length: write it as 172.30.0.1/24"
    edges = (given.network.network_address, given.network.broadcast_address)
    if given.network.prefixlen > 30 or given.ip in edges:
        return f"{address} leaves no room for others, or is not a host's address: write it as 172.30.0.1/24"
    return None


def alias_fault(bridge: Link | None, name: str, l2_network_uuid: str) -> str | None:
    """Why the bridge of that name is not this L2 network's."""
    if bridge is None or bridge.ifalias in (None, l2_network_uuid):
        return None
    return (
        f"the bridge {name} belongs to the L2 network {bridge.ifalias}, whose uuid begins like that of "
        f"{l2_network_uuid}: delete this L2 network and create it again, so that it gets another uuid"
    )


def joining_fault(joining: Link, defaults: tuple[Route, ...]) -> str | None:
    """Why an interface must not be moved into a bridge."""
    name = joining.ifname
    if any(route.dev == name for route in defaults):
        return _cut_off(name, "the host's default route goes through it")
    held = [address.cidr for address in joining.addr_info if address.scope != "link"]
    if held:
        return _cut_off(name, f"it holds {', '.join(held)}")
    if joining.master is not None:
        return f"{name} is a port of {joining.master} already: take it out there first"
    if joining.linkinfo.info_kind not in JOINABLE:
        return f"{name} cannot be joined: only interfaces of the kinds {' and '.join(JOINABLE)} can"
    return None


def plan(wanted: ApplyBridge, name: str, seen: Seen) -> Plan:
    """What makes the bridge as wanted.

    Args:
        wanted: free of faults.
        name: of the bridge.
        seen: what is there.
    """
    bridge = seen.bridge
    changes = []
    if bridge is None:
        mac = bridge_mac(wanted.l2_network_uuid)
        # Made with another MTU than the wanted one: only a change binds a bridge to its MTU. Otherwise it
        # takes over that of the smallest port.
        changes.append(f"link add name {name} address {mac} mtu {wanted.mtu - 1} type bridge")
    if bridge is None or bridge.mtu != wanted.mtu:
        changes.append(f"link set dev {name} mtu {wanted.mtu}")
    if bridge is None or bridge.ifalias is None:
        changes.append(f"link set dev {name} alias {wanted.l2_network_uuid}")
    present = bridge.ipv4 if bridge is not None else frozenset()
    asked = frozenset(wanted.addresses)
    changes += [f"address delete {address} dev {name}" for address in sorted(present - asked)]
    changes += [f"address add {address} brd + dev {name}" for address in sorted(asked - present)]
    changes += _ports(wanted, name, seen)
    return Plan(changes=tuple(changes), bring_up=bridge is None or not bridge.up)


def bridge_mac(l2_network_uuid: str) -> str:
    """The bridge's own MAC address: locally administered, unicast, the same on every host.

    Left to itself a bridge takes the lowest of its ports' addresses and changes it as ports come and go;
    until their caches expire, guests then lose the host.
    """
    digest = hashlib.sha256(f"bridge {l2_network_uuid}".encode()).digest()
    return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))


def _cut_off(interface: str, reason: str) -> str:
    return (
        f"{interface} cannot be joined, because {reason}: moving it into a bridge could cut this host off. "
        "Name an interface without addresses"
    )


def _ports(wanted: ApplyBridge, name: str, seen: Seen) -> list[str]:
    """Let go of what was joined before, and join what is named now."""
    changes = [f"link set dev {port} nomaster" for port in sorted(seen.strangers) if port != wanted.physical_interface]
    joining = seen.joining
    if joining is not None and joining.master != name:
        changes.append(f"link set dev {joining.ifname} master {name}")
    if joining is not None and not joining.up:
        changes.append(f"link set dev {joining.ifname} up")
    return changes
