"""A router's rules by their meaning; that the kernel takes and follows them is for the system tests."""

from __future__ import annotations

import re

import msgspec

from tests.cloud.network_service.namespace_router.specs import SPEC
from zstack_appliance.cloud.network_service.namespace_router.nft import table_body
from zstack_appliance.cloud.network_service.namespace_router.wire import RouterSpec


def chains(spec: RouterSpec) -> dict[str, list[str]]:
    """The rules of each chain, its hook first."""
    found = re.findall(r"chain (\w+) \{\n(.*?)\t\}", table_body(spec), re.DOTALL)
    return {name: [line.strip() for line in body.splitlines()] for name, body in found}


def test_guests_leave_by_the_public_address_and_by_no_made_up_one() -> None:
    found = chains(SPEC)
    guests = "ip saddr { 192.168.77.0/24 }"
    assert f'iifname "lan" oifname "wan" {guests} accept' in found["forward"]
    assert found["postrouting"][1:] == [f'oifname "wan" {guests} snat to 172.30.0.10']
    assert "hook postrouting" in found["postrouting"][0]


def test_what_is_not_allowed_is_dropped() -> None:
    assert "policy drop" in chains(SPEC)["forward"][0]
    accepted = [rule for rule in chains(SPEC)["forward"][1:] if 'iifname "wan"' in rule]
    assert accepted == []


def test_the_public_side_reaches_nothing_of_the_router() -> None:
    *_, last = chains(SPEC)["input"]
    assert last == 'iifname "wan" drop'


def test_without_snat_nothing_leaves() -> None:
    found = chains(msgspec.structs.replace(SPEC, snat=False))
    assert "postrouting" not in found
    assert not any("wan" in rule for rule in found["forward"])


def test_every_network_of_the_guests_leaves() -> None:
    wider = msgspec.structs.replace(SPEC, gateways=("192.168.78.1/25", "192.168.77.1/24"))
    assert "{ 192.168.77.0/24, 192.168.78.0/25 }" in chains(wider)["postrouting"][1]


def test_the_order_of_gateways_makes_no_other_table() -> None:
    one = msgspec.structs.replace(SPEC, gateways=("192.168.78.1/25", "192.168.77.1/24"))
    other = msgspec.structs.replace(SPEC, gateways=("192.168.77.1/24", "192.168.78.1/25"))
    assert table_body(one) == table_body(other)
