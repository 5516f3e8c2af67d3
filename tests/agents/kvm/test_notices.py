"""Notices wait for their listener, in order, and never without bound."""

from __future__ import annotations

from contextlib import aclosing

import trio

from agents.kvm.notices import NoticeQueue
from zstack_appliance.cloud.host.driver import HostNotice, NoticesLost, VmState, VmStateChanged


def notice(uuid: str) -> VmStateChanged:
    return VmStateChanged(uuid=uuid, state=VmState.RUNNING, reason="booted")


async def heard(queue: NoticeQueue, count: int) -> list[HostNotice]:
    found: list[HostNotice] = []
    async with aclosing(queue.listen()) as listening:
        async for said in listening:
            found.append(said)
            if len(found) == count:
                break
    return found


async def test_what_was_said_before_anybody_listened_is_heard_in_order() -> None:
    queue = NoticeQueue()
    for uuid in "abc":
        queue.put(notice(uuid))
    assert await heard(queue, 3) == [notice("a"), notice("b"), notice("c")]


async def test_a_listener_waits_for_the_next(autojump_clock: trio.testing.MockClock) -> None:
    queue = NoticeQueue()

    async def speak() -> None:
        for uuid in "ab":
            await trio.sleep(1)
            queue.put(notice(uuid))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(speak)
        assert await heard(queue, 2) == [notice("a"), notice("b")]
        assert trio.current_time() == 2


async def test_too_many_give_way_to_one_that_says_so() -> None:
    queue = NoticeQueue(kept=2)
    for uuid in "abc":
        queue.put(notice(uuid))
    queue.put(notice("d"))
    assert await heard(queue, 2) == [NoticesLost(reason="nobody listened to 2 notices"), notice("d")]
