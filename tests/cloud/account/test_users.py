"""Users, groups and policies through the door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from trio.testing import MockClock

from tests.api.things import THINGS
from tests.running import BASE, Caller, Running, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.schema import Session
from zstack_appliance.cloud.account.user_schema import Policy, User, UserGroup, UserGroupUserRef, UserPolicyRef


@asynccontextmanager
async def people(data: Path) -> AsyncIterator[tuple[Running, Caller, Caller]]:
    """A cloud, its administrator, and an account `shop`."""
    async with running(data, plugins=(*BASE, THINGS)) as cloud, cloud.login() as admin:
        await admin.create("/accounts", name="shop", password=client_hash("shop"))
        async with cloud.login("shop", "shop") as shop:
            yield cloud, admin, shop


async def user(caller: Caller, name: str) -> dict[str, Any]:
    made: dict[str, Any] = await caller.create("/accounts/users", name=name, password=client_hash(name))
    return made


async def policy(caller: Caller, name: str, *actions: str, effect: str = "Allow") -> dict[str, Any]:
    made: dict[str, Any] = await caller.create(
        "/accounts/policies", name=name, statements=[{"effect": effect, "actions": list(actions)}]
    )
    return made


async def attach(caller: Caller, kind: str, whom: dict[str, Any], what: dict[str, Any]) -> None:
    await caller.do("POST", f"/accounts/{kind}/{whom['uuid']}/policies", {"params": {"policyUuid": what["uuid"]}})


async def log_in(cloud: Running, name: str, password: str | None = None, **account: str) -> Caller:
    caller = Caller(cloud.client())
    body = {"userName": name, "password": client_hash(password or name), **(account or {"accountName": "shop"})}
    session = await caller.do("PUT", "/accounts/users/login", {"logInByUser": body})
    caller.headers["authorization"] = f"OAuth {session['uuid']}"
    return caller


async def test_a_user_sees_what_its_account_sees_and_does_what_policies_allow(tmp_path: Path) -> None:
    async with people(tmp_path) as (cloud, _, shop):
        thing = await shop.create("/things", name="theirs")
        ann = await user(shop, "ann")
        caller = await log_in(cloud, "ann")
        assert [row["uuid"] for row in await caller.query("/things")] == [thing["uuid"]]
        refused = await caller.refused("POST", "/things", {"params": {"name": "hers"}})
        assert refused["code"] == "ID.1002"
        assert f"no policy of user[uuid:{ann['uuid']}] allows" in refused["details"]

        allowed = await policy(shop, "make", refused["details"].split(" allows ")[1].split(";")[0])
        await attach(shop, "users", ann, allowed)
        made = await caller.create("/things", name="hers")
        assert {row["uuid"] for row in await shop.query("/things")} == {thing["uuid"], made["uuid"]}
        assert (await caller.refused("DELETE", f"/things/{made['uuid']}"))["code"] == "ID.1002"
        dry = await caller.refused("DELETE", f"/things/{made['uuid']}?dryRun=true")
        assert dry["code"] == "ID.1002", "a plan is for those who may carry it out"

        [held] = await shop.query("/accounts/users", "policy.name=make")
        assert held == ann
        assert "password" not in held
        await shop.do("DELETE", f"/accounts/users/{ann['uuid']}/policies/{allowed['uuid']}")
        assert (await caller.refused("POST", "/things", {"params": {"name": "x"}}))["code"] == "ID.1002"


async def test_groups_give_their_policies_and_deny_wins(tmp_path: Path) -> None:
    async with people(tmp_path) as (cloud, _, shop):
        ann = await user(shop, "ann")
        group = await shop.create("/accounts/groups", name="makers")
        all_of_it, none = await policy(shop, "all", "**"), await policy(shop, "none", "**", effect="Deny")
        await shop.do(
            "POST", f"/accounts/groups/{group['uuid']}/policies", {"params": {"policyUuid": all_of_it["uuid"]}}
        )
        caller = await log_in(cloud, "ann")
        assert (await caller.refused("POST", "/things", {"params": {"name": "a"}}))["code"] == "ID.1002"
        for _ in range(2):
            await shop.do("POST", f"/accounts/groups/{group['uuid']}/users", {"params": {"userUuid": ann["uuid"]}})
        assert cloud.kernel.store.count(UserGroupUserRef) == 1
        thing = await caller.create("/things", name="a")
        assert (await shop.query("/accounts/groups", "user.name=ann", "policy.name=all"))[0]["uuid"] == group["uuid"]
        both = {"params": {"policyUuids": [none["uuid"], all_of_it["uuid"]]}}
        await shop.do("POST", f"/accounts/users/{ann['uuid']}/policy-collection", both)
        assert (await caller.refused("DELETE", f"/things/{thing['uuid']}"))["code"] == "ID.1002"
        gone = await shop.send(
            "DELETE", f"/accounts/users/{ann['uuid']}/policies", params={"policyUuids": [none["uuid"]]}
        )
        assert gone.status_code == 202
        assert (await caller.client.get(gone.json()["location"], headers={"prefer": "wait=30"})).status_code == 200
        await caller.do("DELETE", f"/things/{thing['uuid']}")
        await shop.do("DELETE", f"/accounts/users/{ann['uuid']}/policies/{all_of_it['uuid']}")
        await shop.do("DELETE", f"/accounts/groups/{group['uuid']}/policies/{all_of_it['uuid']}")
        assert (await caller.refused("POST", "/things", {"params": {"name": "b"}}))["code"] == "ID.1002"
        await shop.do("DELETE", f"/accounts/groups/{group['uuid']}/users/{ann['uuid']}")
        assert cloud.kernel.store.count(UserGroupUserRef) == 0


async def test_logging_in(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, shop):
        ann = await user(shop, "ann")
        await user(admin, "ann")
        account = (await admin.query("/accounts", "name=shop"))[0]["uuid"]
        assert await (await log_in(cloud, "ann", accountUuid=account)).query("/accounts/users") == [ann]
        nobody = Caller(cloud.client())
        for body, code in (
            ({"userName": "ann", "password": client_hash("bob"), "accountName": "shop"}, "ID.1000"),
            ({"userName": "bob", "password": client_hash("ann"), "accountName": "shop"}, "ID.1000"),
            ({"userName": "ann", "password": client_hash("ann"), "accountName": "shed"}, "ID.1000"),
            ({"userName": "ann", "password": client_hash("ann")}, "SYS.1007"),
        ):
            assert (await nobody.refused("PUT", "/accounts/users/login", {"logInByUser": body}))["code"] == code
        wrong = {"userName": "ann", "password": client_hash("x"), "accountName": "shop"}
        texts = [
            (await nobody.refused("PUT", "/accounts/users/login", {"logInByUser": wrong}))["details"] for _ in range(6)
        ]
        assert "too many failed logins" in texts[-1]
        async with cloud.login("shop", "shop") as again:
            assert await again.query("/accounts/users"), "guessing at a user does not keep its account out"


async def test_a_user_looks_after_itself_alone(tmp_path: Path) -> None:
    async with people(tmp_path) as (cloud, admin, shop):
        ann, bob = await user(shop, "ann"), await user(shop, "bob")
        await policy(shop, "all", "**")
        caller, other = await log_in(cloud, "ann"), await log_in(cloud, "ann")
        path = "/accounts/users/actions"
        new = {"updateUser": {"password": client_hash("new"), "oldPassword": client_hash("ann")}}
        assert (
            "is needed"
            in (await caller.refused("PUT", path, {"updateUser": {"password": client_hash("n")}}))["details"]
        )
        wrong = {"updateUser": {"password": client_hash("n"), "oldPassword": client_hash("x")}}
        assert "old password" in (await caller.refused("PUT", path, wrong))["details"]
        await caller.do("PUT", path, new)
        assert (await caller.query("/accounts/users", "name=ann"))[0]["uuid"] == ann["uuid"]
        assert (await other.refused("GET", "/things"))["code"] == "ID.1001", "its other sessions have ended"
        await log_in(cloud, "ann", "new")
        rename = {"updateUser": {"uuid": bob["uuid"], "name": "rob"}}
        assert (await caller.refused("PUT", path, rename))["code"] == "ID.1002"
        assert (await shop.do("PUT", path, rename))["name"] == "rob"
        assert "no user" in (await shop.refused("PUT", path, {"updateUser": {"name": "x"}}))["details"]
        boss = await user(admin, "boss")
        assert (await shop.refused("PUT", path, {"updateUser": {"uuid": boss["uuid"], "name": "x"}}))[
            "code"
        ] == "SYS.1003"
        group = await admin.create("/accounts/groups", name="theirs")
        theirs = {"updateUserGroup": {"uuid": group["uuid"], "name": "x"}}
        assert (await shop.refused("PUT", "/accounts/groups/actions", theirs))["code"] == "SYS.1003"
        assert (await admin.do("PUT", "/accounts/groups/actions", theirs))["name"] == "x"
        mixed = {"params": {"userUuid": bob["uuid"]}}
        error = await admin.refused("POST", f"/accounts/groups/{group['uuid']}/users", mixed)
        assert "different accounts" in error["details"]


async def test_who_goes_takes_what_is_only_theirs(tmp_path: Path) -> None:
    async with people(tmp_path) as (cloud, admin, shop):
        ann, bob = await user(shop, "ann"), await user(shop, "bob")
        held = await policy(shop, "all", "**")
        group = await shop.create("/accounts/groups", name="makers")
        for each in (ann, bob):
            await attach(shop, "users", each, held)
            await shop.do("POST", f"/accounts/groups/{group['uuid']}/users", {"params": {"userUuid": each["uuid"]}})
        caller = await log_in(cloud, "ann")
        thing = await caller.create("/things", name="hers")
        await shop.do("DELETE", f"/accounts/users/{ann['uuid']}")
        assert (await caller.refused("GET", "/things"))["code"] == "ID.1001"
        assert [row["uuid"] for row in await shop.query("/things")] == [thing["uuid"]]
        store = cloud.kernel.store
        assert (store.count(UserPolicyRef), store.count(UserGroupUserRef)) == (1, 1)
        await shop.do("DELETE", f"/accounts/policies/{held['uuid']}")
        await shop.do("DELETE", f"/accounts/groups/{group['uuid']}")
        assert (store.count(UserPolicyRef), store.count(UserGroupUserRef), store.count(User)) == (0, 0, 1)
        await policy(shop, "all", "**")
        await shop.create("/accounts/groups", name="makers")
        await log_in(cloud, "bob")
        account = (await admin.query("/accounts", "name=shop"))[0]["uuid"]
        await admin.do("DELETE", f"/accounts/{account}")
        assert [store.count(cls) for cls in (User, UserGroup, Policy)] == [0, 0, 0]
        assert {session.account_uuid for session in store.find(Session)} != {account}


async def test_asking_what_may_be_done_and_whose_it_is(tmp_path: Path) -> None:
    async with people(tmp_path) as (cloud, admin, shop):
        ann = await user(shop, "ann")
        mine = await policy(shop, "users", ".header.identity.APICreateUserMsg")
        await attach(shop, "users", ann, mine)
        names = [
            f"org.zstack.header.{name}"
            for name in (
                "identity.APICreateUserMsg",
                "identity.APICreateUserGroupMsg",
                "identity.APICreateAccountMsg",
                "identity.APIQueryUserMsg",
                "identity.APIGoneMsg",
            )
        ]

        async def answers(caller: Caller, **more: str) -> list[str]:
            body = {"checkApiPermission": {"apiNames": names, **more}}
            found = await caller.do("PUT", "/accounts/permissions/actions", body)
            return [found[name] for name in names]

        assert await answers(shop) == ["Allow", "Allow", "Deny", "Allow", "Deny"]
        assert await answers(shop, userUuid=ann["uuid"]) == ["Allow", "Deny", "Deny", "Allow", "Deny"]
        assert await answers(await log_in(cloud, "ann")) == ["Allow", "Deny", "Deny", "Allow", "Deny"]
        assert await answers(admin) == ["Allow", "Allow", "Allow", "Allow", "Deny"]

        thing = await shop.create("/things", name="a")
        zone = await admin.create("/zones", name="z")
        asked = {"resourceUuids": [thing["uuid"], zone["uuid"], "f" * 32]}
        seen = (await shop.send("GET", "/resources/accounts", params=asked)).json()["inventories"]
        assert {uuid: account["name"] for uuid, account in seen.items()} == {thing["uuid"]: "shop"}
        seen = (await admin.send("GET", "/resources/accounts", params=asked)).json()["inventories"]
        assert {uuid: account["name"] for uuid, account in seen.items()} == {
            thing["uuid"]: "shop",
            zone["uuid"]: "admin",
        }
