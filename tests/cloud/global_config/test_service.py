"""The global configuration through the door."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.running import BASE, running
from zstack_appliance.kernel.config import GlobalConfig, Setting
from zstack_appliance.kernel.plugin import Plugin


def declaring(default: str, description: str = "How many.") -> tuple[Plugin, ...]:
    """The base plugins, and one with a setting of its own."""
    return (
        *BASE,
        Plugin("things", configs=(GlobalConfig("thing", "count", default, description, kind=int, low=1),)),
    )


UPDATE = "/global-configurations/thing/count/actions"


async def test_every_declared_setting_can_be_found(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=declaring("3")) as cloud, cloud.login() as admin:
        [found] = await admin.query("/global-configurations", "category=thing", "name=count")
        assert found == {
            "category": "thing",
            "name": "count",
            "description": "How many.",
            "defaultValue": "3",
            "value": "3",
            "createDate": found["createDate"],
            "lastOpDate": found["lastOpDate"],
        }
        every = await admin.query("/global-configurations")
        assert len(every) == len(cloud.kernel.configs.declared) > 4


async def test_a_value_counts_at_once_and_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=declaring("3")) as cloud, cloud.login() as admin:
        changed = await admin.do("PUT", UPDATE, {"updateGlobalConfig": {"value": "1K"}})
        assert (changed["value"], changed["defaultValue"]) == ("1K", "3")
        assert cloud.kernel.configs.number("thing.count") == 1024
    async with running(tmp_path, plugins=declaring("3")) as cloud, cloud.login() as admin:
        assert cloud.kernel.configs.number("thing.count") == 1024
        await admin.do("PUT", UPDATE, {"updateGlobalConfig": {"value": None}})
        assert cloud.kernel.configs.number("thing.count") == 3


@pytest.mark.parametrize("value", ["0", "many", ""])
async def test_a_value_must_fit_its_declaration(tmp_path: Path, value: str) -> None:
    async with running(tmp_path, plugins=declaring("3")) as cloud, cloud.login() as admin:
        error = await admin.refused("PUT", UPDATE, {"updateGlobalConfig": {"value": value}})
        assert error["code"] == "SYS.1007"
        assert cloud.kernel.configs.number("thing.count") == 3
        unknown = await admin.refused("PUT", UPDATE.replace("count", "colour"), {"updateGlobalConfig": {"value": "1"}})
        assert unknown["code"] == "SYS.1003"


async def test_everything_goes_back_to_its_default(tmp_path: Path) -> None:
    async with running(tmp_path, plugins=declaring("3")) as cloud, cloud.login() as admin:
        await admin.do("PUT", UPDATE, {"updateGlobalConfig": {"value": "9"}})
        answer = await admin.call("PUT", "/global-configurations/actions", {"resetGlobalConfig": {}})
        assert (answer.status_code, answer.json()) == (200, {})
        assert cloud.kernel.configs.number("thing.count") == 3
        [found] = await admin.query("/global-configurations", "name=count")
        assert found["value"] == "3"


async def test_a_new_version_brings_new_defaults_to_what_nobody_changed(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running(tmp_path, plugins=declaring("3")):
        pass
    async with running(tmp_path, plugins=declaring("4", "New words.")) as cloud, cloud.login() as admin:
        assert cloud.kernel.configs.number("thing.count") == 4
        [found] = await admin.query("/global-configurations", "name=count")
        assert (found["value"], found["defaultValue"], found["description"]) == ("4", "4", "New words.")
        await admin.do("PUT", UPDATE, {"updateGlobalConfig": {"value": "9"}})
    async with running(tmp_path, plugins=declaring("5")) as cloud:
        assert cloud.kernel.configs.number("thing.count") == 9
    async with running(tmp_path, plugins=BASE) as cloud:
        assert cloud.kernel.store.find(Setting, name="count"), "kept for when its plugin comes back"
