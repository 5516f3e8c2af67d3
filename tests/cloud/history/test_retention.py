"""What is old or too much is forgotten, in bounded writes, and the rest stays."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import trio
from trio.testing import MockClock

from tests.api.things import THINGS
from tests.running import BASE, running
from zstack_appliance.cloud.history import retention
from zstack_appliance.cloud.history.plugin import plugin as history
from zstack_appliance.kernel.store import changelog

PLUGINS = (*BASE, dataclasses.replace(history, tasks=()), THINGS)


async def test_by_days(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        await admin.create("/things", name="old")
        system = cloud.kernel.as_system()
        cloud.kernel.configs.put("history.days", "1")
        assert await retention.forget_due(system) == 0
        await trio.sleep(2 * 24 * 3600)
        before = cloud.kernel.store.feed.number
        await admin.login("admin", "correct horse battery")
        made = await admin.create("/things", name="new")
        assert await retention.forget_due(system) > 0
        assert await cloud.kernel.store.read(changelog.floor) <= before
        assert (await admin.send("GET", f"/appliance/history/{made['uuid']}")).status_code == 200
        [(oldest,)] = await cloud.kernel.store.query("SELECT min(number) FROM kernel_change")
        assert oldest > before


async def test_by_number_in_bounded_writes(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        system = cloud.kernel.as_system()
        uuid = (await admin.create("/things", name="0"))["uuid"]
        for number in range(250):
            await admin.do("PUT", f"/things/{uuid}/actions", {"updateThing": {"name": f"n{number}"}})
        cloud.kernel.configs.put("history.rows", "100")
        assert await retention.forget_due(system) > 150
        assert await cloud.kernel.store.query("SELECT count(*) FROM kernel_change") == [(100,)]
        entries = (await admin.send("GET", f"/appliance/history/{uuid}", params={"limit": 1000})).json()["entries"]
        assert len(entries) == 100
        assert entries[0]["after"]["name"] == "n249"
