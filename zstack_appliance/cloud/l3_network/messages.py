"""What can be asked about L3 networks, and what they announce."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, IpRangeType, L3Network
from zstack_appliance.kernel.message import OWNER, Action, Create, Delete, Event, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid

DomainName = Annotated[
    str, msgspec.Meta(max_length=255, pattern=r"^([0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.?)*$")
]


@api("POST", "/l3-networks", access=OWNER)
class CreateL3Network(Create[L3Network], frozen=True, kw_only=True):
    """Plan addresses on an L2 network. It hands out none until it is given an IP range."""

    name: Name
    l2_network_uuid: Annotated[Uuid, Ref(L2Network)]
    description: Text | None = None
    type: str = "L3BasicNetwork"
    category: Category = Category.PRIVATE
    system: bool = False
    dns_domain: DomainName | None = None
    enable_ipam: bool = msgspec.field(name="enableIPAM", default=True)


@api("PUT", "/l3-networks/{uuid}/actions", access=OWNER)
class UpdateL3Network(Update[L3Network], frozen=True, kw_only=True):
    """Change an L3 network's name, description or domain."""

    uuid: Annotated[Uuid, Ref(L3Network)]
    name: Name | None = None
    description: Text | None = None
    dns_domain: DomainName | None = None


@api("PUT", "/l3-networks/{uuid}/actions", access=OWNER)
class ChangeL3NetworkState(Action[L3Network], frozen=True, kw_only=True):
    """Enable an L3 network, or keep new NICs off it."""

    uuid: Annotated[Uuid, Ref(L3Network)]
    state_event: StateEvent


@api("DELETE", "/l3-networks/{uuid}", access=OWNER, reply=None)
class DeleteL3Network(Delete, frozen=True, kw_only=True):
    """Delete an L3 network with its ranges and services; VMs lose their NICs on it."""

    uuid: Annotated[Uuid, Ref(L3Network)]


@api("POST", "/l3-networks/{l3NetworkUuid}/ip-ranges", access=OWNER)
class AddIpRange(Create[IpRange], frozen=True, kw_only=True):
    """Let an L3 network hand out the addresses from one to another, both included."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network)]
    name: Name
    start_ip: str
    end_ip: str
    netmask: str
    gateway: str | None = None
    ip_range_type: IpRangeType = IpRangeType.NORMAL
    description: Text | None = None


@api("POST", "/l3-networks/{l3NetworkUuid}/ip-ranges/by-cidr", access=OWNER)
class AddIpRangeByNetworkCidr(Create[IpRange], frozen=True, kw_only=True):
    """Let an L3 network hand out all addresses of a network but its gateway, which is the first by default."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network)]
    name: Name
    network_cidr: str
    gateway: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    ip_range_type: IpRangeType = IpRangeType.NORMAL
    description: Text | None = None


@api("PUT", "/l3-networks/ip-ranges/{uuid}/actions", access=OWNER)
class UpdateIpRange(Update[IpRange], frozen=True, kw_only=True):
    """Change a range's name or description."""

    uuid: Annotated[Uuid, Ref(IpRange)]
    name: Name | None = None
    description: Text | None = None


@api("DELETE", "/l3-networks/ip-ranges/{uuid}", access=OWNER, reply=None)
class DeleteIpRange(Delete, frozen=True, kw_only=True):
    """Delete a range; VMs lose the NICs that have its addresses."""

    uuid: Annotated[Uuid, Ref(IpRange)]


@api("POST", "/l3-networks/{l3NetworkUuid}/dns", access=OWNER)
class AddDnsToL3Network(Action[L3Network], frozen=True, kw_only=True):
    """Name a DNS server for the network."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network)]
    dns: str


@api("DELETE", "/l3-networks/{l3NetworkUuid}/dns/{dns}", access=OWNER)
class RemoveDnsFromL3Network(Action[L3Network], frozen=True, kw_only=True):
    """Name a DNS server no more."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network)]
    dns: str


class L3NetworkChanged(Event, frozen=True, kw_only=True):
    """An L3 network's ranges, name servers or domain are others now; what is made of them must follow."""

    l3: L3Network


class L3NetworkDeleting(Event, frozen=True, kw_only=True):
    """An L3 network without NICs is about to go; what was made for it on hosts must go first."""

    l3: L3Network
