"""Settings: what values they take, and which is in force."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from tests.eventually import eventually
from zstack_appliance.kernel.config import Configs, GlobalConfig, Setting, parse_number
from zstack_appliance.kernel.errors import InvalidArgument, NotFound

NUMBER = GlobalConfig("vm", "number", "10", "A number.", int, low=1, high=2**30)
FLAG = GlobalConfig("vm", "flag", "false", "A switch.", bool)
CHOICE = GlobalConfig("vm", "choice", "a", "A choice.", choices=("a", "b"))
CONFIGS = (NUMBER, FLAG, CHOICE)


@pytest.mark.parametrize(
    ("text", "number"),
    [("4096", 4096), ("1G", 2**30), ("2k", 2048), ("-1", -1), (" 5 ", 5), ("1.5", None), ("", None), ("G", None)],
)
def test_numbers_have_units(text: str, number: int | None) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("config", "good", "bad"),
    [(NUMBER, "1G", "0"), (NUMBER, "1", "2G"), (NUMBER, "7", "seven"), (FLAG, "TRUE", "yes"), (CHOICE, "b", "c")],
)
def test_a_wrong_value_is_refused_with_what_is_wanted(config: GlobalConfig, good: str, bad: str) -> None:
    configs = Configs(CONFIGS)
    configs.check(config.path, good)
    with pytest.raises(InvalidArgument, match=rf"{config.path}\] takes .*, but got \[{bad}\]"):
        configs.check(config.path, bad)


def test_what_is_stored_counts_and_what_nobody_declares_is_ignored() -> None:
    configs = Configs(CONFIGS)
    changed: list[str] = []
    configs.on_change(changed.append)
    configs.load([_stored("number", "2K"), _stored("flag", "True"), _stored("gone", "x")])
    assert (configs.number("vm.number"), configs.flag("vm.flag"), configs.text("vm.choice")) == (2048, True, "a")
    assert changed == ["vm.number", "vm.flag"]
    with pytest.raises(NotFound, match=r"no global config vm\.gone"):
        configs.declaration("vm.gone")
    with pytest.raises(ValueError, match="is not a number"):
        configs.number("vm.choice")


async def test_a_pause_follows_its_setting(autojump_clock: MockClock) -> None:
    configs = Configs(CONFIGS)
    configs.put("vm.number", "3600")
    ended: list[float] = []

    async def wait() -> None:
        await configs.pause("vm.number")
        ended.append(trio.current_time())

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await eventually(lambda: trio.current_time() >= begun + 100, within=1000, every=10)
        configs.put("vm.flag", "true")
        configs.put("vm.number", "150")
    assert ended == [begun + 150], "from its beginning on, however late it was changed"
    configs.put("vm.number", "3600")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await eventually(lambda: trio.current_time() >= begun + 300, within=1000, every=10)
        configs.put("vm.number", "1")
    assert ended[1] < begun + 400


def test_every_default_may_be_stored() -> None:
    configs = Configs(CONFIGS)
    for config in CONFIGS:
        configs.check(config.path, config.default)


def _stored(name: str, value: str) -> Setting:
    return Setting(
        uuid="a" * 32,
        create_date=0,
        last_op_date=0,
        category="vm",
        name=name,
        description="",
        default_value="",
        value=value,
    )
