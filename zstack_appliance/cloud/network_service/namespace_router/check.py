"""What is wrong with a router's description: `faults`, pure, every fault at once."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError

from zstack_appliance.cloud.network_service.namespace_router.wire import Lease, RouterSpec
from zstack_appliance.hostkit.marks import is_our_interface

REMEMBERED = 65536
"""Addresses that are kept as numbers: as many as a /16 has."""


def faults(spec: RouterSpec, instance: str) -> list[str]:
    """Everything that speaks against the description, in words for the operator.

    Args:
        spec: as it was decoded, so that its texts have the right form.
        instance: the appliance's id; it attaches routers to bridges of its own only.
    """
    try:
        gateways = [IPv4Interface(text) for text in spec.gateways]
        public = IPv4Interface(spec.public.address) if spec.public is not None else None
        found = [*_bridges(spec, instance), *_networks(gateways, public), *_services(spec)]
        if spec.public is not None and public is not None:
            found += _way_out(public, IPv4Address(spec.public.gateway))
        if spec.dhcp is not None:
            found += _leases(spec.dhcp.leases, gateways)
    except (AddressValueError, NetmaskValueError) as error:
        return [f"{error}: write addresses as 192.168.0.1 and prefix lengths from 1 to 30"]
    return found


def missing_bridges(spec: RouterSpec, present: Collection[str]) -> list[str]:
    """The bridges that the router needs and a host does not have, in words for the operator."""
    return [
        f"there is no bridge {name} on this host: apply its L2 network first"
        for name in _needed(spec)
        if name not in present
    ]


def _needed(spec: RouterSpec) -> list[str]:
    return [spec.bridge, *([spec.public.bridge] if spec.public is not None else [])]


def _bridges(spec: RouterSpec, instance: str) -> Iterator[str]:
    names = _needed(spec)
    for name in names:
        if not is_our_interface(name, instance):
            yield f"the bridge {name} is not this appliance's: name one that it made, of instance {instance}"
    if len(set(names)) < len(names):
        yield f"the bridge {spec.bridge} is on both sides of the router: the public network needs its own"


def _networks(gateways: Sequence[IPv4Interface], public: IPv4Interface | None) -> Iterator[str]:
    sides = [*gateways, *([public] if public is not None else [])]
    for number, side in enumerate(sides):
        edges = (side.network.network_address, side.network.broadcast_address)
        if not 1 <= side.network.prefixlen <= 30 or side.ip in edges:
            yield f"{side} is not a host's address in its network, or that has no room for others"
        for other in sides[number + 1 :]:
            if side.network.overlaps(other.network):
                yield f"the networks {side.network} and {other.network} overlap: choose another range"


def _services(spec: RouterSpec) -> Iterator[str]:
    if spec.snat and spec.public is None:
        yield "SNAT needs a public address: give the router a public side, or take SNAT off the L3 network"
    servers = [*(spec.dhcp.dns if spec.dhcp is not None else ()), *(spec.dns.upstreams if spec.dns else ())]
    for server in map(IPv4Address, servers):
        if server.is_multicast or server.is_unspecified:
            yield f"{server} cannot be a name server's address"


def _way_out(public: IPv4Interface, gateway: IPv4Address) -> Iterator[str]:
    if gateway not in public.network or gateway == public.ip:
        yield f"the public gateway {gateway} is no neighbour of {public}: give one in {public.network}"


def _leases(leases: Sequence[Lease], gateways: Sequence[IPv4Interface]) -> Iterator[str]:
    for what, counted in (
        ("address", Counter(lease.ip for lease in leases)),
        ("MAC", Counter(lease.mac for lease in leases)),
    ):
        for value, times in counted.items():
            if times > 1:
                yield f"{times} leases have the {what} {value}: each NIC needs its own"
    taken = {int(gateway.ip) for gateway in gateways}
    edges = [(int(g.network.network_address), int(g.network.broadcast_address)) for g in gateways]
    for lease in leases:
        ip = _number(lease.ip)
        home = next((edge for edge in edges if edge[0] <= ip <= edge[1]), None)
        if home is None:
            yield f"the lease {lease.ip} lies in none of the networks {', '.join(map(str, gateways))}"
        elif ip in taken or ip in home:
            yield f"the lease {lease.ip} is the gateway's, the network's or the broadcast address"


@functools.lru_cache(maxsize=REMEMBERED)
def _number(address: str) -> int:
    """An address as a number. A network is described whole at each of its changes: hardly any address is new."""
    return int(IPv4Address(address))
