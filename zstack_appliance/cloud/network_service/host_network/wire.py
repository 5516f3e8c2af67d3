"""The commands on a host's own network, and the inventory of what is ours in it."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from zstack_appliance.kernel.remote import Command

BridgeName = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-z.]{1,15}\Z")]
Ipv4Network = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}\Z")]


class PublicNetwork(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A host-only public network: routers live in it, and the host is their way out."""

    bridge: BridgeName
    subnet: Ipv4Network
    """Such as ``172.30.0.0/24``."""


class HostNetworkState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The host's network is as it was described."""

    changed: tuple[str, ...] = ()
    """What had to be done for that, in order; empty when it was so already."""
    notes: tuple[str, ...] = ()
    """What the administrator should know or do, such as a firewall that we cannot open ourselves."""


class ApplyHostNetwork(Command[HostNetworkState], frozen=True, kw_only=True):
    """Have the host forward and masquerade for exactly these public networks."""

    path: ClassVar[str] = "host-network/apply"
    public: tuple[PublicNetwork, ...] = ()


class Interface(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A network interface of ours; `kind` is the kernel's word: bridge, veth, tun…"""

    name: str
    kind: str
    alias: str | None = None
    """Uuid of the resource that it serves."""
    master: str | None = None


class Daemon(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A dnsmasq of ours, and the router's namespace that its configuration names."""

    pid: int
    namespace: str


class HostNetworkInventory(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What carries our instance id in a host's network now; everything is ordered by name."""

    interfaces: tuple[Interface, ...] = ()
    namespaces: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    """Family and name, in the host's own namespace."""
    rules: tuple[str, ...] = ()
    """Rules in tables of others: family, table, chain and handle."""
    daemons: tuple[Daemon, ...] = ()
    folders: tuple[str, ...] = ()
    """Names of the routers that have files in the data folder."""


class ListHostNetwork(Command[HostNetworkInventory], frozen=True, kw_only=True):
    """Have everything listed that is ours, for comparing with the records."""

    path: ClassVar[str] = "host-network/list"


class PurgeHostNetwork(Command[HostNetworkState], frozen=True, kw_only=True):
    """Have nothing of ours in the host's network, and its settings as they were before us."""

    path: ClassVar[str] = "host-network/purge"
