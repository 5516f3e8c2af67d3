"""Which addresses are taken. Functions on a transaction, for other folders to use inside their own commits.

Primitives: `take_address` and `give_back_address`. Two commits that want one address meet at the unique
index of `UsedIp`; the store runs functions one after the other, so in one appliance they never do.
"""

from __future__ import annotations

from ipaddress import IPv4Address

import msgspec

from zstack_appliance.cloud.l3_network.schema import IpRange, IpRangeType, L3Network, UsedIp
from zstack_appliance.kernel.errors import InsufficientCapacity, InvalidArgument
from zstack_appliance.kernel.schema import OnOff, describe
from zstack_appliance.kernel.store import Tx


class AddressWish(msgspec.Struct, frozen=True, kw_only=True):
    """An address to take.

    Args:
        uuid: of the `UsedIp` row to make.
        l3_network_uuid: where.
        dice: a random number; the search for a free address begins there. 0 takes the first free one.
        ip: this very address.
        used_for: what it serves, for the operator.
        vm_nic_uuid: the NIC that carries it.
    """

    uuid: str
    l3_network_uuid: str
    dice: int
    ip: str | None = None
    used_for: str | None = None
    vm_nic_uuid: str | None = None


_FREE_AFTER = f"""
SELECT min(candidate) FROM (
  SELECT ? AS candidate
  UNION ALL
  SELECT ip_in_long + 1 FROM {describe(UsedIp).table}
   WHERE l3_network_uuid = ? AND ip_in_long BETWEEN ? AND ?
) AS c
WHERE c.candidate <= ?
  AND NOT EXISTS (SELECT 1 FROM {describe(UsedIp).table} AS taken
                   WHERE taken.l3_network_uuid = ? AND taken.ip_in_long = c.candidate)
"""
_TAKEN = f"SELECT 1 FROM {describe(UsedIp).table} WHERE l3_network_uuid = ? AND ip_in_long = ?"


def take_address(tx: Tx, wish: AddressWish) -> UsedIp:
    """Take a free address of an L3 network.

    Raises:
        InvalidArgument: the wished address is in no range of the network.
        InsufficientCapacity: every address is taken, or the wished one is.
    """
    network = tx.require(L3Network, wish.l3_network_uuid)
    if network.state is not OnOff.ENABLED:
        raise InvalidArgument(f"L3 network[{network.name}] is Disabled and takes no new NIC; enable it first")
    ranges = tx.find(IpRange, l3_network_uuid=network.uuid, ip_range_type=IpRangeType.NORMAL)
    if not ranges:
        raise InsufficientCapacity(f"L3 network[{network.name}] has no IP range; add one", code="L3.1000")
    number, ip_range = _wished(tx, ranges, wish) if wish.ip else _any_free(tx, ranges, wish, network.name)
    return tx.insert(
        UsedIp(
            uuid=wish.uuid,
            create_date=tx.now,
            last_op_date=tx.now,
            ip_range_uuid=ip_range.uuid,
            l3_network_uuid=network.uuid,
            ip=str(IPv4Address(number)),
            ip_in_long=number,
            ip_version=4,
            netmask=ip_range.netmask,
            gateway=ip_range.gateway,
            used_for=wish.used_for,
            vm_nic_uuid=wish.vm_nic_uuid,
        )
    )


def give_back_address(tx: Tx, uuid: str) -> None:
    """Free an address; one that is free already is no error."""
    if tx.get(UsedIp, uuid) is not None:
        tx.delete(UsedIp, uuid)


def _wished(tx: Tx, ranges: list[IpRange], wish: AddressWish) -> tuple[int, IpRange]:
    number = int(IPv4Address(wish.ip or ""))
    for ip_range in ranges:
        if ip_range.start_number <= number <= ip_range.end_number:
            if tx.select(_TAKEN, (wish.l3_network_uuid, number)):
                raise InsufficientCapacity(f"address {wish.ip} is in use; choose another one", code="L3.1000")
            return number, ip_range
    spans = ", ".join(f"{r.start_ip}-{r.end_ip}" for r in ranges)
    raise InvalidArgument(f"address {wish.ip} is in no range of the network; its ranges are {spans}")


def _any_free(tx: Tx, ranges: list[IpRange], wish: AddressWish, name: str) -> tuple[int, IpRange]:
    """The first free address from a random place on, going round; the dice choose the range too."""
    count = len(ranges)
    first = wish.dice % count
    for ip_range in ranges[first:] + ranges[:first]:
        size = ip_range.end_number - ip_range.start_number + 1
        begin = ip_range.start_number + (wish.dice // count) % size
        for low, high in ((begin, ip_range.end_number), (ip_range.start_number, begin - 1)):
            number = _first_free(tx, wish.l3_network_uuid, low, high)
            if number is not None:
                return number, ip_range
    raise InsufficientCapacity(f"every address of L3 network[{name}] is in use; add an IP range", code="L3.1000")


def _first_free(tx: Tx, l3_network_uuid: str, low: int, high: int) -> int | None:
    if low > high:
        return None
    if not tx.select(_TAKEN, (l3_network_uuid, low)):
        return low
    rows = tx.select(_FREE_AFTER, (low, l3_network_uuid, low, high, high, l3_network_uuid))
    found = rows[0][0] if rows else None
    return None if found is None else int(found)
