"""Log in and out, through the door."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.running import BASE, PASSWORD, Caller, at_once, running
from zstack_appliance.cloud.account.passwords import Passwords, client_hash
from zstack_appliance.cloud.account.schema import Account, Session
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT


def body(name: str = "admin", password: str = PASSWORD) -> dict[str, object]:
    return {"logInByAccount": {"accountName": name, "password": client_hash(password), "clientInfo": {"a": "b"}}}


async def test_a_login_answers_a_session(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        answer = await client.put("/zstack/v1/accounts/login", json=body())
        assert answer.status_code == 200
        inventory = answer.json()["inventory"]
        assert len(inventory.pop("uuid")) == 32
        assert inventory == {
            "accountUuid": ADMIN_ACCOUNT,
            "userUuid": ADMIN_ACCOUNT,
            "createDate": "Nov 14, 2023 10:13:20 PM",
            "expiredDate": "Nov 15, 2023 12:13:20 AM",
        }


@pytest.mark.parametrize(("name", "password"), [("admin", "wrong"), ("nobody", PASSWORD)])
async def test_a_wrong_name_or_password_is_one_answer(tmp_path: Path, name: str, password: str) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        answer = await client.put("/zstack/v1/accounts/login", json=body(name, password))
        assert answer.status_code == 503
        error = answer.json()["error"]
        assert (error["code"], error["details"]) == ("ID.1000", "wrong account name or password")
        assert cloud.kernel.store.find(Session) == []


async def test_the_password_itself_is_no_password(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        plain = {"logInByAccount": {"accountName": "admin", "password": PASSWORD}}
        assert (await client.put("/zstack/v1/accounts/login", json=plain)).status_code == 503


async def test_guessing_gets_slow(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        for _ in range(5):
            await client.put("/zstack/v1/accounts/login", json=body(password="wrong"))
        right_but_early = await client.put("/zstack/v1/accounts/login", json=body())
        assert right_but_early.json()["error"]["details"] == "too many failed logins from here; try again in 1 s"
        await trio.sleep(1)
        assert (await client.put("/zstack/v1/accounts/login", json=body())).status_code == 200


async def test_typing_errors_before_a_right_password_are_forgiven(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        for _ in range(3):
            for _ in range(4):
                await client.put("/zstack/v1/accounts/login", json=body(password="wrong"))
            assert (await client.put("/zstack/v1/accounts/login", json=body())).status_code == 200


async def test_a_password_that_changes_during_a_login_counts(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        system = cloud.kernel.as_system()
        passwords = system.use(Passwords)

        class Interrupted(Passwords):
            """Somebody sets another password while this one is checked."""

            async def matches(self, stored: str | None, given: str) -> bool:
                found = await passwords.matches(stored, given)
                await system.write(lambda tx: tx.update(tx.require(Account, ADMIN_ACCOUNT), password="another"))
                return found

        cloud.kernel.services[Passwords] = Interrupted(at_once)
        answer = await client.put("/zstack/v1/accounts/login", json=body())
        assert answer.json()["error"]["code"] == "ID.1000"
        assert cloud.kernel.store.find(Session) == []


async def test_a_session_is_valid_until_it_is_ended(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin, cloud.client() as stranger:
        path = f"/zstack/v1/accounts/sessions/{admin.session}"
        assert (await stranger.get(f"{path}/valid")).json() == {"valid": True}
        ended = await stranger.delete(f"{path}?deleteMode=")
        assert (ended.status_code, ended.json()) == (200, {})
        assert (await stranger.get(f"{path}/valid")).json() == {"valid": False}
        assert (await stranger.delete(path)).status_code == 200
        assert (await admin.refused("GET", "/zones"))["code"] == "ID.1001"


async def test_a_session_is_renewed_by_its_own_account_alone(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="alice", password=client_hash("a"))
        await trio.sleep(7000)
        async with cloud.login("alice", "a") as alice:
            path = f"/accounts/sessions/{admin.session}/renew"
            assert (await alice.refused("PUT", path, {"renewSession": {}}))["code"] == "ID.1001"
            renewed = await admin.do("PUT", path, {"renewSession": {"duration": 9000}})
            assert renewed["expiredDate"] == "Nov 15, 2023 2:40:00 AM"
            await trio.sleep(7100)
            assert (await admin.send("GET", "/zones")).status_code == 200
            path = f"/accounts/sessions/{alice.session}/renew"
            await admin.do("PUT", path, {"renewSession": {}})
            await trio.sleep(7100)
            assert (await alice.send("GET", "/zones")).status_code == 200


async def test_what_anybody_may_poll_does_not_name_the_session(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        answer = await admin.call("PUT", f"/accounts/sessions/{admin.session}/renew", {"renewSession": {}})
        assert answer.status_code == 200
        assert admin.session not in answer.text
        await admin.call("PUT", f"/accounts/sessions/{admin.session}/renew", {"renewSession": {"duration": 1}})
        for job in cloud.kernel.store.find(Job):
            assert admin.session not in repr(job)


async def set_config(admin: Caller, name: str, value: str) -> None:
    path = f"/global-configurations/identity/{name}/actions"
    await admin.do("PUT", path, {"updateGlobalConfig": {"value": value}})


async def test_an_account_has_a_bounded_number_of_sessions(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        await set_config(admin, "session.maxConcurrent", "2")
        async with cloud.login() as second, cloud.client() as client:
            full = await client.put("/zstack/v1/accounts/login", json=body())
            assert full.json()["error"]["code"] == "ID.1006"
            await client.delete(f"/zstack/v1/accounts/sessions/{second.session}")
            assert (await client.put("/zstack/v1/accounts/login", json=body())).status_code == 200
            await trio.sleep(7200)
            assert (await client.put("/zstack/v1/accounts/login", json=body())).status_code == 200, "expired"


async def test_a_login_may_end_the_others(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        await set_config(admin, "enable.unique.session", "true")
        async with cloud.login() as second:
            assert (await admin.refused("GET", "/zones"))["code"] == "ID.1001"
            assert (await second.send("GET", "/zones")).status_code == 200


async def test_expired_sessions_are_removed(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        await admin.do("PUT", f"/accounts/sessions/{admin.session}/renew", {"renewSession": {"duration": 31536000}})
        async with cloud.login():
            assert cloud.kernel.store.count(Session) == 2
            await trio.sleep(7201 + 3600)
            assert cloud.kernel.store.count(Session) == 1


async def test_sessions_outlive_a_restart(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        headers = admin.headers
    async with running(tmp_path, plugins=BASE) as cloud, cloud.client() as client:
        assert (await client.get("/zstack/v1/zones", headers=headers)).status_code == 200
