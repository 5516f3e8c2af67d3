"""Streams that are cut and resumed: nothing is lost or told twice, wherever that is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.api.things import Thing
from tests.kernel.events.listening import (
    ALICE,
    BOB,
    begun,
    change,
    cloud_of,
    ids,
    key,
    make,
    remove,
    said,
    share,
    thing,
    unshare,
    waiting,
    wants,
)
from tests.running import Running
from zstack_appliance.kernel.events.message import Message, Position
from zstack_appliance.kernel.events.service import Events
from zstack_appliance.kernel.events.topic import Interest
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.store import Tx


async def play(cloud: Running) -> None:
    """Changes of one row and of many in one commit, shared and taken back."""

    def several(tx: Tx) -> None:
        for name in ("b", "c", "d"):
            tx.insert(thing(name), owner=ALICE.account_uuid)
        tx.update(tx.require(Thing, key("a")), size=7)

    def two(tx: Tx) -> None:
        tx.delete(Thing, key("c"))
        tx.update(tx.require(Thing, key("b")), size=2)

    await make(cloud, "a", ALICE, size=1)
    await make(cloud, "z", BOB, size=1)
    await cloud.kernel.store.write(several, owner=ALICE.account_uuid)
    await share(cloud, "z", ALICE)
    await change(cloud, "b", size=9)
    await change(cloud, "z", size=9)
    await cloud.kernel.store.write(
        lambda tx: (tx.delete(Thing, key("c")), tx.update(tx.require(Thing, key("b")), size=2))
    )
    await unshare(cloud, "z")
    await change(cloud, "z", size=1)
    await remove(cloud, "a")


INTERESTS = {
    "all": wants(),
    "things": wants("Thing"),
    "large": wants("Thing", q=("size>5",)),
    "some": wants("Thing", "Zone"),
}


@pytest.mark.parametrize("who", [SYSTEM, ALICE, BOB], ids=["admin", "alice", "bob"])
@pytest.mark.parametrize("what", INTERESTS)
async def test_nothing_is_lost_or_doubled_wherever_the_stream_is_cut(
    tmp_path: Path, autojump_clock: MockClock, who: Principal, what: str
) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        with events.subscribe(who, INTERESTS[what]) as stream:
            first = await begun(stream)
            await play(cloud)
            whole = await waiting(stream)
        assert len(whole) >= 2
        heard = [str(first.position), *ids(whole)]
        assert len(set(heard)) == len(heard)
        await check_every_cut(events, who, INTERESTS[what], heard, whole)
    async with cloud_of(tmp_path) as (cloud, events):
        await check_every_cut(events, who, INTERESTS[what], heard, whole)


async def check_every_cut(
    events: Events, who: Principal, interest: Interest, heard: list[str], whole: list[Message]
) -> None:
    last = whole[-1].position.number
    for place, text in enumerate(heard):
        with events.subscribe(who, interest, Position.parse(text)) as again:
            assert str((await begun(again)).position) == text
            found = [message for message in await waiting(again) if message.position.number <= last]
        assert ids(found) == heard[place + 1 :], f"resumed after {text}"
        kinds = [(json.loads(m.data)["kind"], json.loads(m.data)["uuid"]) for m in found]
        assert kinds == [(json.loads(m.data)["kind"], json.loads(m.data)["uuid"]) for m in whole[place:]]


async def test_what_happens_while_the_past_is_told_comes_after_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        start = Position(events.number)
        for number in range(450):
            await make(cloud, f"n{number}")
        with events.subscribe(SYSTEM, wants("Thing"), start) as stream:
            await begun(stream)
            found: list[Message] = []
            while len(found) < 460:
                message = await stream.get()
                assert message is not None
                found.append(message)
                if len(found) % 45 == 0 and len(found) <= 450:
                    await make(cloud, f"late{len(found)}")
        names = [name for _, name in said(found)]
    assert names == [f"n{number}" for number in range(450)] + [f"late{number}" for number in range(45, 451, 45)]


async def test_what_is_forgotten_or_never_was_is_a_gap(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        start = events.number
        await play(cloud)
        await trio.testing.wait_all_tasks_blocked()
        await cloud.kernel.store.write(lambda tx: tx.forget_changes(start + 3, 1000))
        for after, expected in ((start, True), (start + 2, True), (start + 3, False), (10**9, True)):
            with events.subscribe(SYSTEM, wants("Thing"), Position(after)) as stream:
                await begun(stream)
                found = await waiting(stream)
                assert said(found)[0] == ("gap", "") if expected else ("gap", "") not in said(found)
                if expected:
                    assert json.loads(found[0].data)["number"] == events.number
                    await make(cloud, f"after{after}")
                    assert said(await waiting(stream)) == [("created", f"after{after}")]


async def test_conditions_that_lead_on_resume_unless_something_moved(tmp_path: Path, autojump_clock: MockClock) -> None:
    interest = wants("Thing", q=("__userTag__=red",))
    async with cloud_of(tmp_path) as (cloud, events):
        await make(cloud, "one")
        await trio.testing.wait_all_tasks_blocked()
        position = Position(events.number)
        with events.subscribe(SYSTEM, interest, position) as stream:
            await begun(stream)
            assert await waiting(stream) == []
        await change(cloud, "one", size=3)
        await trio.testing.wait_all_tasks_blocked()
        with events.subscribe(SYSTEM, interest, position) as stream:
            await begun(stream)
            assert said(await waiting(stream)) == [("gap", "")]


# --- those who are slow, and those who must go -----------------------------------------------------------
