"""The stream of changes: who is told of what, and what a page is told to do."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
import trio
from starlette.requests import Request

from tests.api.ui.site import signed_in
from tests.running import PASSWORD, Running
from zstack_appliance.api.auth import Callers
from zstack_appliance.api.ui.live import live_stream, text_of, told
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.sessions import Sessions
from zstack_appliance.kernel.errors import Unauthenticated
from zstack_appliance.kernel.events.message import About, Message, Position, gap, ready
from zstack_appliance.kernel.events.service import Events, Subscription
from zstack_appliance.kernel.events.topic import Interest
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, Principal
from zstack_appliance.kernel.world import TrioClock


@dataclass
class Bare:
    """What of `Inside` the stream looks at."""

    events: Events
    callers: Callers


def visit(cloud: Running, session: str = "") -> Visit:
    """Somebody who listens."""
    headers = [(b"cookie", f"zstack-session={session}".encode())] if session else []
    request = Request({"type": "http", "headers": headers, "path": "/ui/live", "query_string": b""})
    callers = Callers(Sessions(cloud.kernel.store, TrioClock(0)))
    inside = Bare(cloud.kernel.services[Events], callers)
    principal = callers.of_session(request, session or None)
    return Visit(inside, request, principal, inside.events.number)  # type: ignore[arg-type]


async def rows(stream: Subscription) -> list[list[str]]:
    """What is named until nothing more comes."""
    found: list[list[str]] = []
    with trio.move_on_after(1):
        while (message := await stream.get()) is not None:
            text = text_of([message, *stream.waiting()])
            found += msgspec.json.decode(text.partition("data: ")[2]) if text.startswith("event: rows\n") else []
    return found


async def test_everybody_is_told_of_what_they_may_see_and_of_nothing_else(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (cloud, _), cloud.login() as admin:
        bob = await admin.create("/accounts", name="bob", password=client_hash(PASSWORD))
        events = cloud.kernel.services[Events]
        with (
            events.subscribe(Principal(ADMIN_ACCOUNT, admin=True), Interest()) as of_admin,
            events.subscribe(Principal(bob["uuid"], admin=False), Interest()) as of_bob,
        ):
            before = (await rows(of_admin), await rows(of_bob))
            assert before[1] == [], "the account itself was made before anybody listened"
            zone = await admin.create("/zones", name="z")
            theirs = await admin.create("/disk-offerings", name="theirs", diskSize=2**30)
            async with cloud.login("bob") as his:
                mine = await his.create("/disk-offerings", name="d", diskSize=2**30)
            await admin.do("DELETE", f"/zones/{zone['uuid']}")
            as_admin, as_bob = await rows(of_admin), await rows(of_bob)
        assert ["zone", zone["uuid"], "+"] in as_admin
        assert ["zone", zone["uuid"], "-"] in as_admin
        assert ["disk_offering", mine["uuid"], "+"] in as_bob
        assert ["zone", zone["uuid"], "+"] in as_bob, "everybody may see zones"
        assert ["disk_offering", theirs["uuid"], "+"] in as_admin
        assert not [row for row in as_bob if row[1] == theirs["uuid"]]


def test_a_page_that_fell_behind_reads_afresh() -> None:
    assert text_of([ready(Position(1), 1), gap(3, "too much")]) == (
        "event: hello\nid: 1\ndata: {}\n\nevent: resync\nid: 3\ndata: {}\n\n"
    )


def test_what_comes_together_is_told_together_and_once() -> None:
    def change(key: str, kind: str) -> Message:
        return Message("change", Position(2, 5), dict, About("zone", key, kind))

    together = [ready(Position(1), 1), *(change("a", kind) for kind in ("created", "updated", "updated", "left"))]
    assert text_of(together) == (
        "event: hello\nid: 1\ndata: {}\n\n"
        'event: rows\nid: 2.5\ndata: [["zone","a","+"],["zone","a","="],["zone","a","-"]]\n\n'
    )


async def test_a_stream_goes_on_until_its_session_ends(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, _), cloud.login() as admin:
        await admin.create("/accounts", name="bob", password=client_hash(PASSWORD))
        async with cloud.login("bob") as his:
            looks = visit(cloud, str(his.session))
            stream = told(looks, looks.inside.events.subscribe(looks.principal, Interest()))
            async with aclosing(stream):
                assert await anext(stream) == "retry: 2000\n\n"
                assert (await anext(stream)).startswith("event: hello\nid: ")
                assert (await anext(stream)).startswith(("event: rows", ": still here"))
                await admin.do("DELETE", f"/accounts/sessions/{his.session}")
                assert [text async for text in stream][-1] == "event: signed-out\ndata: {}\n\n"


async def test_without_a_session_there_is_no_stream(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, _):
        with pytest.raises(Unauthenticated):
            await live_stream(visit(cloud))
