"""Turns go round the parties, and nobody takes all the room."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from zstack_appliance.kernel.fair import Fair, RoundRobin


def test_each_party_gives_one_in_turn() -> None:
    line: RoundRobin[str] = RoundRobin()
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        line.push(item[0], item)
    assert (len(line), bool(line), set(line.parties)) == (6, True, {"a", "b", "c"})
    assert sorted(line) == ["a1", "a2", "a3", "b1", "c1", "c2"]
    line.remove("a", "a2")
    assert line.pop_of(frozenset("c")) == "c1"
    assert [line.pop() for _ in range(4)] == ["a1", "b1", "c2", "a3"]
    assert not line
    with pytest.raises(IndexError):
        line.pop()
    with pytest.raises(ValueError, match="nothing in line"):
        line.remove("a", "a1")


async def test_a_flood_of_one_party_leaves_room_for_the_next(autojump_clock: MockClock) -> None:
    fair = Fair(total=3, each=2)
    took: dict[str, float] = {}

    async def work(party: str, name: str) -> None:
        async with fair.turn(party):
            await trio.sleep(10)
        took[name] = trio.current_time()

    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(work, "flood", f"flood{number}")
        await wait_all_tasks_blocked()
        assert (fair.inside, fair.waiting) == (2, 18)
        begun = trio.current_time()
        nursery.start_soon(work, "other", "other")
    assert took["other"] - begun == pytest.approx(10), "it did not wait at all"
    assert max(took.values()) - begun == pytest.approx(100), "and the flood lost nothing"
    assert (fair.inside, fair.waiting) == (0, 0)


async def test_parties_that_wait_are_let_in_by_turns(autojump_clock: MockClock) -> None:
    fair = Fair(total=1, each=1)
    order: list[str] = []

    async def work(party: str, name: str) -> None:
        async with fair.turn(party):
            order.append(name)
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for name in ("a1", "a2", "a3", "b1", "b2"):
            nursery.start_soon(work, name[0], name)
            await wait_all_tasks_blocked()
    assert order == ["a1", "a2", "b1", "a3", "b2"]


async def test_whoever_gives_up_leaves_no_trace(autojump_clock: MockClock) -> None:
    fair = Fair(total=1, each=1)
    async with fair.turn("a"):
        for party in ("a", "b"):
            with trio.move_on_after(1) as scope:
                async with fair.turn(party):
                    raise AssertionError("let in though there is no room")
            assert scope.cancelled_caught
        assert fair.waiting == 0
    with trio.CancelScope() as scope:
        scope.cancel()
        async with fair.turn("a"):
            raise AssertionError("let in though cancelled")
    async with fair.turn("a"):
        assert fair.inside == 1
    assert fair.inside == 0
