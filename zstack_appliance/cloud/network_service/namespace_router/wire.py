"""What a router is told to be, and the commands that tell a host so.

Primitives: `RouterSpec` (the whole desired state of one L3 network's router), `ApplyRouter`, `RemoveRouter`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from zstack_appliance.kernel.remote import Command
from zstack_appliance.kernel.schema import Uuid

# These end up in configuration files, one to a line, so that `\Z` matters: `$` lets a line break pass.
Mac = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")]
Ipv4 = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}\Z")]
Ipv4Cidr = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}\Z")]
Hostname = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?\Z")]
Domain = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?(\.[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*\Z",
        max_length=253,
    ),
]
BridgeName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-z.]{1,15}\Z")]
Mtu = Annotated[int, msgspec.Meta(ge=576, le=65521, description="bytes of an IP packet")]
LeaseSeconds = Annotated[int, msgspec.Meta(ge=120, le=30 * 86_400)]


class Lease(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The address of one NIC, which no other NIC gets."""

    mac: Mac
    ip: Ipv4
    hostname: Hostname | None = None
    """Answered by DNS, and given to the NIC by DHCP when the network is its VM's default one."""
    default_network: bool = True
    """Whether this L3 network is its VM's default one: only then the NIC is told a router and a hostname."""


class DhcpService(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Addresses for the NICs that are listed, and for no others."""

    leases: tuple[Lease, ...] = ()
    dns: tuple[Ipv4, ...] = ()
    """Name servers to tell the guests, first choice first: the router's own address where it serves DNS,
    else those of the L3 network. None tells them none."""
    lease_seconds: LeaseSeconds = 86_400
    """How long an address is valid; half of it is how long a guest gets by while dnsmasq is down."""


class DnsService(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Names of the leases answered here, everything else asked further up."""

    upstreams: tuple[Ipv4, ...] = ()
    """Name servers to ask, reached through the public side. None: other names are refused."""


class PublicSide(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The router's place in the public network."""

    bridge: BridgeName
    address: Ipv4Cidr
    """The router's public address with the network's prefix length."""
    gateway: Ipv4
    mtu: Mtu = 1500


class RouterSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One L3 network's router, whole: a host needs nothing else to make it, or to mend it."""

    l3_network_uuid: Uuid
    bridge: BridgeName
    """Of the L2 network; it exists already."""
    gateways: Annotated[tuple[Ipv4Cidr, ...], msgspec.Meta(min_length=1)]
    """The gateway's address in each of the network's CIDRs, with the prefix length."""
    mtu: Mtu = 1500
    domain: Domain | None = None
    dhcp: DhcpService | None = None
    dns: DnsService | None = None
    public: PublicSide | None = None
    snat: bool = False
    """Whether guests reach the world, by the router's public address."""


class RouterState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A router that is as it was described."""

    namespace: str
    changed: tuple[str, ...] = ()
    """What had to be done for that, in order; empty when it was so already."""
    notes: tuple[str, ...] = ()
    """What the administrator should know, though it works."""


class ApplyRouter(Command[RouterState], frozen=True, kw_only=True):
    """Have this router on this host, exactly so. Established connections and leases go on."""

    path: ClassVar[str] = "namespace-router/apply"
    router: RouterSpec


class RemoveRouter(Command[RouterState], frozen=True, kw_only=True):
    """Have nothing of this L3 network's router on this host."""

    path: ClassVar[str] = "namespace-router/remove"
    l3_network_uuid: Uuid
