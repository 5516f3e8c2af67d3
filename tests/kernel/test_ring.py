"""The ring: agreement, balance, and how little moves when nodes come and go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.ring import Ring
from zstack_appliance.kernel.schema import Key

NODES = st.sets(st.text("0123456789abcdef", min_size=4, max_size=32), min_size=1, max_size=7)
KEYS = [Key("thing", f"{number:032x}") for number in range(2000)]
SOME = KEYS[:300]


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
def test_all_nodes_agree_on_the_same_members(nodes: list[str]) -> None:
    one, two = Ring(nodes), Ring(reversed(nodes))
    assert [one.owner(key) for key in SOME] == [two.owner(key) for key in SOME]
    assert {one.owner(key) for key in SOME} <= set(nodes)


@given(NODES, st.text("ghij", min_size=4, max_size=8))
def test_a_node_that_joins_takes_keys_and_moves_no_others(nodes: set[str], newcomer: str) -> None:
    before, after = Ring(nodes), Ring({*nodes, newcomer})
    moved = [key for key in SOME if before.owner(key) != after.owner(key)]
    assert {after.owner(key) for key in moved} <= {newcomer}
    assert len(moved) < len(SOME) * 2 / (len(nodes) + 1)


@given(NODES, st.text("ghij", min_size=4, max_size=8))
def test_a_node_that_leaves_gives_up_its_own_and_moves_no_others(nodes: set[str], leaver: str) -> None:
    before, after = Ring({*nodes, leaver}), Ring(nodes)
    assert all(before.owner(key) == leaver for key in SOME if before.owner(key) != after.owner(key))
    assert all(after.owner(key) != leaver for key in SOME)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_shares_are_about_equal(count: int) -> None:
    ring = Ring(f"node{number}" for number in range(count))
    owners = [ring.owner(key) for key in KEYS]
    shares = {node: owners.count(node) / len(KEYS) for node in ring.members}
    assert min(shares.values()) > 0.75 / count
    assert max(shares.values()) < 1.25 / count


def test_what_concerns_one_thing_is_on_one_node() -> None:
    ring = Ring(("a", "b", "c"))
    assert all(ring.owner(key) == ring.owner(Key("commands to it", key.uuid)) for key in SOME)


def test_the_places_are_the_same_in_every_version() -> None:
    ring = Ring(("a", "b", "c"))
    assert "".join(ring.owner(key) for key in KEYS[:12]) == "abaccbbcbabb"


def test_one_node_has_everything_and_none_has_nothing() -> None:
    assert Ring(["me"]).owner(KEYS[0]) == "me"
    with pytest.raises(Unavailable, match="no management node serves"):
        Ring([]).owner(KEYS[0])
