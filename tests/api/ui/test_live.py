"""The stream of changes: who is told of what, and what a page is told to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
from starlette.requests import Request

from tests.api.ui.site import signed_in
from tests.running import PASSWORD, Running
from zstack_appliance.api.ui import live
from zstack_appliance.api.ui.live import MOST, event_of
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, Principal
from zstack_appliance.kernel.store.feed import Batch, Change


class Bare:
    """What of `Inside` the stream looks at."""

    def __init__(self, cloud: Running) -> None:
        self.portal = cloud.portal


def visit(cloud: Running, account: str, *, admin: bool) -> Visit:
    """Somebody who listens."""
    request = Request({"type": "http", "headers": [], "path": "/ui/live", "query_string": b""})
    return Visit(Bare(cloud), request, Principal(account, admin=admin))  # type: ignore[arg-type]


def rows(event: str) -> list[list[str]]:
    """What an event names."""
    if not event:
        return []
    assert event.startswith("event: rows\ndata: ")
    found: list[list[str]] = msgspec.json.decode(event.partition("data: ")[2])
    return found


async def test_everybody_is_told_of_what_they_may_see_and_of_nothing_else(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with signed_in(tmp_path) as (cloud, _), cloud.login() as admin:
        bob = await admin.create("/accounts", name="bob", password=client_hash(PASSWORD))
        heard: list[Change] = []
        with cloud.kernel.store.feed.listening(lambda batch: heard.extend(batch.changes)):
            zone = await admin.create("/zones", name="z")
            theirs = await admin.create("/disk-offerings", name="theirs", diskSize=2**30)
            async with cloud.login("bob") as his:
                mine = await his.create("/disk-offerings", name="d", diskSize=2**30)
            await admin.do("DELETE", f"/zones/{zone['uuid']}")
        as_admin = rows(event_of(visit(cloud, ADMIN_ACCOUNT, admin=True), heard))
        as_bob = rows(event_of(visit(cloud, bob["uuid"], admin=False), heard))
        assert ["zone", zone["uuid"], "+"] in as_admin
        assert ["zone", zone["uuid"], "-"] in as_admin
        assert ["disk_offering", mine["uuid"], "+"] in as_bob
        assert ["zone", zone["uuid"], "+"] in as_bob, "everybody may see zones"
        assert ["disk_offering", theirs["uuid"], "+"] in as_admin
        assert not [row for row in as_bob if row[1] == theirs["uuid"]]


async def test_too_many_rows_at_once_are_read_afresh(tmp_path: Path, autojump_clock: object) -> None:
    async with signed_in(tmp_path) as (cloud, _), cloud.login() as admin:
        batches: list[Batch] = []
        with cloud.kernel.store.feed.listening(batches.append):
            await admin.create("/zones", name="z")
        one = next(change for batch in batches for change in batch.changes if change.table == "zone")
        looking = visit(cloud, ADMIN_ACCOUNT, admin=True)
        assert event_of(looking, [one] * MOST).startswith("event: rows")
        assert event_of(looking, [one] * (MOST + 1)) == "event: resync\ndata: {}\n\n"
        assert event_of(looking, []) == ""
        assert live.STREAM == "text/event-stream"
