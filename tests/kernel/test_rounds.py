"""Rounds: work that is shared by all who ask while it is under way."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.rounds import Rounds
from zstack_appliance.kernel.schema import Key

KEY = Key("network", "n")


async def test_who_asks_meanwhile_shares_the_next_round(autojump_clock: MockClock) -> None:
    rounds = Rounds(Queues(lambda _: 1))
    begun: list[float] = []

    async def work() -> None:
        begun.append(trio.current_time())
        await trio.sleep(1)

    async def ask(delay: float) -> None:
        await trio.sleep(delay)
        asked = trio.current_time()
        await rounds.join(KEY, work)
        assert any(asked <= start <= trio.current_time() - 1 for start in begun), "a round after the question"

    async with trio.open_nursery() as nursery:
        for delay in (0, *(0.1 * number for number in range(1, 9))):
            nursery.start_soon(ask, delay)
    assert len(begun) == 2


async def test_a_round_that_fails_fails_for_its_runner_alone(autojump_clock: MockClock) -> None:
    rounds = Rounds(Queues(lambda _: 1))
    failures = iter([True, False])
    outcomes: list[str] = []

    async def work() -> None:
        await trio.sleep(1)
        if next(failures):
            raise ValueError("the first")

    async def ask() -> None:
        try:
            await rounds.join(KEY, work)
        except ValueError:
            outcomes.append("failed")
        else:
            outcomes.append("served")

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(ask)
    assert sorted(outcomes) == ["failed", "served", "served"]


async def test_keys_have_rounds_of_their_own(autojump_clock: MockClock) -> None:
    rounds = Rounds(Queues(lambda _: 1))
    async with trio.open_nursery() as nursery:
        for name in "ab":
            nursery.start_soon(rounds.join, Key("network", name), partial(trio.sleep, 1))
    assert trio.current_time() == 1.0


async def test_an_error_reaches_who_asked() -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Rounds(Queues(lambda _: 1)).join(KEY, work)
