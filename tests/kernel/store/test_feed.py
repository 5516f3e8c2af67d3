"""Everyone gets every batch in order, and nobody can hold up or break the writer."""

from __future__ import annotations

import logging

import pytest
import trio

from zstack_appliance.kernel.store.feed import Batch, Dropped, Feed


def batches(*numbers: int) -> list[Batch]:
    return [Batch(number, ()) for number in numbers]


def publish(feed: Feed, *numbers: int) -> None:
    for batch in batches(*numbers):
        feed.publish(batch)


def test_listeners_hear_every_batch_while_they_listen() -> None:
    feed, heard = Feed(4), list[Batch]()
    with feed.listening(heard.append):
        publish(feed, 5, 6)
    publish(feed, 7)
    assert heard == batches(5, 6)
    assert feed.number == 7


def test_a_listener_that_fails_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    feed, heard = Feed(0), list[Batch]()

    def fail(_: Batch) -> None:
        raise RuntimeError("listener is broken")

    with feed.listening(fail), feed.listening(heard.append), caplog.at_level(logging.ERROR):
        publish(feed, 1)
    assert heard == batches(1)
    assert "failed at batch 1" in caplog.text


async def test_a_subscriber_gets_what_comes_after_it() -> None:
    feed = Feed(0)
    publish(feed, 1)
    with feed.subscribed(2) as channel:
        publish(feed, 2, 3)
        assert [await channel.receive(), await channel.receive()] == batches(2, 3)


async def test_a_slow_subscriber_is_told_where_it_was_dropped() -> None:
    feed = Feed(0)
    with feed.subscribed(2) as slow, feed.subscribed(9) as quick:
        publish(feed, 1, 2, 3, 4)
        assert [item async for item in slow] == [*batches(1, 2), Dropped(3)]
        assert quick.statistics().current_buffer_used == 4


async def test_a_subscriber_that_keeps_up_is_never_dropped() -> None:
    feed = Feed(0)
    with feed.subscribed(1) as channel:
        for number in range(1, 50):
            publish(feed, number)
            assert channel.receive_nowait() == Batch(number, ())


async def test_a_subscriber_that_has_closed_its_end_is_forgotten() -> None:
    feed = Feed(0)
    with feed.subscribed(1) as channel:
        channel.close()
        publish(feed, 1, 2, 3)
    assert feed.number == 3


async def test_nothing_is_kept_for_those_who_left() -> None:
    feed = Feed(0)
    with feed.subscribed(1) as channel:
        pass
    publish(feed, 1)
    with pytest.raises(trio.ClosedResourceError):
        channel.receive_nowait()
