"""Where others may have us connect to: `Egress` (the rules on addresses, pure) and `is_own_address`.

Whoever adds an image or asks for a web hook writes a URL, and this machine reaches what that person does not.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Protocol

from zstack_appliance.kernel.remote import HostCommandFailed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

METADATA: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "169.254.0.0/16",  # most clouds' metadata at 169.254.169.254, ECS tasks at .170.2
        "fd00:ec2::/32",  # the same service of EC2 over IPv6
        "100.100.100.200/32",  # Alibaba Cloud
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.192/32",  # Oracle Cloud, classic
    )
)
"""Addresses that give a machine's credentials to whoever asks from it."""


class Policy(Protocol):
    """What an administrator says of where connections may go."""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Host names, addresses and networks that are opened in spite of the rules."""

    @property
    def own_networks(self) -> tuple[str, ...]:
        """Networks of the appliance and its guests."""


_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Egress:
    """The rules on addresses.

    Args:
        own: networks of the appliance and its guests.
        open_networks: exactly these are opened in spite of every rule.
        open_names: host names, lower case, that are opened but for `METADATA`, link-local and multicast.
        is_own_address: whether an address belongs to this machine.
    """

    own: tuple[Network, ...]
    open_networks: tuple[Network, ...]
    open_names: frozenset[str]
    is_own_address: Callable[[Address], bool]

    @classmethod
    def of(cls, policy: Policy, is_own_address: Callable[[Address], bool]) -> Egress:
        """The rules that a policy asks for.

        Raises:
            HostCommandFailed: an entry of the policy is neither a network nor a host name.
        """
        networks: list[Network] = []
        names: set[str] = set()
        for entry in policy.allowed:
            network = _network(entry)
            if network is not None:
                networks.append(network)
            elif _is_name(entry):
                names.add(entry.lower().rstrip("."))
            else:
                raise HostCommandFailed(
                    f"the allow-list entry {entry!r} is neither a host name nor a network such as 10.1.0.0/16"
                )
        own = [(entry, _network(entry)) for entry in policy.own_networks]
        for entry, network in own:
            if network is None:
                raise HostCommandFailed(f"the own network {entry!r} is not a network such as 10.1.0.0/16")
        return cls(
            own=tuple(network for _, network in own if network is not None),
            open_networks=tuple(networks),
            open_names=frozenset(names),
            is_own_address=is_own_address,
        )

    def fault(self, host: str, address: Address) -> str | None:
        """Why a fetch from `host` must not connect to `address`, in words; None when it may."""
        if _within(address, self.open_networks):
            return None
        # An IPv6 address may carry an IPv4 one that the kernel or a gateway would connect to instead.
        reached = (*_carried(address), address)
        for meant in reached:
            never = self._never(meant)
            if never:
                return never
        if host.lower().rstrip(".") in self.open_names:
            return None
        return next((kind for meant in reached if (kind := self._usually_not(meant))), None)

    def _never(self, address: Address) -> str | None:
        if _within(address, METADATA):
            return "a cloud's metadata service or a link-local address"
        if address.is_link_local:
            return "a link-local address"
        if address.is_multicast or address == IPv4Address("255.255.255.255"):
            return "a multicast or broadcast address"
        return None

    def _usually_not(self, address: Address) -> str | None:
        if address.is_loopback:
            return "a loopback address"
        if address.is_unspecified or _within(address, (ip_network("0.0.0.0/8"),)):
            return "an unspecified address"
        if _within(address, self.own):
            return "in one of the appliance's own networks"
        if address.is_reserved and not _within(address, (_NAT64,)):
            return "a reserved address"
        if self.is_own_address(address):
            return "an address of this host"
        return None


def is_own_address(address: Address) -> bool:
    """Whether this machine has an address: the kernel then talks to it from that address itself.

    Connecting a datagram socket only asks the routing table; nothing is sent.
    """
    family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((str(address), 9))
            return ip_address(asking.getsockname()[0]) == address
    except OSError:
        # No route, or no such family here: then it is not an address of this machine either.
        return False


def _network(text: str) -> Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _is_name(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels)


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _carried(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses inside an IPv6 one: mapped, 6to4, Teredo, NAT64, and the old compatible form."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    # Below 2^16 are :: and ::1, which carry nothing.
    if address in _NAT64 or 2**16 <= int(address) < 2**32:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(carried for carried in found if carried is not None)
