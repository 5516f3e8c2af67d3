"""Accounts through the door: who may do what to whom."""

from __future__ import annotations

from pathlib import Path

from tests.api.things import THINGS
from tests.running import BASE, Caller, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.schema import Account, Session
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT

SECRETS = ("a" * 128, "b" * 128)


async def make(admin: Caller, name: str, password: str = "a") -> str:
    account = await admin.create("/accounts", name=name, password=client_hash(password), description="d")
    uuid: str = account["uuid"]
    return uuid


async def test_an_account_as_its_inventory_has_it(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        made = await admin.create("/accounts", name="alice", password=client_hash("a"), resourceUuid="1" * 32)
        assert set(made) == {"uuid", "name", "type", "createDate", "lastOpDate"}
        assert (made["uuid"], made["name"], made["type"]) == ("1" * 32, "alice", "Normal")
        assert await admin.query("/accounts", "name=alice") == [made]
        boss = await admin.create("/accounts", name="boss", password=client_hash("b"), type="SystemAdmin")
        async with cloud.login("boss", "b") as second:
            assert {account["name"] for account in await second.query("/accounts")} == {"admin", "alice", "boss"}
            await second.do("DELETE", f"/accounts/{made['uuid']}")
        assert boss["type"] == "SystemAdmin"


async def test_names_are_unique(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        uuid = await make(admin, "alice")
        twin = await admin.refused("POST", "/accounts", {"params": {"name": "alice", "password": "x"}})
        assert "name[alice] exists already" in twin["details"]
        taken = await admin.refused("PUT", f"/accounts/{uuid}", {"updateAccount": {"name": "admin"}})
        assert "name[admin] exists already" in taken["details"]


async def test_an_account_sees_and_changes_itself_alone(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        alice_uuid, bob_uuid = await make(admin, "alice"), await make(admin, "bob")
        async with cloud.login("alice", "a") as alice:
            assert [account["uuid"] for account in await alice.query("/accounts")] == [alice_uuid]
            changed = await alice.do("PUT", f"/accounts/{alice_uuid}", {"updateAccount": {"description": "me"}})
            assert changed["description"] == "me"
            for other in (bob_uuid, ADMIN_ACCOUNT):
                hidden = await alice.refused("PUT", f"/accounts/{other}", {"updateAccount": {"name": "x"}})
                assert hidden["code"] == "SYS.1003"
                assert (await alice.refused("DELETE", f"/accounts/{other}"))["code"] == "ID.1002"
            params = {"params": {"name": "c", "password": "c"}}
            assert (await alice.refused("POST", "/accounts", params))["code"] == "ID.1002"


async def test_another_password_ends_every_other_session(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        uuid = await make(admin, "alice")
        async with cloud.login("alice", "a") as one, cloud.login("alice", "a") as two:
            change = {"updateAccount": {"password": client_hash("b"), "oldPassword": client_hash("a")}}
            await one.do("PUT", f"/accounts/{uuid}", change)
            assert (await one.send("GET", "/zones")).status_code == 200
            assert (await two.refused("GET", "/zones"))["code"] == "ID.1001"
            wrong = await one.refused("PUT", f"/accounts/{uuid}", change)
            assert (wrong["code"], wrong["opaque"]["fields"].keys()) == ("SYS.1007", {"oldPassword"})
        async with cloud.login("alice", "b"):
            pass
        await admin.do("PUT", f"/accounts/{uuid}", {"updateAccount": {"password": client_hash("c")}})
        assert [session.account_uuid for session in cloud.kernel.store.find(Session)] == [ADMIN_ACCOUNT]


async def test_passwords_are_nowhere_but_hashed(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        params = {"name": "alice", "password": SECRETS[0]}
        made = await admin.call("POST", "/accounts", {"params": params})
        uuid = made.json()["inventory"]["uuid"]
        change = {"updateAccount": {"password": SECRETS[1], "oldPassword": SECRETS[0]}}
        changed = await admin.call("PUT", f"/accounts/{uuid}", change)
        await admin.call("POST", "/accounts", {"params": {"name": "bob", "password": SECRETS[0] * 3}})
        listed = await admin.send("GET", "/accounts")
        for text in (made.text, changed.text, listed.text, *map(repr, cloud.kernel.store.find(Job))):
            assert "argon2" not in text
            assert not any(secret in text for secret in SECRETS)
        assert cloud.kernel.store.require(Account, uuid).password.startswith("$argon2id$")


async def test_an_account_goes_with_its_sessions_its_tags_and_what_it_owns(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, THINGS)) as cloud, cloud.login() as admin:
        uuid = await make(admin, "alice")
        await admin.create("/user-tags", resourceType="AccountVO", resourceUuid=uuid, tag="x")
        async with cloud.login("alice", "a") as alice:
            thing = await alice.create("/things", name="hers", userTags=["y"])
            dry = (await admin.send("DELETE", f"/accounts/{uuid}", params={"dryRun": "true"})).json()["plan"]
            assert {"type": "ThingVO", "uuid": thing["uuid"], "name": "hers", "effect": "delete"} in dry
            assert dry[-1] == {"type": "AccountVO", "uuid": uuid, "name": "alice", "effect": "delete"}
            assert (await alice.send("GET", "/zones")).status_code == 200, "nothing was changed"
            await admin.do("DELETE", f"/accounts/{uuid}")
            assert (await alice.refused("GET", "/zones"))["code"] == "ID.1001"
        assert await admin.query("/things") == []
        assert await admin.query("/accounts/quotas") == []
        assert await admin.query("/user-tags") == []
        await admin.do("DELETE", f"/accounts/{uuid}")


async def test_the_first_account_stays(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=BASE) as cloud, cloud.login() as admin:
        error = await admin.refused("DELETE", f"/accounts/{ADMIN_ACCOUNT}")
        assert "cannot be deleted" in error["details"]
        forced = await admin.refused("DELETE", f"/accounts/{ADMIN_ACCOUNT}?deleteMode=Enforcing")
        assert forced["code"] == error["code"] == "SYS.1004"
