"""Time and randomness as they are passed in."""

from __future__ import annotations

import random
import re

import trio
from trio.testing import MockClock

from zstack_appliance.kernel.world import Entropy, TrioClock


def test_random_values_are_well_formed_and_repeatable() -> None:
    first, second = Entropy(random.Random(1)), Entropy(random.Random(1))
    for _ in range(100):
        uuid = first.uuid()
        assert re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", uuid)
        assert second.uuid() == uuid
        assert re.fullmatch(r"[0-9a-f]{6}", first.hex(6))
        assert re.fullmatch(r"[0-9a-f]{6}", second.hex(6))
        assert first.below(7) == second.below(7) < 7


async def test_dates_move_with_the_clock(autojump_clock: MockClock) -> None:
    clock = TrioClock(1000)
    await trio.sleep(2.5)
    assert clock.millis() == 3500
