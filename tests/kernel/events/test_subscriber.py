"""What waits for one subscriber."""

from __future__ import annotations

from zstack_appliance.kernel.events.message import Message, Position
from zstack_appliance.kernel.events.subscriber import Backlog


def message(number: int) -> Message:
    return Message("change", Position(number), dict)


async def test_what_waits_is_taken_at_once_and_only_once() -> None:
    backlog = Backlog(10)
    assert backlog.take() == []
    for number in (1, 2, 3):
        backlog.put(message(number))
    first = await backlog.get()
    assert first is not None
    assert first.position.number == 1
    assert [each.position.number for each in backlog.take()] == [2, 3]
    backlog.put(message(4))
    assert [each.position.number for each in backlog.take()] == [4]
    backlog.close()
    assert await backlog.get() is None


async def test_what_is_too_much_becomes_one_gap() -> None:
    backlog = Backlog(2)
    for number in (1, 2, 3):
        backlog.put(message(number))
    assert [(each.event, each.position.number) for each in backlog.take()] == [("gap", 3)]
