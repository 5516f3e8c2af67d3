"""What subscribers are told: of what, to whom, from where on; and nothing is lost or told twice."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from tests.api.things import THINGS, Thing
from tests.running import BASE, Running, running
from zstack_appliance.kernel.conditions import parse_condition
from zstack_appliance.kernel.errors import InvalidArgument, Unauthenticated
from zstack_appliance.kernel.events.message import Message, Position
from zstack_appliance.kernel.events.service import Events, Subscription
from zstack_appliance.kernel.events.topic import Interest
from zstack_appliance.kernel.principal import NOBODY, SYSTEM, Principal
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Batch, Tx
from zstack_appliance.kernel.tag import UserTag

ALICE, BOB = Principal("a" * 32, admin=False), Principal("b" * 32, admin=False)
PLUGINS = (*BASE, THINGS)
EMPTY = Batch(0, ())


@asynccontextmanager
async def cloud_of(data: Path) -> AsyncIterator[tuple[Running, Events]]:
    async with running(data, plugins=PLUGINS) as cloud:
        yield cloud, cloud.kernel.as_system().use(Events)


def key(name: str) -> str:
    return name.encode().hex().ljust(32, "0")


def thing(name: str, *, size: int = 1) -> Thing:
    return Thing(uuid=key(name), create_date=0, last_op_date=0, name=name, size=size, shiny=False, labels=())


async def make(cloud: Running, name: str, owner: Principal = ALICE, *, size: int = 1) -> None:
    await cloud.kernel.store.write(lambda tx: tx.insert(thing(name, size=size)), owner=owner.account_uuid)
    # Whoever subscribes next hears of it no more.
    await trio.testing.wait_all_tasks_blocked()


async def change(cloud: Running, of: str, /, **fields: Any) -> None:
    await cloud.kernel.store.write(lambda tx: tx.update(tx.require(Thing, key(of)), **fields))


async def remove(cloud: Running, name: str) -> None:
    await cloud.kernel.store.write(lambda tx: tx.delete(Thing, key(name)))


async def share(cloud: Running, name: str, to: Principal | None) -> None:
    row = SharedResource(
        uuid=key(f"s{name}"),
        create_date=0,
        last_op_date=0,
        owner_account_uuid=ALICE.account_uuid,
        to_public=to is None,
        resource_type="ThingVO",
        resource_uuid=key(name),
        receiver_account_uuid=None if to is None else to.account_uuid,
    )
    await cloud.kernel.store.write(lambda tx: tx.insert(row), owner=ALICE.account_uuid)


async def unshare(cloud: Running, name: str) -> None:
    await cloud.kernel.store.write(lambda tx: tx.delete(SharedResource, key(f"s{name}")))


def wants(*resources: str, q: tuple[str, ...] = ()) -> Interest:
    return Interest(resources, tuple(parse_condition(text) for text in q))


async def begun(stream: Subscription) -> Message:
    message = await stream.get()
    assert message is not None
    assert message.event == "ready"
    return message


async def waiting(stream: Subscription) -> list[Message]:
    """Everything that is there for a subscriber."""
    found: list[Message] = []
    await trio.testing.wait_all_tasks_blocked()
    while True:
        with trio.CancelScope() as scope:
            scope.deadline = trio.current_time() + 0.05
            message = await stream.get()
        if scope.cancelled_caught or message is None:
            return found
        found.append(message)


def said(messages: list[Message]) -> list[tuple[str, str]]:
    """Kind and name of each change; of others, the event."""
    found = []
    for message in messages:
        data = json.loads(message.data)
        found.append(
            (data["kind"], data["inventory"].get("name", "?")) if message.event == "change" else (message.event, "")
        )
    return found


def ids(messages: list[Message]) -> list[str]:
    return [str(message.position) for message in messages]


# --- what is told ----------------------------------------------------------------------------------------


async def test_what_comes_changes_and_goes(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        with events.subscribe(SYSTEM, wants("Thing")) as stream:
            first = await begun(stream)
            assert json.loads(first.data) == {"number": events.number}
            await make(cloud, "one")
            await change(cloud, "one", size=5)
            await remove(cloud, "one")
            found = await waiting(stream)
    assert said(found) == [("created", "one"), ("updated", "one"), ("deleted", "one")]
    created, updated, deleted = [json.loads(message.data) for message in found]
    number = created["number"]
    assert number > first.position.number
    assert ids(found) == [f"{number}.1", f"{number + 1}.1", f"{number + 2}.1"]
    assert (updated["fields"], updated["inventory"]["size"], updated["uuid"]) == (["size"], 5, key("one"))
    assert (created["resource"], created["number"], created["fields"]) == ("Thing", number, [])
    assert deleted["inventory"]["size"] == 5
    assert created["at"].endswith("Z")
    assert created["account"] == ALICE.account_uuid


async def test_conditions_make_rows_enter_and_leave(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        with events.subscribe(SYSTEM, wants("thing", q=("size>3", "name!=x"))) as stream:
            await begun(stream)
            await make(cloud, "small")
            await make(cloud, "large", size=9)
            await change(cloud, "small", size=4)
            await change(cloud, "small", size=5)
            await change(cloud, "small", size=1)
            await change(cloud, "large", name="x")
            await remove(cloud, "large")
            await remove(cloud, "small")
            assert said(await waiting(stream)) == [
                ("created", "large"),
                ("entered", "small"),
                ("updated", "small"),
                ("left", "small"),
                ("left", "x"),
            ]


async def test_conditions_may_lead_to_other_rows(tmp_path: Path, autojump_clock: MockClock) -> None:
    async def tag(name: str, text: str) -> None:
        row = UserTag(
            uuid=key(text + name), create_date=0, last_op_date=0, resource_uuid=key(name), resource_type="ThingVO",
            tag=text, type="User",
        )  # fmt: skip
        await cloud.kernel.store.write(lambda tx: tx.insert(row), owner=ALICE.account_uuid)

    async with cloud_of(tmp_path) as (cloud, events):
        await make(cloud, "one")
        await make(cloud, "two")
        await tag("two", "red")
        with events.subscribe(ALICE, wants("Thing", q=("__userTag__=red",))) as stream:
            await begun(stream)
            await tag("one", "blue")
            await tag("one", "red")
            assert said(await waiting(stream)) == [("entered", "one")]
            await change(cloud, "one", size=2)
            await cloud.kernel.store.write(lambda tx: tx.delete(UserTag, key("redone")))
            await change(cloud, "one", size=3)
            await remove(cloud, "two")
            found = said(await waiting(stream))
            assert found[-1] == ("deleted", "two")
            assert ("left", "one") in found
            assert found.count(("updated", "one")) <= 1
            with events.subscribe(BOB, wants("Thing", q=("__userTag__=red",))) as other:
                await begun(other)
                await tag("one", "red")
                assert said(await waiting(other)) == []


async def test_an_account_hears_of_its_own_and_of_what_is_shared(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        with events.subscribe(ALICE, wants()) as alice, events.subscribe(BOB, wants("Thing")) as bob:
            await begun(alice)
            await begun(bob)
            await make(cloud, "hers", ALICE)
            await make(cloud, "his", BOB)
            await change(cloud, "hers", size=2)
            assert said(await waiting(alice)) == [("created", "hers"), ("updated", "hers")]
            assert said(await waiting(bob)) == [("created", "his")]


def remove_shared(tx: Tx) -> None:
    tx.delete(SharedResource, key("shers"))
    tx.delete(Thing, key("hers"))


async def test_what_is_shared_enters_and_what_is_taken_back_leaves(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events):
        await make(cloud, "hers", ALICE)
        with events.subscribe(BOB, wants("Thing")) as bob, events.subscribe(ALICE, wants("Thing")) as alice:
            await begun(bob)
            await begun(alice)
            await share(cloud, "hers", BOB)
            await change(cloud, "hers", size=2)
            await unshare(cloud, "hers")
            await change(cloud, "hers", size=3)
            found = await waiting(bob)
            assert said(found) == [("entered", "hers"), ("updated", "hers"), ("left", "?")]
            assert json.loads(found[-1].data)["inventory"] == {"uuid": key("hers")}
            await share(cloud, "hers", None)
            assert said(await waiting(bob)) == [("entered", "hers")]
            await cloud.kernel.store.write(
                lambda tx: (tx.delete(SharedResource, key("shers")), tx.delete(Thing, key("hers")))
            )
            assert said(await waiting(bob)) == [("deleted", "hers")]
            assert said(await waiting(alice)) == [("updated", "hers"), ("updated", "hers"), ("deleted", "hers")]


# --- resuming --------------------------------------------------------------------------------------------


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


async def test_who_is_slow_gets_a_gap_and_goes_on_and_nobody_waits(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, trio.open_nursery() as nursery:
        kept = cloud.kernel.as_system().use(Events)
        events = Events(cloud.kernel.store, kept._compiler, kept._teller._inventories, backlog=5)
        await nursery.start(events.run)
        with events.subscribe(SYSTEM, wants("Thing")) as slow, events.subscribe(SYSTEM, wants("Thing")) as quick:
            await begun(slow)
            await begun(quick)
            heard: list[tuple[str, str]] = []
            for number in range(12):
                await make(cloud, f"n{number}")
                heard += said(await waiting(quick))
            assert heard == [("created", f"n{number}") for number in range(12)]
            assert said(await waiting(slow)) == [("gap", ""), ("created", "n11")], (
                "the first gap was lost in the second"
            )
            await make(cloud, "later")
            assert said(await waiting(slow)) == [("created", "later")]
        nursery.cancel_scope.cancel()


async def test_more_commits_than_can_be_told_are_a_gap_for_all(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, trio.open_nursery() as nursery:
        kept = cloud.kernel.as_system().use(Events)
        events = Events(cloud.kernel.store, kept._compiler, kept._teller._inventories, batches=2)
        await nursery.start(events.run)
        plain, linked = wants("Thing"), wants("Thing", q=("__userTag__ is null",))
        with events.subscribe(SYSTEM, plain) as stream, events.subscribe(SYSTEM, linked) as other:
            await begun(stream)
            await begun(other)
            feed = cloud.kernel.store.feed
            number = feed.number
            for _ in range(5):
                feed.publish(dataclasses.replace(EMPTY, number=feed.number + 1))
            found = await waiting(stream)
            assert said(found) == [("gap", "")]
            assert found[0].position == Position(number + 5)
            assert said(await waiting(other)) == [("gap", "")]
            await make(cloud, "later")
            assert said(await waiting(stream)) == [("created", "later")]
        nursery.cancel_scope.cancel()


async def test_the_end_of_a_session_is_the_end_of_its_streams(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (cloud, events), cloud.login() as caller:
        [uuid] = [row[0] for row in await cloud.kernel.store.query("SELECT uuid FROM session")]
        principal = dataclasses.replace(SYSTEM, session_uuid=uuid)
        with events.subscribe(principal, wants("Thing")) as stream, events.subscribe(SYSTEM, wants("Thing")) as other:
            await begun(stream)
            await begun(other)
            await caller.send("DELETE", f"/accounts/sessions/{caller.session}")
            assert await stream.get() is None
            await make(cloud, "one")
            assert said(await waiting(other)) == [("created", "one")]
            assert await stream.get() is None


async def test_who_goes_leaves_nothing_behind(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (_, events):
        for interest in (wants(), wants("Thing", q=("size>1",)), wants("Thing", q=("__userTag__=x",))):
            for after in (None, Position(1)):
                with events.subscribe(dataclasses.replace(ALICE, session_uuid="5"), interest, after) as stream:
                    await begun(stream)
                    await waiting(stream)
                    assert events._topics
                assert (events._topics, events._sessions) == ({}, {})


async def test_what_cannot_be_subscribed_to(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with cloud_of(tmp_path) as (_, events):
        for interest, complaint in (
            (wants("Thingy"), "no resource is called"),
            (wants("Session"), "no resource is called"),
            (wants("Thing", q=("colour=red",)), "has no field"),
            (wants("Thing", "Zone", q=("name=x",)), "exactly one resource"),
            (wants(q=("name=x",)), "exactly one resource"),
            (wants("Thing", q=("size=big",)), "whole number"),
        ):
            with pytest.raises(InvalidArgument, match=complaint):
                events.subscribe(SYSTEM, interest)
        with pytest.raises(Unauthenticated):
            events.subscribe(NOBODY, wants())


# --- jobs ------------------------------------------------------------------------------------------------


async def test_jobs_are_told_with_their_steps_and_summed_up_for_who_comes_back(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with cloud_of(tmp_path) as (cloud, events), cloud.login() as caller:
        with events.subscribe(SYSTEM, wants("Job")) as stream, events.subscribe(ALICE, wants()) as alice:
            first = await begun(stream)
            await begun(alice)
            await caller.create("/things", name="one")
            found = [json.loads(message.data) for message in await waiting(stream)]
            assert [each["inventory"]["state"] for each in found] == ["Running", "Succeeded"]
            assert [each["kind"] for each in found] == ["created", "updated"]
            assert all(each["inventory"]["steps"] == [] for each in found)
            assert "result" not in found[-1]["inventory"]
            assert said(await waiting(alice)) == []
        with events.subscribe(SYSTEM, wants("Job"), first.position) as stream:
            await begun(stream)
            [message] = await waiting(stream)
            assert message.position == first.position
            assert json.loads(message.data)["inventory"]["state"] == "Succeeded"
        with events.subscribe(ALICE, wants("Job"), first.position) as stream:
            await begun(stream)
            assert await waiting(stream) == []
