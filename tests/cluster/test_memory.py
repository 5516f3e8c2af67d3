"""The network and the log in memory: late, lossy, cut, and still in order."""

from __future__ import annotations

import random

import pytest
import trio
from trio.testing import MockClock

from zstack_appliance.cluster.memory import MemoryLog, Network
from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.peers import NodeUnreachable, OutcomeUnknown, Tell
from zstack_appliance.kernel.store import Entry
from zstack_appliance.kernel.store.log import InDoubt


def network(*, loss: float = 0.0) -> Network:
    return Network(random.Random(1), latency=0.1, loss=loss)


async def echo(body: bytes, tell: Tell) -> bytes:
    tell(b"heard")
    await trio.sleep(1.0)
    return body


def unheard(_: bytes) -> None:
    pass


async def test_an_answer_comes_back_after_the_way_there_and_back(autojump_clock: MockClock) -> None:
    net, heard = network(), list[bytes]()
    with net.port("b").answering(echo):
        assert await net.port("a").ask("b", b"hello", heard.append) == b"hello"
    assert heard == [b"heard"]
    assert 1.1 < trio.current_time() < 1.4


async def test_who_is_off_or_cut_off_is_not_reached(autojump_clock: MockClock) -> None:
    net = network()
    with net.port("b").answering(echo):
        for cut, mend in ((net.switch_off, net.switch_on), (net.isolate, net.heal)):
            cut("b")
            with pytest.raises(NodeUnreachable):
                await net.port("a").ask("b", b"", unheard)
            mend("b")
            assert await net.port("a").ask("b", b"x", unheard) == b"x"
    with pytest.raises(NodeUnreachable):
        await net.port("a").ask("b", b"", unheard)


async def test_a_connection_that_breaks_leaves_the_outcome_open(autojump_clock: MockClock) -> None:
    net = network()

    async def ask() -> None:
        with pytest.raises(OutcomeUnknown):
            await net.port("a").ask("b", b"", unheard)

    with net.port("b").answering(echo):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await trio.sleep(0.5)
            net.isolate("b")


async def test_losses_are_of_both_kinds(autojump_clock: MockClock) -> None:
    net, outcomes = network(loss=0.6), list[str]()
    with net.port("b").answering(echo):
        for _ in range(60):
            try:
                await net.port("a").ask("b", b"", unheard)
                outcomes.append("fine")
            except (NodeUnreachable, OutcomeUnknown) as error:
                outcomes.append(type(error).__name__)
    assert set(outcomes) == {"fine", "NodeUnreachable", "OutcomeUnknown"}


async def test_the_log_takes_each_number_once(autojump_clock: MockClock) -> None:
    log = MemoryLog(network())
    one, two = log.port("a"), log.port("b")
    first, second = Entry(1, "s", b"a", "a/1"), Entry(1, "s", b"b", "b/1")
    assert await one.append(first) == ()
    assert await one.append(first) == (), "it is there already"
    assert await two.append(second) == [first]
    assert await two.after(0) == [first]


async def test_a_lossy_log_leaves_a_doubt_that_asking_again_removes(autojump_clock: MockClock) -> None:
    log = MemoryLog(network(loss=0.7))
    port, doubts = log.port("a"), 0
    for number in range(1, 21):
        while True:
            try:
                assert await port.append(Entry(number, "s", b"", f"a/{number}")) == ()
                break
            except InDoubt:
                doubts += 1
    assert doubts
    assert [entry.number for entry in log.entries] == list(range(1, 21))


async def test_a_log_that_cannot_be_reached_says_that_nothing_was_changed(autojump_clock: MockClock) -> None:
    log = MemoryLog(network())
    log.network.isolate("a")
    with pytest.raises(Unavailable):
        await log.port("a").append(Entry(1, "s", b"", "a/1"))
    with pytest.raises(Unavailable):
        await log.port("a").after(0)
    assert log.entries == []


async def test_news_is_heard_and_a_cut_is_noticed(autojump_clock: MockClock) -> None:
    log, heard = MemoryLog(network()), list[str]()

    async def listen(node: str) -> None:
        try:
            await log.port(node).news(0)
            heard.append(f"{node} news")
        except Unavailable:
            heard.append(f"{node} cut")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(listen, "a")
        nursery.start_soon(listen, "b")
        await trio.sleep(1.0)
        log.network.isolate("a")
        await trio.sleep(1.0)
        await log.port("b").append(Entry(1, "s", b"", "b/1"))
    assert heard == ["a cut", "b news"]
