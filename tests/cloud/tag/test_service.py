"""Tags through the door."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.api.things import THINGS
from tests.running import BASE, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.kernel.tag import SystemTag, SystemTagRow, UserTag
from zstack_appliance.kernel.tags import system_tag

PAINTED = dataclasses.replace(
    THINGS,
    tags=(
        *THINGS.tags,
        SystemTag("ThingVO", "part::{name}::{size}", "A part of it.", single=False),
        SystemTag("ThingVO", "secret::{key}", "The cloud's own.", inherent=True),
    ),
)


def on(thing: dict[str, str], tag: str) -> dict[str, str]:
    return {"resourceType": "ThingVO", "resourceUuid": thing["uuid"], "tag": tag}


async def test_a_user_tag_is_free_text_once_per_resource(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        thing = await admin.create("/things", name="a")
        tag = await admin.create("/user-tags", **on(thing, "anything at all"))
        assert (tag["tag"], tag["type"], tag["resourceType"], tag["resourceUuid"]) == (
            "anything at all",
            "User",
            "ThingVO",
            thing["uuid"],
        )
        twin = await admin.refused("POST", "/user-tags", {"params": on(thing, "anything at all")})
        assert twin["code"] == "TAG.1000"
        assert await admin.query("/things", "__userTag__=anything at all") == [thing]
        await admin.do("DELETE", f"/tags/{tag['uuid']}")
        assert await admin.query("/user-tags") == []
        await admin.do("DELETE", f"/tags/{tag['uuid']}")


async def test_a_system_tag_has_a_declared_pattern(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        thing = await admin.create("/things", name="a")
        tag = await admin.create("/system-tags", **on(thing, "colour::red"))
        assert (tag["tag"], tag["type"], tag["inherent"]) == ("colour::red", "System", False)
        for wrong in ("color::red", "colour::", "secret::x"):
            assert (await admin.refused("POST", "/system-tags", {"params": on(thing, wrong)}))["code"] == "SYS.1007"
        zone = await admin.create("/zones", name="z")
        other = {"resourceType": "ZoneVO", "resourceUuid": zone["uuid"], "tag": "colour::red"}
        assert (await admin.refused("POST", "/system-tags", {"params": other}))["code"] == "SYS.1007"
        wrong_type = {**on(thing, "colour::red"), "resourceType": "GnomeVO"}
        assert "GnomeVO" in (await admin.refused("POST", "/system-tags", {"params": wrong_type}))["details"]


async def test_one_tag_of_a_pattern_unless_it_allows_more(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        thing = await admin.create("/things", name="a")
        for text in ("colour::red", "part::lid::1", "colour::blue", "part::box::2"):
            await admin.create("/system-tags", **on(thing, text))
        assert (await admin.refused("POST", "/system-tags", {"params": on(thing, "colour::blue")}))[
            "code"
        ] == "TAG.1000"
        tags = [tag["tag"] for tag in await admin.query("/system-tags")]
        assert sorted(tags) == ["colour::blue", "part::box::2", "part::lid::1"]


async def test_a_system_tag_changes_within_its_pattern(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        thing = await admin.create("/things", name="a")
        tag = await admin.create("/system-tags", **on(thing, "colour::red"))
        path = f"/system-tags/{tag['uuid']}/actions"
        changed = await admin.do("PUT", path, {"updateSystemTag": {"tag": "colour::blue"}})
        assert changed["tag"] == "colour::blue"
        other = await admin.refused("PUT", path, {"updateSystemTag": {"tag": "part::lid::1"}})
        assert "has another pattern" in other["details"]
        assert (await admin.refused("PUT", path, {"updateSystemTag": {"tag": "x"}}))["code"] == "SYS.1007"


async def test_what_the_cloud_set_itself_stays(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        thing = await admin.create("/things", name="a")
        system = cloud.kernel.as_system()
        row = cloud.kernel.store.require(PAINTED.resources[0], thing["uuid"])
        tag = system_tag(row, "secret::key", system, inherent=True)
        await system.write(lambda tx: tx.insert(tag))
        assert "is inherent" in (await admin.refused("DELETE", f"/tags/{tag.uuid}"))["details"]
        change = {"updateSystemTag": {"tag": "secret::other"}}
        assert "is inherent" in (await admin.refused("PUT", f"/system-tags/{tag.uuid}/actions", change))["details"]


async def test_tags_are_their_owners_to_see_and_change(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        for name in ("alice", "bob"):
            await admin.create("/accounts", name=name, password=client_hash(name))
        async with cloud.login("alice", "alice") as alice, cloud.login("bob", "bob") as bob:
            thing = await alice.create("/things", name="hers", systemTags=["colour::red"])
            user = await alice.create("/user-tags", **on(thing, "mine"))
            [system] = await alice.query("/system-tags")
            zone = await admin.create("/zones", name="z")
            on_zone = {"resourceType": "ZoneVO", "resourceUuid": zone["uuid"], "tag": "mine"}
            assert (await alice.refused("POST", "/user-tags", {"params": on_zone}))["code"] == "SYS.1003"

            admins = await admin.create("/user-tags", **on(thing, "by the administrator"))
            assert {tag["tag"] for tag in await alice.query("/user-tags")} == {"mine", "by the administrator"}
            await alice.do("DELETE", f"/tags/{admins['uuid']}")
            assert await bob.query("/user-tags") == await bob.query("/system-tags") == []
            several = {"params": {"resourceType": "ThingVO", "tags": ["colour::green"]}}
            path = f"/system-tags/{thing['uuid']}/tags"
            assert (await bob.refused("POST", path, several))["code"] == "SYS.1003"
            for path in ("/user-tags", "/system-tags"):
                theirs = {"params": on(thing, "colour::green")}
                assert (await bob.refused("POST", path, theirs))["code"] == "SYS.1003"
            for tag in (user, system):
                assert (await bob.refused("DELETE", f"/tags/{tag['uuid']}"))["code"] == "ID.1002"
            change = {"updateSystemTag": {"tag": "colour::green"}}
            path = f"/system-tags/{system['uuid']}/actions"
            assert (await bob.refused("PUT", path, change))["code"] == "SYS.1003"
            assert (await admin.do("PUT", path, change))["tag"] == "colour::green"


async def test_tags_go_with_their_resource(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=(*BASE, PAINTED)) as cloud, cloud.login() as admin:
        body = {"params": {"name": "a"}, "systemTags": ["colour::red"], "userTags": ["x", "x", "y"]}
        thing = await admin.do("POST", "/things", body)
        kept = await admin.create("/things", name="b", userTags=["z"])
        store = cloud.kernel.store
        assert (store.count(UserTag), store.count(SystemTagRow)) == (3, 1)
        await admin.do("DELETE", f"/things/{thing['uuid']}")
        assert store.count(SystemTagRow) == 0
        assert [tag.resource_uuid for tag in store.find(UserTag)] == [kept["uuid"]]
