"""The waiting helper, under a virtual clock: hours pass in no time."""

import pytest
import trio
from trio.testing import MockClock

from tests.eventually import eventually


async def test_answers_with_the_first_true_value(autojump_clock: MockClock) -> None:
    answers = iter([None, 0, "here"])
    assert await eventually(lambda: next(answers)) == "here"


async def test_an_assertion_means_not_yet(autojump_clock: MockClock) -> None:
    started = trio.current_time()

    async def check() -> bool:
        await trio.sleep(1)
        assert trio.current_time() > started + 10
        return True

    assert await eventually(check, within=3600)


async def test_gives_up_with_the_last_answer(autojump_clock: MockClock) -> None:
    with pytest.raises(AssertionError, match=r"not within 60 s; last: \[\]"):
        await eventually(list, within=60)


async def test_gives_up_on_a_check_that_hangs(autojump_clock: MockClock) -> None:
    with pytest.raises(AssertionError, match="no answer at all"):
        await eventually(trio.sleep_forever, within=60)


async def test_another_error_is_a_failure_at_once(autojump_clock: MockClock) -> None:
    with pytest.raises(ZeroDivisionError):
        await eventually(lambda: 1 / 0)
