"""Who is there: lives are told apart, changes are told once, and a node that is no member any more is fenced."""

from __future__ import annotations

import pytest

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.nodes import Member, Nodes
from zstack_appliance.kernel.schema import Key

KEY = Key("thing", "1" * 32)


def test_a_single_node_owns_everything() -> None:
    nodes = Nodes("me")
    assert nodes.owns(KEY)
    assert (nodes.owner(KEY), nodes.others) == ("me", {})


def test_before_anybody_has_joined_nobody_serves() -> None:
    nodes = Nodes("me", clustered=True)
    assert not nodes.owns(KEY)
    with pytest.raises(Unavailable, match="no management node serves"):
        nodes.owner(KEY)


def test_a_member_that_leaves_is_off_the_ring_first() -> None:
    nodes = Nodes("me", clustered=True)
    nodes.update([Member("me", 1), Member("you", 2)])
    nodes.update([Member("me", 1), Member("you", 2, serves=False)])
    assert nodes.ring.members == {"me"}
    assert nodes.others == {"you": 2}
    assert nodes.is_member("you", 2)
    nodes.update([Member("me", 1)])
    assert not nodes.is_member("you", 2)


def test_a_node_that_comes_back_is_in_another_life() -> None:
    nodes = Nodes("me", clustered=True)
    nodes.update([Member("me", 1), Member("you", 2)])
    ring = nodes.ring
    nodes.update([Member("me", 1), Member("you", 3)])
    assert (nodes.is_member("you", 2), nodes.is_member("you", 3)) == (False, True)
    assert nodes.ring is ring, "nothing moves"


def test_changes_are_told_and_nothing_else_is() -> None:
    nodes, told = Nodes("me", clustered=True), list[dict[str, int]]()
    nodes.on_change(lambda: told.append(nodes.others))
    changed = nodes.changed
    nodes.update([Member("me", 1), Member("you", 2)])
    assert changed.is_set()
    nodes.update([Member("you", 2), Member("me", 1)])
    assert told == [{"you": 2}]


@pytest.mark.parametrize("members", [[], [Member("you", 2)], [Member("me", 7)]])
def test_who_has_joined_and_is_gone_is_fenced(members: list[Member]) -> None:
    nodes = Nodes("me", clustered=True)
    nodes.update([])
    assert not nodes.fenced.is_set(), "it has not joined yet"
    nodes.update([Member("me", 1)])
    nodes.joined(1)
    assert not nodes.fenced.is_set()
    nodes.update(members)
    assert nodes.fenced.is_set()
