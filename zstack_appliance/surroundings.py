"""What the machine around a fresh appliance allows: free subnets, and name servers to ask."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from agents.process import run
from zstack_appliance.cloud.l3_network.subnets import (
    PRIVATE_CANDIDATES,
    PUBLIC_CANDIDATES,
    choose_subnet,
    routed_networks,
)

FALLBACK_DNS = ("9.9.9.9",)
"""Asked where the machine names no server that a guest could reach: Quad9's public resolver."""


@dataclass(frozen=True)
class Surroundings:
    """What was found.

    Args:
        public: a free network for ``public1``.
        private: a free network for ``net1``.
        dns: name servers.
    """

    public: IPv4Network
    private: IPv4Network
    dns: tuple[str, ...]


async def look_around() -> Surroundings:
    """Ask the machine for its routes and name servers.

    Raises:
        HostCommandFailed: its routes cannot be read.
        NoFreeSubnetError: every candidate is in use.
    """
    routes = await run(["ip", "-json", "route", "show", "table", "all"])
    with open("/etc/resolv.conf", encoding="utf-8", errors="replace") as file:  # noqa: ASYNC230, PTH123 — a few lines, once
        servers = name_servers(file.read())
    taken = [*routed_networks(json.loads(routes.stdout or "[]")), *(IPv4Network(server) for server in servers)]
    public = choose_subnet(PUBLIC_CANDIDATES, taken)
    private = choose_subnet(PRIVATE_CANDIDATES, [*taken, public])
    return Surroundings(public, private, servers or FALLBACK_DNS)


def name_servers(resolv_conf: str) -> tuple[str, ...]:
    """The IPv4 name servers of a ``resolv.conf`` that somebody else than the machine itself can reach."""
    found = re.findall(r"^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$", resolv_conf, re.MULTILINE)
    return tuple(server for server in dict.fromkeys(found) if not IPv4Address(server).is_loopback)
