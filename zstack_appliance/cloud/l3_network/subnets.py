"""Choosing subnets that collide with nothing that a host reaches already: `choose_subnet`, `routed_networks`.

Pure: the routes come from ``ip -json route show table all``, read by the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import AddressValueError, IPv4Network
from typing import Any

PUBLIC_CANDIDATES = tuple(IPv4Network(f"172.{second}.0.0/24") for second in (30, 29, 28, 27, 26, 25, 24, 23))
"""For a host-only public network. Docker, libvirt and home routers begin elsewhere in their ranges."""

PRIVATE_CANDIDATES = tuple(IPv4Network(f"10.{second}.0.0/20") for second in (100, 110, 120, 130, 140, 150, 160))
"""For a first private network, with room for four thousand NICs."""

_DISGUISED_DEFAULT = 1
"""Prefix length up to which a route is a default one: VPNs send everything through two halves, 0/1 and 128/1."""


class NoFreeSubnetError(Exception):
    """Every candidate overlaps a network that the host reaches already. The text is for the operator."""


def choose_subnet(candidates: Sequence[IPv4Network], taken: Iterable[IPv4Network]) -> IPv4Network:
    """The first candidate that overlaps nothing.

    Args:
        candidates: in the order of preference.
        taken: networks in use: the host's routes, and single addresses that must stay reachable, such as
            name servers behind the default route.

    Raises:
        NoFreeSubnetError: each candidate overlaps something; the text says what.
    """
    used = tuple(taken)
    collisions = []
    for candidate in candidates:
        blocking = next((network for network in used if network.overlaps(candidate)), None)
        if blocking is None:
            return candidate
        collisions.append(f"{candidate} overlaps {blocking}")
    raise NoFreeSubnetError(
        f"no subnet is free on this host: {', '.join(collisions) or 'there are no candidates'}. "
        "Give one that none of its routes covers"
    )


def routed_networks(rows: Iterable[Mapping[str, Any]]) -> list[IPv4Network]:
    """The IPv4 networks that a host's routes lead to, default routes apart.

    Args:
        rows: of ``ip -json route show``. Routes that lead nowhere, such as blackholes, count: somebody
            means something by them.
    """
    found = []
    for row in rows:
        network = _network(str(row.get("dst", "")))
        if network is not None and network.prefixlen > _DISGUISED_DEFAULT:
            found.append(network)
    return found


def _network(destination: str) -> IPv4Network | None:
    """A route's destination; None for ``default`` and for IPv6, which ``table all`` shows too."""
    try:
        return IPv4Network(destination, strict=False)
    except (AddressValueError, ValueError):
        return None
