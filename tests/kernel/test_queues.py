"""Queues: order, levels, cancels, and waits that could never end."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from zstack_appliance.kernel.queues import DeadlockError, Queues
from zstack_appliance.kernel.schema import Key

A, B, C = Key("vm", "a"), Key("vm", "b"), Key("vm", "c")


@pytest.fixture
def queues() -> Queues:
    return Queues(lambda key: 2 if key.table == "host" else 1)


async def hold(queues: Queues, key: Key, served: list[str], name: str, seconds: float = 1.0) -> None:
    async with queues.turn(key):
        served.append(name)
        await trio.sleep(seconds)


async def test_turns_come_in_the_order_of_asking(queues: Queues, autojump_clock: MockClock) -> None:
    served: list[str] = []
    async with trio.open_nursery() as nursery:
        for name in "12345":
            nursery.start_soon(hold, queues, A, served, name)
            await wait_all_tasks_blocked()
    assert served == list("12345")
    assert trio.current_time() == 5.0
    assert queues.waiting(A) == 0


async def test_different_keys_do_not_wait_for_each_other(queues: Queues, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        for key in (A, B, C):
            nursery.start_soon(hold, queues, key, [], "x")
    assert trio.current_time() == 1.0


async def test_a_level_lets_several_in_at_once(queues: Queues, autojump_clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        for number in range(6):
            nursery.start_soon(hold, queues, Key("host", "h"), [], str(number))
    assert trio.current_time() == 3.0


async def test_a_level_that_is_raised_counts_from_the_next_turn_on(autojump_clock: MockClock) -> None:
    level = 1
    queues = Queues(lambda _: level)
    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(hold, queues, A, [], str(number))
        await wait_all_tasks_blocked()
        level = 4
    assert trio.current_time() == 2.0


async def test_who_stops_waiting_leaves_the_line(queues: Queues, autojump_clock: MockClock) -> None:
    served: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, queues, A, served, "first", 10.0)
        await wait_all_tasks_blocked()
        with trio.move_on_after(1.0) as gives_up:
            await hold(queues, A, served, "never")
        assert gives_up.cancelled_caught
        assert queues.waiting(A) == 0
        await hold(queues, A, served, "last")
    assert served == ["first", "last"]
    assert trio.current_time() == 11.0


async def test_a_turn_that_was_handed_over_just_as_it_was_cancelled_is_passed_on(
    queues: Queues, autojump_clock: MockClock
) -> None:
    served: list[str] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hold, queues, A, served, "first", 1.0)
        await wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            scope.deadline = trio.current_time() + 1.0
            await hold(queues, A, served, "second")
        await hold(queues, A, served, "third")
    assert served[-1] == "third"


async def test_an_error_frees_the_key(queues: Queues) -> None:
    with pytest.raises(ZeroDivisionError):
        async with queues.turn(A):
            raise ZeroDivisionError
    with trio.fail_after(1):
        async with queues.turn(A):
            assert queues.held() == (A,)
    assert queues.held() == ()


async def test_a_call_back_to_a_held_key_is_refused_and_the_chain_named(queues: Queues) -> None:
    async with queues.turn(A), queues.turn(B):
        assert queues.held() == (A, B)
        with pytest.raises(DeadlockError, match="vm a → vm b → vm a"):
            async with queues.turn(A):
                pass


async def test_a_child_task_is_of_the_same_chain(queues: Queues) -> None:
    async def child() -> None:
        with pytest.raises(DeadlockError):
            async with queues.turn(A):
                pass

    async with queues.turn(A), trio.open_nursery() as nursery:
        nursery.start_soon(child)


@pytest.mark.parametrize("length", [2, 3, 5])
async def test_a_circle_between_chains_is_refused_for_the_one_that_would_close_it(
    length: int, queues: Queues, autojump_clock: MockClock
) -> None:
    keys = [Key("vm", str(number)) for number in range(length)]
    refused: list[int] = []

    async def take(number: int) -> None:
        async with queues.turn(keys[number]):
            await trio.sleep(1.0 + number)
            try:
                async with queues.turn(keys[(number + 1) % length]):
                    pass
            except DeadlockError:
                refused.append(number)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            for number in range(length):
                nursery.start_soon(take, number)
    assert refused == [length - 1]


async def test_waiting_without_a_circle_is_no_deadlock(queues: Queues, autojump_clock: MockClock) -> None:
    async def through(first: Key, second: Key) -> None:
        async with queues.turn(first):
            await trio.sleep(1)
            async with queues.turn(second):
                await trio.sleep(1)

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(through, A, C)
            nursery.start_soon(through, B, C)
            nursery.start_soon(through, A, B)
