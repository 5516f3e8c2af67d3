"""What the machine around a fresh appliance allows: free subnets, and name servers to ask."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address

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


def own_names() -> tuple[str, ...]:
    """Names and addresses by which this machine is called, for its certificate. It may ask a name server."""
    host = socket.gethostname()
    names = dict.fromkeys(("localhost", host, socket.getfqdn(), f"{host.partition('.')[0]}.local"))
    found = own_address()
    return (*filter(_is_name, names), "127.0.0.1", "::1", *(() if found is None else (found,)))


def own_address() -> str | None:
    """The IPv4 address that this machine calls others from, by which they reach it; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: the kernel only says which address it would send from.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found: str = probe.getsockname()[0]
    return None if ip_address(found).is_loopback or ip_address(found).is_unspecified else found


def _is_name(text: str) -> bool:
    """Whether a certificate may hold it; a machine's name may be anything."""
    return len(text) <= 253 and re.fullmatch(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*", text) is not None


def name_servers(resolv_conf: str) -> tuple[str, ...]:
    """The IPv4 name servers of a ``resolv.conf`` that somebody else than the machine itself can reach."""
    found = re.findall(r"^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$", resolv_conf, re.MULTILINE)
    return tuple(server for server in dict.fromkeys(found) if not IPv4Address(server).is_loopback)
