"""The history of a resource as its door tells it: to whom, of what, page by page."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.api.things import THINGS
from tests.running import BASE, Caller, Running, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.history.plugin import plugin as history
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT

PLUGINS = (*BASE, dataclasses.replace(history, tasks=()), THINGS)
ALICE = "a" * 32


@asynccontextmanager
async def people(data: Path) -> AsyncIterator[tuple[Running, Caller, Caller]]:
    async with running(data, plugins=PLUGINS) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="alice", password=client_hash("alice"), resourceUuid=ALICE)
        async with cloud.login("alice", "alice") as alice:
            yield cloud, admin, alice


async def told(caller: Caller, uuid: str, **params: Any) -> list[dict[str, Any]]:
    answer = await caller.send("GET", f"/appliance/history/{uuid}", params=params)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


async def refused(caller: Caller, uuid: str) -> str:
    answer = await caller.send("GET", f"/appliance/history/{uuid}")
    assert answer.status_code == 503, answer.text
    return str(answer.json()["error"]["code"])


async def rename(caller: Caller, uuid: str, **fields: object) -> None:
    await caller.do("PUT", f"/things/{uuid}/actions", {"updateThing": fields})


async def test_who_did_what_when_and_by_which_call(tmp_path: Path) -> None:
    async with people(tmp_path) as (_, admin, alice):
        uuid = (await alice.create("/things", name="one", size=3))["uuid"]
        await rename(admin, uuid, name="two")
        await alice.do("DELETE", f"/things/{uuid}")
        deleted, updated, created = await told(admin, uuid)
    assert (created["kind"], updated["kind"], deleted["kind"]) == ("created", "updated", "deleted")
    assert created["number"] < updated["number"] < deleted["number"]
    assert (created["account"], created["accountName"]) == (ALICE, "alice")
    assert (updated["account"], updated["accountName"]) == (ADMIN_ACCOUNT, "admin")
    assert updated["api"] == "org.zstack.test.APIUpdateThingMsg"
    assert len(updated["job"]) == 32
    assert updated["fields"] == ["name"]
    assert (updated["before"]["name"], updated["after"]["name"]) == ("one", "two")
    assert ("before" in created, "after" in deleted) == (False, False)
    assert (created["resource"], created["after"]["size"], deleted["before"]["name"]) == ("Thing", 3, "two")
    assert re.fullmatch(r"2023-11-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created["at"])


async def test_an_account_is_told_of_what_is_or_was_its_own(tmp_path: Path) -> None:
    async with people(tmp_path) as (_, admin, alice):
        own = (await alice.create("/things", name="own"))["uuid"]
        others = (await admin.create("/things", name="others"))["uuid"]
        zone = (await admin.create("/zones", name="zone"))["uuid"]
        assert [entry["kind"] for entry in await told(alice, own)] == ["created"]
        assert await refused(alice, others) == "SYS.1003"
        await alice.do("DELETE", f"/things/{own}")
        await admin.do("DELETE", f"/things/{others}")
        assert [entry["kind"] for entry in await told(alice, own)] == ["deleted", "created"]
        assert await refused(alice, others) == "SYS.1003"
        assert len(await told(admin, others)) == 2
        assert len(await told(alice, zone)) == 1, "everybody may read zones"
        assert "accountName" not in (await told(alice, zone))[0]
        assert await refused(admin, "f" * 32) == "SYS.1003"


async def test_pages(tmp_path: Path) -> None:
    async with people(tmp_path) as (_, _admin, alice):
        uuid = (await alice.create("/things", name="0"))["uuid"]
        for number in range(1, 7):
            await rename(alice, uuid, name=str(number))
        seen: list[str] = []
        before: int | None = None
        while True:
            params = {"limit": 3} if before is None else {"limit": 3, "before": before}
            page = (await alice.send("GET", f"/appliance/history/{uuid}", params=params)).json()
            seen += [entry["after"]["name"] for entry in page["entries"]]
            assert len(page["entries"]) <= 3
            if "next" not in page:
                break
            before = page["next"]
    assert seen == list("6543210")


async def test_passwords_never_show(tmp_path: Path) -> None:
    async with people(tmp_path) as (_, admin, alice):
        await alice.do("PUT", f"/accounts/{ALICE}", {"updateAccount": {"password": client_hash("better")}})
        answer = await admin.send("GET", f"/appliance/history/{ALICE}")
        assert "password" not in answer.text
        assert "argon2" not in answer.text
        assert [entry["kind"] for entry in answer.json()["entries"]] == ["created"]


async def test_the_name_of_an_account_that_is_gone(tmp_path: Path) -> None:
    async with people(tmp_path) as (_, admin, alice):
        uuid = (await alice.create("/things", name="one"))["uuid"]
        await admin.do("DELETE", f"/accounts/{ALICE}")
        assert (await told(admin, uuid))[-1]["accountName"] == "alice"


async def test_it_outlives_a_restart(tmp_path: Path) -> None:
    async with people(tmp_path) as (_, admin, alice):
        uuid = (await alice.create("/things", name="one"))["uuid"]
        before = await told(admin, uuid)
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        assert await told(admin, uuid) == before
