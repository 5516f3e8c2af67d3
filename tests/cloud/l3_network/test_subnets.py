"""Subnets are chosen so that they hide nothing that the host reaches already."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.cloud.l3_network.subnets import (
    PRIVATE_CANDIDATES,
    PUBLIC_CANDIDATES,
    NoFreeSubnetError,
    choose_subnet,
    routed_networks,
)


def networks(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


def test_the_first_free_candidate_is_taken() -> None:
    candidates = networks("172.30.0.0/24", "172.29.0.0/24", "172.28.0.0/24")
    assert choose_subnet(candidates, []) == candidates[0]
    assert choose_subnet(candidates, networks("172.30.0.128/25")) == candidates[1]
    assert choose_subnet(candidates, networks("172.28.0.0/15")) == candidates[0]


def test_wider_narrower_and_single_addresses_are_in_the_way() -> None:
    candidates = networks("172.30.0.0/24", "10.0.0.0/24")
    for taken in ("172.16.0.0/12", "172.30.0.64/26", "172.30.0.9/32", "172.30.0.0/24"):
        assert choose_subnet(candidates, networks(taken)) == candidates[1]


def test_when_nothing_is_free_the_text_says_what_is_in_the_way() -> None:
    with pytest.raises(NoFreeSubnetError, match=r"172\.30\.0\.0/24 overlaps 172\.16\.0\.0/12"):
        choose_subnet(networks("172.30.0.0/24"), networks("172.16.0.0/12"))


def test_routes_are_read_as_the_kernel_shows_them() -> None:
    rows = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
        {"dst": "192.0.2.0/24", "dev": "eth0"},
        {"dst": "198.51.100.7", "gateway": "192.0.2.1"},
        {"type": "blackhole", "dst": "10.0.0.0/8"},
        {"type": "local", "dst": "127.0.0.1", "dev": "lo"},
        {"dst": "fe80::/64", "dev": "eth0"},
    ]
    assert routed_networks(rows) == networks("192.0.2.0/24", "198.51.100.7/32", "10.0.0.0/8", "127.0.0.1/32")


def test_a_vpn_that_takes_everything_in_two_halves_does_not_block_everything() -> None:
    assert routed_networks([{"dst": "0.0.0.0/1"}, {"dst": "128.0.0.0/1"}]) == []


def test_the_candidates_do_not_overlap_each_other() -> None:
    for one, other in combinations([*PUBLIC_CANDIDATES, *PRIVATE_CANDIDATES], 2):
        assert not one.overlaps(other)
        assert one.is_private


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 32)), max_size=8))
def test_what_is_chosen_never_overlaps_what_is_taken(pairs: list[tuple[int, int]]) -> None:
    taken = [IPv4Network((number, length), strict=False) for number, length in pairs]
    candidates = [*PUBLIC_CANDIDATES, *PRIVATE_CANDIDATES]
    try:
        chosen = choose_subnet(candidates, taken)
    except NoFreeSubnetError:
        assert all(any(network.overlaps(candidate) for network in taken) for candidate in candidates)
    else:
        assert not any(network.overlaps(chosen) for network in taken)
        earlier = candidates[: candidates.index(chosen)]
        assert all(any(network.overlaps(candidate) for network in taken) for candidate in earlier)
