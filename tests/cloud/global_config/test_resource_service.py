"""Settings of single resources, through the door."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.api.things import THINGS
from tests.running import BASE, Caller, Running, every_plugin, running
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.resource_config import ResourceConfig

DECLARING = Plugin(
    "settings",
    configs=(
        GlobalConfig("thing", "count", "3", "How many.", kind=int, low=1, bind=("ClusterVO", "ZoneVO")),
        GlobalConfig("thing", "colour", "red", "Which.", choices=("red", "blue"), bind=("ClusterVO", "ThingVO")),
        GlobalConfig("thing", "fixed", "1", "Everywhere the same.", kind=int),
    ),
)
PLUGINS = (
    *(p if p in BASE else dataclasses.replace(p, starts=(), tasks=()) for p in every_plugin()),
    THINGS,
    DECLARING,
)
"""Every built-in one; without hosts there is nothing for their tasks to do."""

ROOT = "/resource-configurations"


@asynccontextmanager
async def a_cluster(data: Path) -> AsyncIterator[tuple[Running, Caller, dict[str, Any], dict[str, Any]]]:
    async with running(data, plugins=PLUGINS) as cloud, cloud.login() as admin:
        zone = await admin.create("/zones", name="z")
        made = await admin.create("/clusters", name="c", zoneUuid=zone["uuid"], hypervisorType="KVM")
        yield cloud, admin, zone, made


async def put(caller: Caller, row: dict[str, Any], name: str, value: str) -> Any:
    path = f"{ROOT}/thing/{name}/{row['uuid']}/actions"
    return await caller.do("PUT", path, {"updateResourceConfig": {"value": value}})


async def look(caller: Caller, row: dict[str, Any], name: str) -> tuple[str, list[str]]:
    answer = await caller.send("GET", f"{ROOT}/{row['uuid']}/thing/{name}")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["value"], [found["value"] for found in body["effectiveConfigs"]]


async def test_the_nearest_value_counts_and_is_told_with_where_it_comes_from(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (cloud, admin, zone, made):
        row = cloud.kernel.store.require(Cluster, made["uuid"])
        system = cloud.kernel.as_system()

        def in_force() -> int:
            return system.configs_of(row).number("thing.count")

        assert (in_force(), await look(admin, made, "count")) == (3, ("3", []))
        await put(admin, zone, "count", "1K")
        assert (in_force(), await look(admin, made, "count")) == (1024, ("1K", ["1K"]))
        own = await put(admin, made, "count", "5")
        assert (own["resourceType"], own["category"], own["name"], own["value"]) == ("ClusterVO", "thing", "count", "5")
        assert (in_force(), await look(admin, made, "count")) == (5, ("5", ["5", "1K"]))
        again = await put(admin, made, "count", "6")
        assert (again["uuid"], in_force()) == (own["uuid"], 6)
        assert system.configs.number("thing.count") == 3, "the global value is another matter"
        await admin.do("DELETE", f"{ROOT}/thing/count/{made['uuid']}")
        assert (in_force(), await look(admin, made, "count")) == (1024, ("1K", ["1K"]))
        await admin.do("DELETE", f"{ROOT}/thing/count/{made['uuid']}")
        [left] = await admin.query(ROOT, "category=thing", "name=count")
        assert left["resourceUuid"] == zone["uuid"]


async def test_a_value_outlives_a_restart_and_goes_with_its_resource(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (_, admin, zone, _made):
        await put(admin, zone, "count", "7")
    async with running(tmp_path, plugins=PLUGINS) as cloud, cloud.login() as admin:
        [made] = await admin.query("/clusters")
        assert await look(admin, made, "count") == ("7", ["7"])
        await put(admin, made, "count", "8")
        await admin.do("DELETE", f"/zones/{zone['uuid']}")
        assert cloud.kernel.store.count(ResourceConfig) == 0


async def test_what_is_refused(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (cloud, admin, zone, made):
        for name, row, value, code, words in (
            ("count", made, "0", "SYS.1007", "takes a number in the range"),
            ("colour", made, "green", "SYS.1007", "one of red, blue"),
            (
                "colour",
                zone,
                "blue",
                "SYS.1007",
                "cannot be bound to a resource of type ZoneVO; ClusterVO, ThingVO can",
            ),
            ("fixed", made, "2", "SYS.1007", "no resource can"),
            ("gone", made, "2", "SYS.1003", "no global config thing.gone"),
            ("count", {"uuid": "f" * 32}, "2", "SYS.1003", "type:ResourceVO] not found"),
        ):
            path = f"{ROOT}/thing/{name}/{row['uuid']}/actions"
            error = await admin.refused("PUT", path, {"updateResourceConfig": {"value": value}})
            assert error["code"] == code
            assert words in error["details"]
        assert (await admin.refused("GET", f"{ROOT}/{made['uuid']}/thing/fixed"))["code"] == "ID.1002"
        await admin.do("DELETE", f"{ROOT}/thing/count/{'f' * 32}")
        assert cloud.kernel.store.count(ResourceConfig) == 0


async def test_several_at_once_are_all_or_none(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (cloud, admin, _, made):
        path = f"{ROOT}/{made['uuid']}/resource-configs/actions"

        def wishes(count: str) -> dict[str, Any]:
            return {
                "params": {
                    "resourceConfigs": [
                        {"category": "thing", "name": "colour", "value": "blue"},
                        {"category": "thing", "name": "count", "value": count},
                    ]
                }
            }

        assert (await admin.refused("POST", path, wishes("0")))["code"] == "SYS.1007"
        assert cloud.kernel.store.count(ResourceConfig) == 0
        answer = await admin.call("POST", path, wishes("9"))
        assert [(row["name"], row["value"]) for row in answer.json()["inventories"]] == [
            ("colour", "blue"),
            ("count", "9"),
        ]
        asked = {"names": ["colour", "count"]}
        seen = (await admin.send("GET", f"{ROOT}/{made['uuid']}/thing", params=asked)).json()["configs"]
        assert [(row["name"], row["value"], len(row["effectiveConfigs"])) for row in seen] == [
            ("colour", "blue", 1),
            ("count", "9", 1),
        ]


async def test_an_account_sets_what_is_its_own_alone(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (cloud, admin, _zone, made):
        for name in ("alice", "bob"):
            await admin.create("/accounts", name=name, password=client_hash(name))
        async with cloud.login("alice", "alice") as alice, cloud.login("bob", "bob") as bob:
            thing = await alice.create("/things", name="hers")
            await put(alice, thing, "colour", "blue")
            await put(admin, thing, "colour", "red")
            assert [row["value"] for row in await alice.query(ROOT)] == ["red"], "hers, whoever set it"
            assert await bob.query(ROOT) == []
            for caller, row in ((bob, thing), (alice, made)):
                path = f"{ROOT}/thing/colour/{row['uuid']}"
                change = {"updateResourceConfig": {"value": "blue"}}
                assert (await caller.refused("PUT", f"{path}/actions", change))["code"] == "SYS.1003"
                assert (await caller.refused("DELETE", path))["code"] == "SYS.1003"
                assert (await caller.refused("GET", f"{ROOT}/{row['uuid']}/thing/colour"))["code"] == "SYS.1003"
                several = {"params": {"resourceConfigs": [{"category": "thing", "name": "colour", "value": "blue"}]}}
                path = f"{ROOT}/{row['uuid']}/resource-configs/actions"
                assert (await caller.refused("POST", path, several))["code"] == "SYS.1003"
                asked = await caller.send("GET", f"{ROOT}/{row['uuid']}/thing", params={"names": "colour"})
                assert asked.json()["error"]["code"] == "SYS.1003"


async def test_a_tag_gives_a_new_resource_its_value(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (cloud, admin, zone, made):
        params = {"name": "d", "zoneUuid": zone["uuid"], "hypervisorType": "KVM"}
        tags = ["resourceConfig::thing::count::4", "resourceConfig::thing::colour::blue"]
        other = await admin.do("POST", "/clusters", {"params": params, "systemTags": tags})
        assert await look(admin, other, "count") == ("4", ["4"])
        assert await look(admin, other, "colour") == ("blue", ["blue"])
        assert await admin.query("/system-tags") == [], "the value may change, and a tag would tell another one"
        for tag, words in (
            ("resourceConfig::thing::count::0", "in the range"),
            ("resourceConfig::thing::fixed::2", "no resource can"),
            ("resourceConfig::thing::gone::2", "names no setting"),
        ):
            body = {"params": {**params, "name": "e"}, "systemTags": [tag]}
            assert words in (await admin.refused("POST", "/clusters", body))["details"]
        late = {"resourceType": "ClusterVO", "resourceUuid": made["uuid"], "tag": tags[0]}
        assert "resource configuration" in (await admin.refused("POST", "/system-tags", {"params": late}))["details"]
        assert cloud.kernel.store.count(Cluster) == 2


async def test_what_values_a_setting_takes(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (_, admin, _zone, _made):
        asked = await admin.send("GET", "/global-configurations/thing/count")
        assert asked.json() == {"options": {"numberGreaterThanOrEqual": 1}}
        asked = await admin.send("GET", "/global-configurations/thing/colour")
        assert asked.json() == {"options": {"validValue": ["red", "blue"]}}


async def test_which_settings_a_resource_may_have_for_itself(tmp_path: Path) -> None:
    async with a_cluster(tmp_path) as (_, admin, _zone, _made):
        asked = await admin.send("GET", f"{ROOT}/bindable", params={"category": "thing"})
        assert [(row["name"], row["bindResourceTypes"]) for row in asked.json()["bindableConfigs"]] == [
            ("colour", ["ClusterVO", "ThingVO"]),
            ("count", ["ClusterVO", "ZoneVO"]),
        ]
        every = (await admin.send("GET", f"{ROOT}/bindable")).json()["bindableConfigs"]
        assert {"thing", "kvm", "vm", "host"} <= {row["category"] for row in every}
