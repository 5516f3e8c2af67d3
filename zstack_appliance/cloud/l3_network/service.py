"""L3 networks at work: create, delete, name servers, and the hosts' own address on public bridges."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address

from zstack_appliance.cloud.l2_network.messages import BridgeAddresses, RealiseL2Network
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.messages import (
    AddDnsToL3Network,
    CreateL3Network,
    DeleteL3Network,
    L3NetworkChanged,
    L3NetworkDeleting,
    RemoveDnsFromL3Network,
)
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, L3Network, L3NetworkDns
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags


@handles(CreateL3Network)
async def create(m: CreateL3Network, cloud: Cloud) -> L3Network:
    """Serve `CreateL3Network`."""
    refuse(category_fault(m.category, system=m.system))
    l2 = await cloud.get(L2Network, m.l2_network_uuid)
    network = cloud.draft(L3Network, m, zone_uuid=l2.zone_uuid, state=OnOff.ENABLED, ip_version=4)
    tagging = draft_tags(m, network, cloud)

    def commit(tx: Tx) -> L3Network:
        tx.require(L2Network, network.l2_network_uuid)  # It may have gone since the check; no lock needed.
        row = tx.insert(network)
        attach(tx, tagging)
        return row

    return await cloud.write(commit)


def category_fault(category: Category, *, system: bool) -> Fault | None:
    """System networks, and only they, have category System."""
    if system == (category is Category.SYSTEM):
        return None
    text = f"category {category.value} does not go with system={system}; use both or neither"
    return Fault("category", text)


async def delete(m: DeleteL3Network, cloud: Cloud) -> None:
    """Serve `DeleteL3Network`, once the cascade has taken its NICs and ranges away."""
    network = await cloud.get(L3Network, m.uuid)
    await cloud.publish(L3NetworkDeleting(l3=network))
    await cloud.write(lambda tx: remove(tx, L3Network, network.uuid))
    await cloud.call(RealiseL2Network(l2_network_uuid=network.l2_network_uuid))


@handles(AddDnsToL3Network, queue=lambda m: L3Network.key(m.l3_network_uuid))
async def add_dns(m: AddDnsToL3Network, cloud: Cloud) -> L3Network:
    """Serve `AddDnsToL3Network`; named already is done already."""
    refuse(_dns_fault(m.dns))
    uuid = cloud.entropy.uuid()

    def commit(tx: Tx) -> L3Network:
        network = tx.require(L3Network, m.l3_network_uuid)
        if not tx.find(L3NetworkDns, l3_network_uuid=network.uuid, dns=m.dns):
            tx.insert(
                L3NetworkDns(
                    uuid=uuid, create_date=tx.now, last_op_date=tx.now, l3_network_uuid=network.uuid, dns=m.dns
                )
            )
        return network

    network = await cloud.write(commit)
    await cloud.publish(L3NetworkChanged(l3=network))
    return network


@handles(RemoveDnsFromL3Network, queue=lambda m: L3Network.key(m.l3_network_uuid))
async def remove_dns(m: RemoveDnsFromL3Network, cloud: Cloud) -> L3Network:
    """Serve `RemoveDnsFromL3Network`; not named is done already."""

    def commit(tx: Tx) -> L3Network:
        for dns in tx.find(L3NetworkDns, l3_network_uuid=m.l3_network_uuid, dns=m.dns):
            tx.delete(L3NetworkDns, dns.uuid)
        return tx.require(L3Network, m.l3_network_uuid)

    network = await cloud.write(commit)
    await cloud.publish(L3NetworkChanged(l3=network))
    return network


def _dns_fault(text: str) -> Fault | None:
    try:
        address = IPv4Address(text)
    except AddressValueError:
        return Fault("dns", f"dns[{text}] is not an IPv4 address such as 9.9.9.9")
    if address.is_multicast or address.is_unspecified:
        return Fault("dns", f"dns[{text}] cannot be a name server's address; give one such as 9.9.9.9")
    return None


async def bridge_addresses(hook: BridgeAddresses, cloud: Cloud) -> tuple[str, ...]:
    """On a public network that stays inside the host, the host itself is the gateway."""
    if hook.l2.physical_interface:
        return ()
    found: set[str] = set()
    for network in await cloud.find(L3Network, l2_network_uuid=hook.l2.uuid, category=Category.PUBLIC):
        ranges = await cloud.find(IpRange, l3_network_uuid=network.uuid)
        found |= {f"{ip_range.gateway}/{ip_range.prefix_len}" for ip_range in ranges}
    return tuple(sorted(found))


async def on_changed(event: L3NetworkChanged, cloud: Cloud) -> None:
    """The bridges' addresses follow the ranges of public networks."""
    if event.l3.category is Category.PUBLIC:
        await cloud.call(RealiseL2Network(l2_network_uuid=event.l3.l2_network_uuid))
