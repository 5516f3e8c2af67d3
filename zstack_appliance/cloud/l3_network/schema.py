"""What is stored of an L3 network: its ranges, the addresses in use, its name servers."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec

from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import (
    DELETE,
    FOLLOWS,
    HIDDEN,
    Embed,
    OnOff,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)


class Category(enum.Enum):
    """What an L3 network is for."""

    PUBLIC = "Public"
    PRIVATE = "Private"
    SYSTEM = "System"


@resource(wire="org.zstack.header.network.l3", path="/l3-networks", owned=True, shareable=True)
class L3Network(Resource, frozen=True, kw_only=True):
    """The addressing plan of one L2 network. It hands out no address until it has an IP range."""

    l2_network_uuid: Annotated[Uuid, Ref(L2Network, back="l3Network", on_delete=DELETE)]
    zone_uuid: Annotated[Uuid, Ref(Zone, back="l3Network", on_delete=FOLLOWS)]
    type: str
    category: Category
    state: OnOff
    system: bool
    ip_version: int
    enable_ipam: bool = msgspec.field(name="enableIPAM")
    dns_domain: str | None = None


class IpRangeType(enum.Enum):
    """Normal ranges serve NICs, address pools serve virtual IPs."""

    NORMAL = "Normal"
    ADDRESS_POOL = "AddressPool"


@resource(wire="org.zstack.header.network.l3", path="/l3-networks/ip-ranges", owned=True)
class IpRange(Resource, frozen=True, kw_only=True):
    """Addresses that an L3 network may hand out, both ends included."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network, back="ipRanges", on_delete=DELETE, owner=True, embed=Embed())]
    start_ip: str
    end_ip: str
    netmask: str
    prefix_len: int
    gateway: str
    network_cidr: str
    ip_version: int
    ip_range_type: IpRangeType
    start_number: Annotated[int, HIDDEN]
    """`start_ip` as a number, for finding free addresses by comparison."""
    end_number: Annotated[int, HIDDEN]


@resource(
    wire="org.zstack.header.network.l3",
    path="/l3-networks/used-ips",
    owned=True,
    unique=(("l3_network_uuid", "ip_in_long"),),
)
class UsedIp(Record, frozen=True, kw_only=True):
    """An address that is taken. Two requests for one address meet at its unique index."""

    ip_range_uuid: Annotated[Uuid, Ref(IpRange, back="usedIp", on_delete=DELETE)]
    l3_network_uuid: Annotated[Uuid, Ref(L3Network, back="usedIp", on_delete=FOLLOWS, owner=True)]
    ip: str
    ip_in_long: int
    ip_version: int
    netmask: str
    gateway: str
    used_for: str | None = None
    vm_nic_uuid: Uuid | None = None


@resource(
    wire="org.zstack.header.network.l3",
    owned=True,
    unique=(("l3_network_uuid", "dns"),),
)
class L3NetworkDns(Record, frozen=True, kw_only=True):
    """A name server that the network's guests are told, or their router asks."""

    l3_network_uuid: Annotated[
        Uuid, Ref(L3Network, back="dnsRef", on_delete=DELETE, owner=True, embed=Embed(name="dns", pluck="dns"))
    ]
    dns: str
