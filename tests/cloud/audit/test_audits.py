"""Every call that changes something is written down: who, from where, what, how it ended; and forgotten in time."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from tests.api.things import THINGS, CreateThing, Thing
from tests.running import BASE, PASSWORD, Caller, Running, running
from zstack_appliance.cloud.account.messages import LogOut
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.audit import retention
from zstack_appliance.cloud.audit.plugin import plugin as audit
from zstack_appliance.cloud.job.plugin import plugin as job
from zstack_appliance.kernel.audit import Audit, Audits
from zstack_appliance.kernel.errors import NotFound
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, SYSTEM
from zstack_appliance.kernel.store import Tx

PLUGINS = (*BASE, THINGS, job, dataclasses.replace(audit, singletons=()))
ALICE = "a" * 32


@asynccontextmanager
async def people(data: Path) -> AsyncIterator[tuple[Running, Caller, Caller]]:
    async with running(data, plugins=PLUGINS) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="alice", password=client_hash("alice"), resourceUuid=ALICE)
        async with cloud.login("alice", "alice") as alice:
            yield cloud, admin, alice


async def audits(caller: Caller, *conditions: str) -> list[dict[str, Any]]:
    await trio.sleep(1)
    return await caller.query("/appliance/audits", *conditions, sort="+createDate")


def name_of(row: dict[str, Any]) -> str:
    return str(row["api"]).rsplit(".", 1)[1]


async def test_a_call_that_becomes_a_job(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (_, admin, alice):
        uuid = (await alice.create("/things", name="one"))["uuid"]
        await alice.do("PUT", f"/things/{uuid}/actions", {"waitForThing": {"seconds": 3}})
        await alice.call("PUT", f"/things/{uuid}/actions", {"refuseThing": {}})
        await alice.call("POST", "/things", {"params": {"name": "two", "size": 1000}})
        rows = await audits(admin, f"accountUuid={ALICE}", "api!~=%LogIn%")
    [created, wrong] = [row for row in rows if name_of(row) == "APICreateThingMsg"]
    [waited] = [row for row in rows if name_of(row) == "APIWaitForThingMsg"]
    [refused] = [row for row in rows if name_of(row) == "APIRefuseThingMsg"]
    if wrong["success"]:
        created, wrong = wrong, created
    assert {row["resourceUuid"] for row in (created, waited, refused)} == {uuid}
    assert (created["success"], refused["success"], wrong["success"]) == (True, False, False)
    assert (refused["error"], wrong["error"], "error" in created) == ("VM.1010", "SYS.1007", False)
    assert 2900 <= waited["duration"] <= 3100
    assert created["source"] == "127.0.0.1"
    assert created["jobUuid"] == created["uuid"]
    assert '"name":"one"' in created["request"]


async def test_logins_good_and_bad_without_their_passwords(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, alice):
        async with cloud.client() as client:
            body = {"logInByAccount": {"accountName": "alice", "password": client_hash("wrong")}}
            assert (await client.put("/zstack/v1/accounts/login", json=body)).status_code == 503
        await alice.send("DELETE", f"/accounts/sessions/{alice.session}")
        rows = await audits(admin, "api~=%Log%")
        text = str(rows)
        async with cloud.login("alice", "alice") as again:
            own = await audits(again)
    good = [row for row in rows if row["success"] and name_of(row) == "APILogInByAccountMsg"]
    [bad] = [row for row in rows if not row["success"]]
    assert {row["accountUuid"] for row in good} == {ADMIN_ACCOUNT, ALICE}
    assert ("accountUuid" in bad, bad["error"]) == (False, "ID.1000")
    assert '"accountName":"alice"' in bad["request"]
    assert [name_of(row) for row in rows if "LogOut" in row["api"]] == ["APILogOutMsg"]
    for secret in (client_hash("wrong"), client_hash("alice"), client_hash(PASSWORD), alice.session):
        assert secret not in text
    assert {row["accountUuid"] for row in own} == {ALICE}, "an account sees its own alone"


async def test_reading_is_not_written_down(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (_, admin, alice):
        before = len(await audits(admin))
        await alice.query("/things")
        await alice.send("GET", f"/accounts/sessions/{alice.session}/valid")
        assert len(await audits(admin)) == before


async def test_a_call_that_runs_has_no_end_yet_and_gets_one_after_a_crash(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with people(tmp_path) as (_, admin, alice):
        uuid = (await alice.create("/things", name="one"))["uuid"]
        await alice.send("PUT", f"/things/{uuid}/actions", {"waitForThing": {"seconds": 1000}})
        [row] = await audits(admin, "api~=%WaitForThing%")
        assert ("success" in row, "duration" in row) == (False, False)
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        [row] = await audits(admin, "api~=%WaitForThing%")
        assert (row["success"], row["error"]) == (False, "SYS.1012")


async def test_many_logins_share_a_commit(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, _, _alice):
        await trio.sleep(2)
        before = cloud.kernel.store.count(Audit)
        async with cloud.client() as client:
            body = {"logInByAccount": {"accountName": "nobody", "password": client_hash("x")}}
            for _ in range(50):
                await client.put("/zstack/v1/accounts/login", json=body)
        assert cloud.kernel.store.count(Audit) == before, "none is written by itself"
        await trio.sleep(1)
        assert cloud.kernel.store.count(Audit) == before + 50


async def test_failed_logins_that_wait_are_written_at_the_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    wrong = {"logInByAccount": {"accountName": "nobody", "password": client_hash("x")}}
    async with people(tmp_path) as (cloud, _, _alice), cloud.client() as client:
        await client.put("/zstack/v1/accounts/login", json=wrong)
        assert cloud.kernel.store.count(Audit, success=False) == 0
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        assert cloud.kernel.store.count(Audit, success=False) == 1


async def test_what_a_call_changes_and_its_audit_are_one_commit(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, _, alice):
        store = cloud.kernel.store
        seen: list[list[str | None]] = []
        with store.feed.listening(lambda _: seen.append([row.account_uuid for row in store.find(Audit, success=True)])):
            await alice.send("DELETE", f"/accounts/sessions/{alice.session}")
            await alice.login("alice", "alice")
        assert [row.count(ALICE) for row in seen] == [2, 3], "each is there once its change is seen"


async def test_what_is_done_without_a_change_is_written_down_before_its_answer(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with people(tmp_path) as (cloud, _, alice):
        uuid = (await alice.create("/things", name="one"))["uuid"]
        begun = await alice.send("PUT", f"/things/{uuid}/actions", {"waitForThing": {"seconds": 1000}})
        path = f"/appliance/jobs/{begun.json()['location'].rsplit('/', 1)[1]}/actions"
        await alice.send("PUT", path, {"cancelJob": {}})
        [row] = [row for row in cloud.kernel.store.find(Audit) if row.api.endswith("APICancelJobMsg")]
        assert row.success


async def test_a_call_that_fails_after_its_change_is_not_told_as_done(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        kernel = cloud.kernel
        noted = kernel.services[Audits].begin(LogOut(), SYSTEM)
        acting = dataclasses.replace(kernel.as_system(), noted=noted)
        for thing in [acting.draft(Thing, CreateThing(name=name)) for name in ("one", "two")]:
            await acting.write(partial(Tx.insert, row=thing))
        assert kernel.store.require(Audit, noted.row.uuid).success
        kernel.services[Audits].failed(noted, NotFound("it has gone"))
        await trio.sleep(1)
        row = kernel.store.require(Audit, noted.row.uuid)
        assert (row.success, row.error) == (False, NotFound.code)


async def test_old_ones_and_too_many_are_forgotten(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, _):
        system = cloud.kernel.as_system()
        cloud.kernel.configs.put("audit.days", "1")
        await trio.sleep(1)
        assert await retention.forget_due(system) == 0
        old = cloud.kernel.store.count(Audit)
        await trio.sleep(2 * 24 * 3600)
        await admin.login("admin", PASSWORD)
        for number in range(120):
            await admin.create("/things", name=f"n{number}")
        await trio.sleep(1)
        assert await retention.forget_due(system) == old
        cloud.kernel.configs.put("audit.rows", "100")
        assert await retention.forget_due(system) == 21
        assert cloud.kernel.store.count(Audit) == 100
