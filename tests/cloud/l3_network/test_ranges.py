"""What makes an IP range valid, by itself and beside others."""

from __future__ import annotations

import pytest

from tests.cloud import rows
from zstack_appliance.cloud.l3_network.messages import AddIpRange, AddIpRangeByNetworkCidr
from zstack_appliance.cloud.l3_network.ranges import conflicts, parse_cidr, parse_range
from zstack_appliance.cloud.l3_network.schema import Category, IpRangeType
from zstack_appliance.kernel.errors import InvalidArgument


def by_ends(**changes: str) -> AddIpRange:
    """10.0.0.10 to 10.0.0.20."""
    base = {"start_ip": "10.0.0.10", "end_ip": "10.0.0.20", "netmask": "255.255.255.0", "gateway": "10.0.0.1"}
    return AddIpRange(**{"l3_network_uuid": rows.uuid("net1"), "name": "r", **base, **changes})  # type: ignore[arg-type]


def by_cidr(cidr: str, gateway: str | None = None) -> AddIpRangeByNetworkCidr:
    """A whole network."""
    return AddIpRangeByNetworkCidr(l3_network_uuid=rows.uuid("net1"), name="r", network_cidr=cidr, gateway=gateway)


def test_a_cidr_gives_every_address_but_the_first_to_guests() -> None:
    """The first is the gateway, the network's own and the broadcast address are nobody's."""
    span = parse_cidr(by_cidr("192.168.7.0/29"))
    assert [str(x) for x in (span.gateway, span.start, span.end)] == ["192.168.7.1", "192.168.7.2", "192.168.7.6"]


def test_the_last_address_may_be_the_gateway() -> None:
    """Then the guests begin at the first."""
    span = parse_cidr(by_cidr("192.168.7.0/29", "192.168.7.6"))
    assert [str(x) for x in (span.start, span.end)] == ["192.168.7.1", "192.168.7.5"]


@pytest.mark.parametrize(
    ("message", "field", "word"),
    [
        (by_cidr("10.0.0.0/31"), "networkCidr", "/30 is the smallest"),
        (by_cidr("ten"), "networkCidr", "not a network"),
        (by_cidr("10.0.0.0/24", "10.0.0.9"), "gateway", "first or the last"),
        (by_cidr("224.0.0.0/24"), "startIp", "no guest can use"),
        (by_cidr("169.254.0.0/16"), "startIp", "no guest can use"),
        (by_cidr("20.0.0.0/1"), "startIp", "reaches into 0.0.0.0/8"),
    ],
)
def test_cidrs_that_are_refused(message: AddIpRangeByNetworkCidr, field: str, word: str) -> None:
    """Each with the field and what to send instead."""
    with pytest.raises(InvalidArgument, match=word) as caught:
        parse_cidr(message)
    assert caught.value.faults[0].field == field


@pytest.mark.parametrize(
    ("changes", "field", "word"),
    [
        ({"start_ip": "10.0.0.21"}, "startIp", "comes after"),
        ({"end_ip": "10.0.1.5"}, "endIp", "outside the network"),
        ({"gateway": "10.0.0.15"}, "gateway", "among the addresses"),
        ({"gateway": "10.9.0.1"}, "gateway", "outside"),
        ({"netmask": "255.0.255.0"}, "netmask", "not a netmask"),
        ({"start_ip": "10.0.0.999"}, "startIp", "not an IPv4 address"),
    ],
)
def test_ranges_that_are_refused(changes: dict[str, str], field: str, word: str) -> None:
    """Each with the field and what to send instead."""
    with pytest.raises(InvalidArgument, match=word) as caught:
        parse_range(by_ends(**changes))
    assert caught.value.faults[0].field == field


def test_ranges_of_one_network_neither_overlap_nor_leave_its_cidr() -> None:
    """One CIDR and one gateway per L3 network."""
    held = rows.ip_range(10, 20)
    apart = rows.ip_range(21, 30)
    assert not list(conflicts(apart, rows.l3(), [held]))
    assert [f.field for f in conflicts(rows.ip_range(20, 30), rows.l3(), [held]) if f] == ["startIp"]
    other = rows.ip_range(40, 50, network_cidr="10.0.0.0/16")
    assert [f.field for f in conflicts(other, rows.l3(), [held]) if f] == ["netmask"]


def test_address_pools_are_for_public_networks() -> None:
    """Virtual IPs are public by nature."""
    pool = rows.ip_range(60, 70, ip_range_type=IpRangeType.ADDRESS_POOL)
    assert [f.field for f in conflicts(pool, rows.l3(), []) if f] == ["ipRangeType"]
    assert not list(conflicts(pool, rows.l3(category=Category.PUBLIC), []))
