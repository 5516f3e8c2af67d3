"""What has to change for a bridge is exactly what differs."""

from __future__ import annotations

import re

import msgspec
import pytest

from zstack_appliance.cloud.l2_network.bridge_plan import (
    Seen,
    address_fault,
    bridge_mac,
    faults,
    joining_fault,
    plan,
)
from zstack_appliance.cloud.l2_network.wire import ApplyBridge
from zstack_appliance.hostkit.iproute import Address, Link, LinkInfo, Route

UUID, NAME = "1" * 32, "zbab12cd1111111"
WANTED = ApplyBridge(l2_network_uuid=UUID, mtu=1450, addresses=("172.30.0.1/24",))
THERE = Link(
    NAME,
    flags=("UP", "BROADCAST"),
    mtu=1450,
    ifalias=UUID,
    addr_info=(Address("inet", "172.30.0.1", 24), Address("inet6", "fe80::1", 64)),
)
SPARE = Link("spare0", flags=("UP",), mtu=1500, linkinfo=LinkInfo("veth"))


def test_a_new_bridge_gets_everything_and_comes_up_last() -> None:
    planned = plan(WANTED, NAME, Seen())
    text = "\n".join(planned.changes)
    assert f"link add name {NAME}" in planned.changes[0]
    assert bridge_mac(UUID) in planned.changes[0]
    assert f"link set dev {NAME} mtu 1450" in planned.changes
    assert f"alias {UUID}" in text
    assert f"address add 172.30.0.1/24 brd + dev {NAME}" in planned.changes
    assert planned.bring_up
    assert f"{NAME} up" not in text


def test_a_new_bridge_is_bound_to_its_mtu_by_a_change() -> None:
    assert f"mtu {WANTED.mtu} " not in plan(WANTED, NAME, Seen()).changes[0]


def test_a_bridge_that_is_as_wanted_stays_as_it_is() -> None:
    planned = plan(WANTED, NAME, Seen(bridge=THERE))
    assert planned.changes == ()
    assert not planned.bring_up


@pytest.mark.parametrize(
    ("there", "change"),
    [
        (msgspec.structs.replace(THERE, mtu=1500), f"link set dev {NAME} mtu 1450"),
        (msgspec.structs.replace(THERE, ifalias=None), f"link set dev {NAME} alias {UUID}"),
        (msgspec.structs.replace(THERE, addr_info=()), f"address add 172.30.0.1/24 brd + dev {NAME}"),
    ],
)
def test_only_what_differs_is_changed(there: Link, change: str) -> None:
    assert plan(WANTED, NAME, Seen(bridge=there)).changes == (change,)


def test_an_address_that_is_not_described_goes() -> None:
    bare = msgspec.structs.replace(WANTED, addresses=())
    assert plan(bare, NAME, Seen(bridge=THERE)).changes == (f"address delete 172.30.0.1/24 dev {NAME}",)


def test_a_bridge_that_a_crash_left_down_is_brought_up() -> None:
    down = msgspec.structs.replace(THERE, flags=("BROADCAST",))
    assert plan(WANTED, NAME, Seen(bridge=down)).bring_up


def test_an_interface_is_joined_and_what_was_joined_before_is_let_go() -> None:
    wanted = msgspec.structs.replace(WANTED, physical_interface="spare0")
    former = msgspec.structs.replace(SPARE, ifname="former0", master=NAME)
    seen = Seen(bridge=THERE, strangers={"former0": former}, joining=SPARE)
    assert plan(wanted, NAME, seen).changes == (
        "link set dev former0 nomaster",
        f"link set dev spare0 master {NAME}",
    )
    joined = msgspec.structs.replace(SPARE, master=NAME)
    assert plan(wanted, NAME, Seen(bridge=THERE, strangers={"spare0": joined}, joining=joined)).changes == ()


DEFAULT = (Route("default", "192.0.2.1", "eth0"),)


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        (Link("eth0"), "default route goes through it"),
        (Link("eth1", addr_info=(Address("inet", "10.0.0.5", 24, "global"),)), r"it holds 10\.0\.0\.5/24"),
        (Link("eth1", addr_info=(Address("inet6", "2001:db8::5", 64, "global"),)), "it holds 2001:db8::5/64"),
        (Link("veth0", master="docker0", linkinfo=LinkInfo("veth")), "port of docker0 already"),
        (Link("eth1"), "only interfaces of the kinds dummy and veth"),
        (Link("wg0", linkinfo=LinkInfo("wireguard")), "only interfaces of the kinds dummy and veth"),
    ],
)
def test_what_could_cut_the_host_off_is_not_joined(link: Link, reason: str) -> None:
    fault = joining_fault(link, DEFAULT)
    assert fault is not None
    assert re.search(reason, fault)


def test_a_link_local_address_does_not_keep_an_interface_from_being_joined() -> None:
    held = msgspec.structs.replace(SPARE, addr_info=(Address("inet6", "fe80::1", 64, "link"),))
    assert joining_fault(held, DEFAULT) is None


def test_what_is_joined_already_is_not_questioned_again() -> None:
    joined = Link("eth1", master=NAME)
    assert faults(WANTED, NAME, Seen(bridge=THERE, joining=joined)) == []


@pytest.mark.parametrize("address", ["172.30.0.0/24", "172.30.0.255/24", "172.30.0.1", "172.30.0.1/31", "x", "::1/64"])
def test_addresses_that_no_host_can_have_are_refused(address: str) -> None:
    assert address in (address_fault(address) or "")


def test_every_fault_is_named_at_once() -> None:
    wanted = msgspec.structs.replace(WANTED, addresses=("x", "172.30.0.0/24"))
    other = msgspec.structs.replace(THERE, ifalias="2" * 32)
    assert len(faults(wanted, NAME, Seen(bridge=other, joining=Link("eth0"), defaults=DEFAULT))) == 4


def test_a_bridge_has_a_mac_of_its_own_that_is_locally_administered_and_unicast() -> None:
    first = int(bridge_mac(UUID)[:2], 16)
    assert first & 0b11 == 0b10
    assert bridge_mac(UUID) == bridge_mac(UUID) != bridge_mac("2" * 32)
