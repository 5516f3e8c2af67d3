"""``/events/ws``: several subscriptions on one connection, and patience with clients that send nonsense."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.api.live import socket
from tests.api.things import THINGS
from tests.running import BASE, running

PLUGINS = (*BASE, THINGS)


async def test_subscriptions_come_and_go(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        running(tmp_path, plugins=PLUGINS) as cloud,
        cloud.login() as admin,
        socket(cloud.app, headers=admin.headers) as client,
    ):
        await client.send({"subscribe": "t", "resource": "Thing", "q": ["size>2"]})
        ready = await client.next()
        assert (ready["subscription"], ready["event"], ready["data"]["number"]) == ("t", "ready", int(ready["id"]))
        await client.send({"subscribe": "z", "resource": ["Zone"]})
        assert (await client.next())["subscription"] == "z"
        await admin.create("/things", name="small")
        thing = await admin.create("/things", name="large", size=3)
        await admin.create("/zones", name="zone")
        told, other = await client.next(), await client.next()
        assert (told["subscription"], told["event"], told["data"]["inventory"]) == ("t", "change", thing)
        assert told["id"] == f"{told['data']['number']}.1"
        assert (other["subscription"], other["data"]["inventory"]["name"]) == ("z", "zone")
        await client.send({"unsubscribe": "t"})
        await admin.create("/things", name="unheard", size=3)
        await admin.create("/zones", name="heard")
        assert (await client.next())["data"]["inventory"]["name"] == "heard"
        await client.send({"subscribe": "t", "resource": "Thing", "q": "size>2", "after": ready["id"]})
        again = [await client.next() for _ in range(3)]
        assert [each["event"] for each in again] == ["ready", "change", "change"]
        assert [each["data"]["inventory"]["name"] for each in again[1:]] == ["large", "unheard"]


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("nonsense", "does not read as JSON"),
        ({"subscribe": 7}, "does not read as JSON of a known form"),
        ({"subscibe": "x"}, "does not read as JSON of a known form"),
        ({}, 'send {"subscribe"'),
        ({"subscribe": "x", "unsubscribe": "x"}, 'send {"subscribe"'),
        ({"subscribe": "x" * 101}, 'send {"subscribe"'),
        ({"subscribe": "x", "resource": "Thingy"}, "no resource is called [Thingy]"),
        ({"subscribe": "x", "resource": "Thing", "q": ["size"]}, "any query operator"),
        ({"subscribe": "x", "after": "soon"}, "is no event's id"),
        ({"subscribe": "taken"}, "there is a subscription [taken] already"),
        ({"unsubscribe": "x"}, "there is no subscription [x]"),
    ],
)
async def test_a_bad_message_is_explained_and_the_connection_stays(
    tmp_path: Path, autojump_clock: MockClock, message: object, complaint: str
) -> None:
    async with (
        running(tmp_path, plugins=PLUGINS) as cloud,
        cloud.login() as admin,
        socket(cloud.app, headers=admin.headers) as client,
    ):
        await client.send({"subscribe": "taken", "resource": "Thing"})
        await client.next()
        await client.send(message)
        answer = await client.next()
        assert answer["event"] == "error"
        assert complaint in answer["error"]
        await admin.create("/things", name="one")
        assert (await client.next())["event"] == "change"


async def test_who_may_not_connect(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        for headers in ({}, {"authorization": "OAuth " + "f" * 32}):
            async with socket(cloud.app, headers=headers) as client:
                assert (await client.next())["closed"] == 1008


async def test_the_end_of_the_session_closes_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin, cloud.login() as other:
        async with socket(cloud.app, headers=admin.headers) as client:
            await client.send({"subscribe": "t", "resource": "Thing"})
            await client.next()
            await other.send("DELETE", f"/accounts/sessions/{admin.session}")
            assert (await client.next())["closed"] == 1008
        async with socket(cloud.app, headers=other.headers) as client:
            found = await client.next()
            while found == {"event": "heartbeat"}:
                found = await client.next()
            assert found["closed"] == 1008, "it was silent until it expired"


async def test_silence_is_filled_with_heartbeats(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        running(tmp_path, plugins=PLUGINS) as cloud,
        cloud.login() as admin,
        socket(cloud.app, headers=admin.headers) as client,
    ):
        began = trio.current_time()
        assert await client.next() == {"event": "heartbeat"}
        assert trio.current_time() - began == pytest.approx(15.0)


async def test_one_connection_takes_so_many_subscriptions(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        running(tmp_path, plugins=PLUGINS) as cloud,
        cloud.login() as admin,
        socket(cloud.app, headers=admin.headers) as client,
    ):
        for number in range(101):
            await client.send({"subscribe": f"s{number}", "resource": "Thing"})
        found = [await client.next() for _ in range(101)]
        assert [each["error"] for each in found if each["event"] == "error"] == [
            "one connection takes 100 subscriptions; open another one"
        ]
