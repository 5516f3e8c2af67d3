"""Doing several things at once, and what comes of their errors."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from trio.testing import MockClock

from zstack_appliance.kernel.errors import Conflict, Unavailable
from zstack_appliance.kernel.together import alone, leaves, together


async def test_all_run_at_once(autojump_clock: MockClock) -> None:
    await together(*(partial(trio.sleep, 2) for _ in range(3)))
    assert trio.current_time() == 2.0


async def test_the_first_error_ends_the_others_and_comes_bare(autojump_clock: MockClock) -> None:
    async def fail() -> None:
        await trio.sleep(1)
        raise Unavailable("no answer")

    with pytest.raises(Unavailable, match="no answer"):
        await together(fail, partial(trio.sleep, 60))
    assert trio.current_time() == 1.0


async def test_a_cancel_stays_a_cancel(autojump_clock: MockClock) -> None:
    with trio.move_on_after(1) as scope:
        await together(*(trio.sleep_forever for _ in range(3)))
    assert scope.cancelled_caught


def test_what_is_worse_than_an_error_is_not_hidden() -> None:
    group = BaseExceptionGroup("", [Conflict("no"), KeyboardInterrupt()])
    assert alone(group) is group
    defect = ExceptionGroup("", [ZeroDivisionError()])
    assert alone(defect) is defect


def test_leaves_are_found_however_deep() -> None:
    first, second = Conflict("1"), Conflict("2")
    assert list(leaves(ExceptionGroup("", [ExceptionGroup("", [first]), second]))) == [first, second]
    assert list(leaves(first)) == [first]
