"""``GET /events``: the text of the stream, who may read it, where it resumes and when it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.api.live import event_stream
from tests.api.things import THINGS
from tests.running import BASE, running

PLUGINS = (*BASE, THINGS)


async def test_a_stream(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        running(tmp_path, plugins=PLUGINS) as cloud,
        cloud.login() as admin,
        event_stream(cloud.app, headers=admin.headers, params=[("resource", "Thing")]) as stream,
    ):
        assert stream.status == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        ready = await stream.next()
        assert ready is not None
        assert (ready.event, ready.data["number"]) == ("ready", int(ready.id))
        thing = await admin.create("/things", name="one")
        told = await stream.next()
        assert told is not None
        assert (told.event, told.data["kind"], told.data["inventory"]) == ("change", "created", thing)
        assert told.id == f"{told.data['number']}.1"
        assert len(told.data["job"]) == 32


async def test_resuming_by_header_and_by_parameter(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        things = [("resource", "Thing"), ("q", "size>2")]
        async with event_stream(cloud.app, headers=admin.headers, params=things) as stream:
            first = await stream.next()
            assert first is not None
        await admin.create("/things", name="small")
        await admin.create("/things", name="large", size=3)
        for headers, after in (({"last-event-id": first.id}, []), ({}, [("after", first.id)])):
            async with event_stream(cloud.app, headers=admin.headers | headers, params=things + after) as stream:
                again = await stream.next()
                assert again is not None
                assert (again.event, again.id) == ("ready", first.id)
                told = await stream.next()
                assert told is not None
                assert told.data["inventory"]["name"] == "large"


async def test_silence_is_filled_with_comments(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        running(tmp_path, plugins=PLUGINS) as cloud,
        cloud.login() as admin,
        event_stream(cloud.app, headers=admin.headers, params=[("resource", "Thing")]) as stream,
    ):
        await stream.next()
        await trio.sleep(50)
        await admin.create("/things", name="one")
        told = await stream.next()
        assert told is not None
        assert told.event == "change"
        assert stream.comments == 3


async def test_a_session_that_expires_or_logs_out_ends_the_stream(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin, cloud.login() as other:
        async with event_stream(cloud.app, headers=admin.headers) as stream:
            await stream.next()
            await other.send("DELETE", f"/accounts/sessions/{admin.session}")
            assert await stream.next() is None
        async with event_stream(cloud.app, headers=other.headers, params=[("resource", "Zone")]) as stream:
            await stream.next()
            began = trio.current_time()
            assert await stream.next() is None
            assert 7199 <= trio.current_time() - began <= 7216


@pytest.mark.parametrize(
    ("headers", "params", "status", "complaint"),
    [
        ({}, [], 400, "missing header 'Authorization'"),
        ({"authorization": "OAuth " + "f" * 32}, [], 401, "Session expired"),
        (None, [("resource", "Thingy")], 400, "no resource is called [Thingy]; there are Account"),
        (None, [("resource", "Thing"), ("q", "size")], 400, "doesn't contain any query operator"),
        (None, [("resource", "Thing"), ("q", "colour=red")], 400, "has no field[colour]"),
        (None, [("q", "size=1")], 400, "exactly one resource"),
        (None, [("after", "yesterday")], 400, "is no event's id"),
        (None, [("ressource", "Thing")], 400, "there is no parameter [ressource]"),
    ],
)
async def test_what_is_refused(
    tmp_path: Path, autojump_clock: MockClock, headers: dict[str, str] | None, params: Any, status: int, complaint: str
) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        given = admin.headers if headers is None else headers
        async with event_stream(cloud.app, headers=given, params=params) as stream:
            text = await stream.text()
    assert stream.status == status
    assert complaint in (json.loads(text)["error"]["details"] if text.startswith("{") else text)
