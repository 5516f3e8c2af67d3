"""What subscribers are told: of what, to whom, and that nobody waits for anybody."""

from __future__ import annotations

import dataclasses
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
    EMPTY,
    PLUGINS,
    begun,
    change,
    cloud_of,
    ids,
    key,
    make,
    remove,
    said,
    share,
    unshare,
    waiting,
    wants,
)
from tests.running import running
from zstack_appliance.kernel.errors import InvalidArgument, Unauthenticated
from zstack_appliance.kernel.events.message import Position
from zstack_appliance.kernel.events.service import Events
from zstack_appliance.kernel.principal import NOBODY, SYSTEM
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tag import UserTag


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
