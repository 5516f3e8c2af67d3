"""IP ranges of an L3 network: what makes one valid, and adding and deleting them. The rules are pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, NetmaskValueError

from zstack_appliance.cloud.l3_network.messages import (
    AddIpRange,
    AddIpRangeByNetworkCidr,
    DeleteIpRange,
    L3NetworkChanged,
)
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, IpRangeType, L3Network
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags

UNUSABLE = tuple(IPv4Network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"))
"""This network, loopback, link-local, and multicast with all that is reserved above it (RFC 6890)."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range as numbers and networks."""

    network: IPv4Network
    start: IPv4Address
    end: IPv4Address
    gateway: IPv4Address


@handles(AddIpRange, queue=lambda m: L3Network.key(m.l3_network_uuid))
async def add(m: AddIpRange, cloud: Cloud) -> IpRange:
    """Serve `AddIpRange`."""
    return await _add(m, parse_range(m), cloud)


@handles(AddIpRangeByNetworkCidr, queue=lambda m: L3Network.key(m.l3_network_uuid))
async def add_by_cidr(m: AddIpRangeByNetworkCidr, cloud: Cloud) -> IpRange:
    """Serve `AddIpRangeByNetworkCidr`."""
    return await _add(m, parse_cidr(m), cloud)


async def delete(m: DeleteIpRange, cloud: Cloud) -> None:
    """Serve `DeleteIpRange`, once the cascade has taken away the NICs that have its addresses."""
    ip_range = await cloud.get(IpRange, m.uuid)
    await cloud.write(lambda tx: remove(tx, IpRange, m.uuid))
    await cloud.publish(L3NetworkChanged(l3=await cloud.get(L3Network, ip_range.l3_network_uuid)))


async def _add(m: AddIpRange | AddIpRangeByNetworkCidr, span: Span, cloud: Cloud) -> IpRange:
    row = cloud.draft(
        IpRange,
        m,
        start_ip=str(span.start),
        end_ip=str(span.end),
        netmask=str(span.network.netmask),
        prefix_len=span.network.prefixlen,
        gateway=str(span.gateway),
        network_cidr=str(span.network),
        ip_version=4,
        start_number=int(span.start),
        end_number=int(span.end),
    )
    tagging = draft_tags(m, row, cloud)

    def commit(tx: Tx) -> tuple[L3Network, IpRange]:
        network = tx.require(L3Network, m.l3_network_uuid)
        refuse(*conflicts(row, network, tx.find(IpRange, l3_network_uuid=network.uuid)), across(tx, row, network))
        made = tx.insert(row)
        attach(tx, tagging)
        return network, made

    network, made = await cloud.write(commit)
    await cloud.publish(L3NetworkChanged(l3=network))
    return made


def parse_range(m: AddIpRange) -> Span:
    """The addresses of a request, checked by themselves.

    Raises:
        InvalidArgument: something is no address, out of order, or outside its network.
    """
    start, end = _address("startIp", m.start_ip), _address("endIp", m.end_ip)
    try:
        network = IPv4Network(f"{m.start_ip.strip()}/{m.netmask.strip()}", strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        refuse(Fault("netmask", f"netmask[{m.netmask}] is not a netmask such as 255.255.255.0"))
        raise AssertionError from None
    gateway = _address("gateway", m.gateway) if m.gateway else network.network_address + 1
    span = Span(network, start, end, gateway)
    refuse(*_span_faults(span))
    return span


def parse_cidr(m: AddIpRangeByNetworkCidr) -> Span:
    """All addresses of the network but its own, its broadcast address and its gateway.

    Raises:
        InvalidArgument: the CIDR is none, too small, or not fit for hosts.
    """
    try:
        network = IPv4Network(m.network_cidr.strip(), strict=False)
    except ValueError:
        refuse(Fault("networkCidr", f"networkCidr[{m.network_cidr}] is not a network such as 192.168.10.0/24"))
        raise AssertionError from None
    if network.prefixlen > 30:
        refuse(Fault("networkCidr", f"networkCidr[{m.network_cidr}] has no room for guests; /30 is the smallest"))
    first, last = network.network_address + 1, network.broadcast_address - 1
    gateway = _address("gateway", m.gateway) if m.gateway else first
    if gateway not in (first, last):
        refuse(Fault("gateway", f"gateway[{gateway}] must be the first or the last address of {network}"))
    span = Span(network, first if gateway == last else first + 1, last - 1 if gateway == last else last, gateway)
    refuse(*_span_faults(span))
    return span


def _span_faults(span: Span) -> Iterator[Fault | None]:
    if span.start > span.end:
        yield Fault("startIp", f"startIp[{span.start}] comes after endIp[{span.end}]")
    if span.end not in span.network:
        yield Fault("endIp", f"endIp[{span.end}] is outside the network {span.network}")
    if span.gateway not in span.network:
        yield Fault("gateway", f"gateway[{span.gateway}] is outside the network {span.network}")
    if span.start <= span.gateway <= span.end:
        yield Fault("gateway", f"gateway[{span.gateway}] must not be among the addresses to hand out")
    unusable = next((network for network in UNUSABLE if network.overlaps(span.network)), None)
    if unusable is not None:
        yield Fault(
            "startIp", f"{span.network} reaches into {unusable}, which no guest can use; choose another network"
        )


def conflicts(new: IpRange, network: L3Network, existing: Iterable[IpRange]) -> Iterator[Fault | None]:
    """How a new range collides with the L3 network and the ranges that it has."""
    if new.ip_range_type is IpRangeType.ADDRESS_POOL and network.category is not Category.PUBLIC:
        yield Fault("ipRangeType", "an address pool can only be added to a Public L3 network")
    for other in existing:
        if new.start_number <= other.end_number and other.start_number <= new.end_number:
            yield Fault("startIp", f"the range overlaps range[{other.name}] {other.start_ip}-{other.end_ip}")
        if other.ip_range_type is new.ip_range_type is IpRangeType.NORMAL:
            if other.network_cidr != new.network_cidr:
                yield Fault("netmask", f"the L3 network has the CIDR {other.network_cidr}; all its ranges are in it")
            elif other.gateway != new.gateway:
                yield Fault("gateway", f"the L3 network has the gateway {other.gateway}; all its ranges have it")


def across(tx: Tx, new: IpRange, network: L3Network) -> Fault | None:
    """Whether a public network and a private one would have addresses in common: no router could tell them apart."""
    public = network.category is Category.PUBLIC
    for other in tx.find(L3Network):
        if (other.category is Category.PUBLIC) is public:
            continue
        for ip_range in tx.find(IpRange, l3_network_uuid=other.uuid):
            if IPv4Network(ip_range.network_cidr).overlaps(IPv4Network(new.network_cidr)):
                text = f"{new.network_cidr} overlaps {ip_range.network_cidr} of L3 network[{other.name}]"
                return Fault("networkCidr", f"{text}; a private network must not overlap a public one")
    return None


def _address(field: str, text: str) -> IPv4Address:
    try:
        return IPv4Address(text.strip())
    except AddressValueError:
        refuse(Fault(field, f"{field}[{text}] is not an IPv4 address"))
        raise
