"""What has to change for a router's namespace, links, addresses and route to be as described: pure.

Primitives: `Seen` (what was found), `plan` (the `ip` commands from there to the description), `removal`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zstack_appliance.cloud.network_service.namespace_router.place import LAN, WAN, Place
from zstack_appliance.cloud.network_service.namespace_router.wire import RouterSpec
from zstack_appliance.hostkit.iproute import Link, Route


@dataclass(frozen=True, slots=True)
class Seen:
    """What a host has of a router.

    Attributes:
        ends: the veth interfaces of the host, by name.
        bridges: the bridges of the host, by name.
        named: whether a namespace of the name is listed.
        inside: interfaces in the namespace with their addresses; None when it does not exist or, after a
            crash in the midst of its making, is a name without a namespace.
        default: the default route in the namespace.
        forwarding: whether the namespace forwards packets.
    """

    ends: Mapping[str, Link] = field(default_factory=dict)
    bridges: Mapping[str, Link] = field(default_factory=dict)
    named: bool = False
    inside: Mapping[str, Link] | None = None
    default: Route | None = None
    forwarding: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes for `ip`: first on the host, then, behind a filter that is in force by then, in the namespace.

    Attributes:
        host: changes in the host's own network.
        inside: changes in the namespace.
        settings: whether the namespace lacks its kernel settings.
        new_lan: whether ``lan`` is made anew, so that what was bound to the old one hears nothing more.
    """

    host: tuple[str, ...]
    inside: tuple[str, ...]
    settings: bool
    new_lan: bool


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the router's two links as it should be."""

    name: str
    end: str
    mac: str
    bridge: str
    mtu: int
    addresses: frozenset[str]


def plan(spec: RouterSpec, place: Place, seen: Seen) -> Plan:
    """What makes the namespace and its links as described, from whatever state they are in."""
    host, inside = [], []
    if seen.inside is None:
        host += [f"netns delete {place.namespace}"] if seen.named else []
        host.append(f"netns add {place.namespace}")
    here = seen.inside or {}
    if "lo" not in here or not here["lo"].up:
        inside.append("link set dev lo up")
    sides = _sides(spec, place)
    made = {side.name for side in sides if side.name not in here or side.end not in seen.ends}
    for side in sides:
        host += _end(side, place, seen, anew=side.name in made)
        inside += _inner(side, here.get(side.name) if side.name not in made else None)
    if spec.public is None:
        host += [f"link delete dev {place.wan_end}"] if place.wan_end in seen.ends else []
    elif WAN in made or seen.default != Route(dst="default", gateway=spec.public.gateway, dev=WAN):
        inside.append(f"route replace default via {spec.public.gateway} dev {WAN}")
    return Plan(
        host=tuple(host),
        inside=tuple(inside),
        settings=seen.inside is None or not seen.forwarding,
        new_lan=LAN in made,
    )


def removal(place: Place, seen: Seen) -> list[str]:
    """The changes that leave nothing of a router.

    The links go by their own names first: those in a deleted namespace vanish only some time later.
    """
    ends = [end for end in (place.lan_end, place.wan_end) if end in seen.ends]
    changes = [f"link delete dev {end}" for end in ends]
    return changes + ([f"netns delete {place.namespace}"] if seen.named else [])


def stranger(place: Place, seen: Seen) -> str | None:
    """Another L3 network whose router has the same names, because the uuids begin alike."""
    for end in (place.lan_end, place.wan_end):
        alias = seen.ends[end].ifalias if end in seen.ends else None
        if alias not in (None, place.l3_network_uuid):
            return alias
    return None


def _sides(spec: RouterSpec, place: Place) -> list[_Side]:
    lan = _Side(LAN, place.lan_end, place.mac(LAN), spec.bridge, spec.mtu, frozenset(spec.gateways))
    if spec.public is None:
        return [lan]
    public = spec.public
    own = frozenset({public.address})
    return [lan, _Side(WAN, place.wan_end, place.mac(WAN), public.bridge, public.mtu, own)]


def _end(side: _Side, place: Place, seen: Seen, *, anew: bool) -> list[str]:
    """The host's end of a link, and with it the link itself."""
    end = seen.ends.get(side.end)
    if anew or end is None:
        # A half of a former link is left over; deleting one half deletes the other.
        changes = [f"link delete dev {side.end}"] if end is not None else []
        if side.name in (seen.inside or {}):
            changes.append(f"netns exec {place.namespace} ip link delete dev {side.name}")
        peer = f"peer name {side.name} address {side.mac} mtu {side.mtu} netns {place.namespace}"
        return [
            *changes,
            f"link add name {side.end} mtu {side.mtu} type veth {peer}",
            f"link set dev {side.end} alias {place.l3_network_uuid}",
            f"link set dev {side.end} addrgenmode none master {side.bridge} up",
        ]
    changes = []
    if end.mtu != side.mtu:
        changes.append(f"link set dev {side.end} mtu {side.mtu}")
    if end.ifalias is None:
        changes.append(f"link set dev {side.end} alias {place.l3_network_uuid}")
    if end.master != side.bridge:
        changes.append(f"link set dev {side.end} master {side.bridge}")
    if not end.up:
        changes.append(f"link set dev {side.end} up")
    return changes


def _inner(side: _Side, link: Link | None) -> list[str]:
    """The router's end of a link; None when it is made anew."""
    changes = []
    if link is not None and link.mtu != side.mtu:
        changes.append(f"link set dev {side.name} mtu {side.mtu}")
    if link is not None and link.address != side.mac:
        changes.append(f"link set dev {side.name} address {side.mac}")
    present = link.ipv4 if link is not None else frozenset()
    # New addresses come first: the route through one that stays must not go with one that leaves.
    changes += [f"address add {one} brd + dev {side.name}" for one in sorted(side.addresses - present)]
    changes += [f"address delete {one} dev {side.name}" for one in sorted(present - side.addresses)]
    if link is None or not link.up:
        changes.append(f"link set dev {side.name} up")
    return changes
