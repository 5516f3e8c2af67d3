"""Where one router lives on a host: its names and its files, all from the instance id and the L3 network."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from zstack_appliance.hostkit.marks import Kind, interface_name, namespace_name, table_name

LAN = "lan"
"""The router's interface in its L3 network, by its name inside the namespace."""

WAN = "wan"
"""The router's interface in the public network."""


@dataclass(frozen=True, slots=True)
class Place:
    """One router's names and files.

    Attributes:
        l3_network_uuid: whose router it is.
        namespace: name of the network namespace.
        lan_end: the host's end of ``lan``.
        wan_end: the host's end of ``wan``.
        table: family and name of the nftables table in the namespace.
        folder: where its files are, below the appliance's data folder.
    """

    l3_network_uuid: str
    namespace: str
    lan_end: str
    wan_end: str
    table: str
    folder: Path

    @property
    def table_record(self) -> Path:
        """What `ensure_table` remembers."""
        return self.folder / "table.json"

    def mac(self, interface: str) -> str:
        """The MAC address of one of its interfaces: locally administered, unicast, always the same.

        A router that was made anew is then still what its neighbours have in their caches.
        """
        digest = hashlib.sha256(f"{interface} {self.l3_network_uuid}".encode()).digest()
        return ":".join(f"{octet:02x}" for octet in (0x02, *digest[:5]))


def place_of(l3_network_uuid: str, *, instance: str, data: Path) -> Place:
    """The place of an L3 network's router.

    Args:
        l3_network_uuid: 32 hexadecimal digits.
        instance: the appliance's id.
        data: the appliance's folder on the host.
    """
    namespace = namespace_name(instance, l3_network_uuid)
    return Place(
        l3_network_uuid=l3_network_uuid,
        namespace=namespace,
        lan_end=interface_name(Kind.LAN, instance, l3_network_uuid),
        wan_end=interface_name(Kind.WAN, instance, l3_network_uuid),
        table=f"ip {table_name(instance)}",
        folder=data / "network" / namespace,
    )
