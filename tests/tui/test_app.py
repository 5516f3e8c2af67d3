"""A person at the terminal dashboard, against an appliance on simulated hosts.

textual runs on asyncio, so each test is one run of that.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from tests.cli.conftest import AS_ROOT, Run, Simulated
from zstack_appliance.cli.place import Place
from zstack_appliance.tui.app import Tui, actions_of
from zstack_appliance.tui.widgets import Table

pytestmark = AS_ROOT

WITHIN = 20.0
SIZES = ((80, 24), (160, 48))

Visit = Callable[[Pilot[str]], Awaitable[None]]


@pytest.fixture
def vm(zs: Run) -> Iterator[str]:
    """A VM's name; it is gone afterwards."""
    name = f"tui-{time.monotonic_ns()}"
    offered = ("--image", "tiny", "--instance-offering", "tiny", "--l3-network", "net1")
    made = zs("vm", "create", name, *offered, "--json")
    yield name
    uuid = json.loads(made.stdout)["uuid"]
    zs("vm", "delete", uuid)
    zs("vm", "expunge", uuid)


def visit(simulated: Simulated, what: Visit, size: tuple[int, int] = (120, 40)) -> None:
    """Start the dashboard, and do something in it."""

    async def run() -> None:
        app = Tui(Place("http://localhost", socket=simulated.data / "run" / "api.sock"))
        async with app.run_test(size=size, notifications=True) as pilot:
            await what(pilot)

    asyncio.run(run())


async def until(pilot: Pilot[str], check: Callable[[], bool]) -> None:
    """Let the screen go on until something is so."""
    deadline = time.monotonic() + WITHIN
    while not check():
        assert time.monotonic() < deadline, seen(pilot)
        await pilot.pause(0.05)


def seen(pilot: Pilot[str]) -> str:
    """Everything on screen, as text."""
    return "\n".join(
        "".join(segment.text for segment in strip) for strip in pilot.app.screen._compositor.render_strips()
    )


async def until_seen(pilot: Pilot[str], *texts: str) -> None:
    """Wait until all of it is on screen."""
    await until(pilot, lambda: all(text in seen(pilot) for text in texts))


async def typed(pilot: Pilot[str], text: str) -> None:
    """Type letters."""
    for char in text:
        await pilot.press({" ": "space", "=": "equals_sign", "-": "minus", ".": "full_stop"}.get(char, char))


@pytest.mark.parametrize("size", SIZES)
def test_the_dashboard_shows_the_cloud(simulated: Simulated, vm: str, size: tuple[int, int]) -> None:
    del vm

    async def look(pilot: Pilot[str]) -> None:
        await until_seen(pilot, "dashboard", "Capacity", "Running", "3 Connected", "Operations")
        lines = seen(pilot).splitlines()
        assert (len(lines), {len(line) for line in lines}) == (size[1], {size[0]})

    visit(simulated, look, size)


def test_a_list_is_filtered_sorted_marked_and_opened(simulated: Simulated, vm: str) -> None:
    async def use(pilot: Pilot[str]) -> None:
        await pilot.press("colon")
        await typed(pilot, f"vm name={vm}")
        await pilot.press("enter")
        await until_seen(pilot, f"VmInstance name={vm}", "Running", "128 MiB")
        assert "Open" in seen(pilot).splitlines()[-1]
        await pilot.press("o")
        await until_seen(pilot, "▲ name")
        await pilot.press("space")
        await until_seen(pilot, "1 marked", f"✓ {vm}")
        await pilot.press("slash")
        await typed(pilot, "nothing-like-it")
        await until_seen(pilot, "No row matches /nothing-like-it")
        await pilot.press("escape")
        await until_seen(pilot, "Running")
        await pilot.press("enter")
        await until_seen(pilot, f"VmInstance {vm}", "vmNics", "hostUuid")
        await pilot.press("escape", "right_square_bracket")
        await until_seen(pilot, "hostUuid")

    visit(simulated, use)


def test_a_vm_is_stopped_from_the_menu_and_deleted_after_a_look_at_the_plan(simulated: Simulated, vm: str) -> None:
    async def use(pilot: Pilot[str]) -> None:
        await pilot.press("colon")
        await typed(pilot, f"vm name={vm}")
        await pilot.press("enter")
        await until_seen(pilot, "Running")
        await pilot.press("a")
        menu = pilot.app.screen.query_one(OptionList)
        menu.highlighted = menu.get_option_index("stop")
        await pilot.press("enter")
        await until_seen(pilot, "Stopped", "done")
        await pilot.press("ctrl+d")
        await until_seen(pilot, f"ROOT-for-{vm}", "Permissive")
        await pilot.press("f")
        await until_seen(pilot, "Enforcing: goes on past")
        await pilot.press("f", "y")
        await until_seen(pilot, "Destroyed")

    visit(simulated, use)


def test_a_form_says_what_is_wrong_and_makes_what_is_right(simulated: Simulated, zs: Run) -> None:
    async def use(pilot: Pilot[str]) -> None:
        await pilot.press("colon")
        await typed(pilot, "zone")
        await pilot.press("enter")
        await until_seen(pilot, "zone1")
        await pilot.press("c")
        await until_seen(pilot, "name *")
        await pilot.press("enter")
        await until_seen(pilot, "CreateZone needs --name")
        await typed(pilot, "from-tui")
        await pilot.press("enter")
        await until(pilot, lambda: (pilot.app.screen.query(Table) and "from-tui" in seen(pilot)) or False)

    visit(simulated, use)
    assert zs("zone", "delete", "from-tui").returncode == 0


def test_an_operation_shows_its_steps(simulated: Simulated, vm: str) -> None:
    del vm

    async def use(pilot: Pilot[str]) -> None:
        await pilot.press("colon")
        await typed(pilot, "job api~=%CreateVm%")
        await pilot.press("enter")
        await until_seen(pilot, "Succeeded")
        await pilot.press("enter")
        await until_seen(pilot, "vm_instance.create/", "done", "job CreateVmInstance")
        await pilot.press("x")
        await until_seen(pilot, "it has succeeded already")
        await pilot.press("y")
        await until_seen(pilot, '"api": "org.zstack')

    visit(simulated, use)


def test_the_command_line_completes_and_an_unknown_command_says_so(simulated: Simulated) -> None:
    async def use(pilot: Pilot[str]) -> None:
        await pilot.press("colon")
        await typed(pilot, "hos")
        line = pilot.app.screen.query_one(Input)
        await until(pilot, lambda: line._suggestion == "host")
        await pilot.press("right")
        await typed(pilot, " stat")
        await until(pilot, lambda: line._suggestion.startswith("host stat"))
        await pilot.press("escape", "colon")
        await typed(pilot, "hots")
        await pilot.press("enter")
        await until_seen(pilot, "did you mean")
        await pilot.press("question_mark")
        await until_seen(pilot, "the serial console of a VM")
        await pilot.press("escape", "ctrl+t")
        assert pilot.app.theme == "zstack-light"

    visit(simulated, use)


def test_names_with_markup_and_control_characters_are_only_text(simulated: Simulated, zs: Run) -> None:
    name = "[bold red]x[/] \x1b[2J \u202e" + "n" * 200
    made = zs("api", "CreateInstanceOffering", f"name={name}", "cpuNum=1", "memorySize=64M", "--json")
    assert made.returncode == 0, made.stderr
    uuid = json.loads(made.stdout)["inventory"]["uuid"]

    async def use(pilot: Pilot[str]) -> None:
        await pilot.press("colon")
        await typed(pilot, f"instance-offering uuid={uuid}")
        await pilot.press("enter")
        await until_seen(pilot, "[bold red]x[/] \N{REPLACEMENT CHARACTER}[2J")
        await pilot.press("enter")
        await until_seen(pilot, "cpuNum")
        assert "\x1b" not in seen(pilot)
        await pilot.press("ctrl+d")
        await until_seen(pilot, "This is what happens")
        await pilot.press("escape")

    visit(simulated, use)
    assert zs("instance-offering", "delete", uuid).returncode == 0


def test_nobody_there_is_said_and_tried_again(tmp_path: Path) -> None:
    async def run() -> None:
        app = Tui(Place("http://localhost", socket=tmp_path / "none.sock"))
        async with app.run_test(size=(100, 30), notifications=True) as pilot:
            await until_seen(pilot, "reconnecting", "no appliance answers")

    asyncio.run(run())


def test_every_resource_has_a_list_and_its_actions(simulated: Simulated) -> None:
    from zstack_appliance.cli.declared import nouns
    from zstack_appliance.tui.views import Listing

    async def use(pilot: Pilot[str]) -> None:
        assert isinstance(pilot.app, Tui)
        for noun in nouns().values():
            actions_of(noun)
            pilot.app.go(Listing(noun))
            await until(pilot, lambda: bool(pilot.app.screen.query("#list")))
            empty = pilot.app.screen.query_one("#empty", Static)
            table = pilot.app.screen.query_one(Table)
            await until(pilot, lambda table=table, empty=empty: bool(table.row_count or str(empty.render())))  # type: ignore[misc]
            assert "no appliance" not in seen(pilot)

    visit(simulated, use)
