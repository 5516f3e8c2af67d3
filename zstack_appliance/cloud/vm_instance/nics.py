"""A VM's NICs, in the records and towards their networks: `wishes`, `record`, `forget`, `serve`, `stop_serving`."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address
from typing import Any

import msgspec
import trio

from zstack_appliance.cloud.l3_network.ledger import AddressWish, give_back_address, take_address
from zstack_appliance.cloud.l3_network.schema import L3Network, UsedIp
from zstack_appliance.cloud.network_service.messages import ServeL3Network
from zstack_appliance.cloud.vm_instance.schema import VmNic
from zstack_appliance.cloud.vm_instance.tags import CUSTOM_MAC, STATIC_IP
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, Fault, Internal, refuse
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

_TRIES = 3
_PAUSE_SECONDS = 0.5
"""First pause between tries; it doubles each time."""

_DICE = 2**31
"""Random numbers are drawn below this; it only has to be far above the size of a network."""


def wishes(nics: Iterable[VmNic], tags: Iterable[str], cloud: Cloud) -> tuple[AddressWish, ...]:
    """The address that each NIC is to have: that of a ``staticIp`` tag, else any free one.

    Raises:
        InvalidArgument: a tag's address is not an IPv4 address.
    """
    static = static_ips(tags)
    return tuple(
        AddressWish(
            uuid=cloud.entropy.uuid(),
            l3_network_uuid=nic.l3_network_uuid,
            dice=0 if _takes_first(nic, cloud) else cloud.entropy.below(_DICE),
            ip=static.get(nic.l3_network_uuid),
            vm_nic_uuid=nic.uuid,
        )
        for nic in nics
    )


def _takes_first(nic: VmNic, cloud: Cloud) -> bool:
    network = cloud.store.require(L3Network, nic.l3_network_uuid)
    strategy = cloud.configs_of(network).text("l3Network.ipAllocateStrategy")
    return strategy == "FirstAvailableIpAllocatorStrategy"


def static_ips(tags: Iterable[str]) -> dict[str, str]:
    """L3 network uuid to the address that a tag asks for."""
    found: dict[str, str] = {}
    for tag in tags:
        tokens = STATIC_IP.tokens(tag)
        if tokens:
            refuse(_address_fault(tokens["staticIp"]))
            found[tokens["l3NetworkUuid"]] = tokens["staticIp"]
    return found


def custom_macs(tags: Iterable[str]) -> dict[str, str]:
    """L3 network uuid to the hardware address that a tag asks for."""
    found = filter(None, map(CUSTOM_MAC.tokens, tags))
    return {tokens["l3NetworkUuid"]: tokens["customMac"].lower() for tokens in found}


def _address_fault(text: str) -> Fault | None:
    try:
        IPv4Address(text)
    except AddressValueError:
        return Fault("systemTags", f"staticIp[{text}] is not an IPv4 address")
    return None


def record(tx: Tx, nics: tuple[VmNic, ...], addresses: tuple[AddressWish, ...]) -> tuple[VmNic, ...]:
    """Take each NIC's address and write the NICs down.

    Raises:
        InsufficientCapacity: a network has no free address.
    """
    return tuple(
        tx.insert(msgspec.structs.replace(nic, **_place_of(take_address(tx, wish))))
        for nic, wish in zip(nics, addresses, strict=True)
    )


def forget(tx: Tx, nics: Iterable[VmNic]) -> None:
    """Free the addresses and delete the rows; what is gone already is no error."""
    for nic in nics:
        if nic.used_ip_uuid is not None:
            give_back_address(tx, nic.used_ip_uuid)
        if tx.get(VmNic, nic.uuid) is not None:
            tx.delete(VmNic, nic.uuid)


async def serve(nics: Iterable[VmNic], cloud: Cloud) -> None:
    """Have each NIC's network know it, as its row says. Safe to repeat."""
    for network in sorted({nic.l3_network_uuid for nic in nics}):
        await cloud.call(ServeL3Network(l3_network_uuid=network))


async def stop_serving(nics: tuple[VmNic, ...], cloud: Cloud) -> None:
    """Have the networks forget the NICs, while their rows, and so their addresses, still stand.

    A network that cannot be served at all, because its router cannot be made as the records want it, does not
    hold the VM: a router is always described whole, so the round that succeeds leaves the NICs out.

    Raises:
        Unavailable: the router's host does not answer; it may still serve them.
    """
    await cloud.write(lambda tx: mark(tx, nics, served=False))
    for attempt in range(_TRIES):
        try:
            await serve(nics, cloud)
        except (Conflict, Internal) as error:
            log.warning("the networks of taken-away NICs cannot be served (try %d): %s", attempt + 1, error)
            await trio.sleep(_PAUSE_SECONDS * 2**attempt)
        else:
            return


def mark(tx: Tx, nics: Iterable[VmNic], *, served: bool) -> None:
    """Say whether networks are to know the NICs; those whose rows are gone are passed over."""
    for nic in nics:
        row = tx.get(VmNic, nic.uuid)
        if row is not None:
            tx.update(row, served=served)


def give_up_addresses(tx: Tx, nics: Iterable[VmNic]) -> None:
    """Free the addresses and keep the rows, for a VM that may be recovered."""
    for nic in nics:
        row = tx.get(VmNic, nic.uuid)
        if row is not None and row.used_ip_uuid is not None:
            give_back_address(tx, row.used_ip_uuid)
            tx.update(row, ip=None, netmask=None, gateway=None, used_ip_uuid=None, served=False)


def renew_addresses(tx: Tx, nics: tuple[VmNic, ...], addresses: tuple[AddressWish, ...]) -> tuple[VmNic, ...]:
    """Take an address for each NIC that has none, and have it served again."""
    return tuple(_renew(tx, nic, wish) for nic, wish in zip(nics, addresses, strict=True))


def _renew(tx: Tx, nic: VmNic, wish: AddressWish) -> VmNic:
    row = tx.require(VmNic, nic.uuid)
    if row.used_ip_uuid is not None:
        return row
    return tx.update(row, served=True, **_place_of(take_address(tx, wish)))


def _place_of(used: UsedIp) -> dict[str, Any]:
    return {
        "ip": used.ip,
        "netmask": used.netmask,
        "gateway": used.gateway,
        "ip_version": used.ip_version,
        "used_ip_uuid": used.uuid,
    }
