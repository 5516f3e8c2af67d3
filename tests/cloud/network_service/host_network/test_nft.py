"""The host's rules by their meaning; that the kernel takes and follows them is for the system tests."""

from __future__ import annotations

import re

from zstack_appliance.cloud.network_service.host_network.nft import table_body
from zstack_appliance.cloud.network_service.host_network.wire import PublicNetwork

ONE = PublicNetwork(bridge="zbab12cd1111111", subnet="172.30.0.0/24")
TWO = PublicNetwork(bridge="zbab12cd2222222", subnet="172.29.0.0/24")


def chains(*public: PublicNetwork) -> dict[str, list[str]]:
    """The rules of each chain, its hook first."""
    found = re.findall(r"chain (\w+) \{\n(.*?)\t\}", table_body(public), re.DOTALL)
    return {name: [line.strip() for line in body.splitlines()] for name, body in found}


def test_each_public_network_leaves_by_whatever_way_the_host_takes() -> None:
    rules = chains(ONE, TWO)["postrouting"][1:]
    assert rules == [
        'ip saddr 172.30.0.0/24 oifname != { "lo", "zbab12cd1111111" } masquerade',
        'ip saddr 172.29.0.0/24 oifname != { "lo", "zbab12cd2222222" } masquerade',
    ]


def test_from_outside_nothing_begins_and_between_our_networks_everything_may() -> None:
    *_, accept, drop = chains(ONE, TWO)["forward"]
    bridges = '{ "zbab12cd1111111", "zbab12cd2222222" }'
    assert accept == f"iifname {bridges} accept"
    assert drop == f"oifname {bridges} ct state != {{ established, related }} drop"


def test_two_subnets_on_one_bridge_name_it_once() -> None:
    second = PublicNetwork(bridge=ONE.bridge, subnet="172.28.0.0/24")
    assert 'iifname { "zbab12cd1111111" } accept' in chains(ONE, second)["forward"]
    assert len(chains(ONE, second)["postrouting"]) == 3


def test_without_public_networks_nothing_is_touched() -> None:
    assert {name: len(rules) for name, rules in chains().items()} == {"forward": 1, "postrouting": 1}
    assert "policy accept" in chains()["forward"][0]


def test_the_order_of_networks_makes_no_other_table() -> None:
    assert table_body([ONE, TWO]) == table_body([TWO, ONE])
