"""A run that was left behind ends by the steps that it began with, whatever its flow has become."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import trio

from tests.eventually import eventually
from tests.kernel.small_flows import Counted, RunScript, Script
from tests.running import BASE, running
from zstack_appliance.kernel.flow import Step, Where
from zstack_appliance.kernel.job import JobState
from zstack_appliance.kernel.journal import FlowRun, RunState
from zstack_appliance.kernel.offered import FlowEdit, OfferedStep
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.principal import SYSTEM


def rack(script: Script, *edits: FlowEdit) -> Plugin:
    """Offers ``x`` and ``y``, which note what they do as the script's own steps do."""
    steps = tuple(
        OfferedStep(Step(name, do=script._do(name), undo=script._do(f"undo {name}")), fits=Counted) for name in "xy"
    )
    return Plugin(name="rack", steps=steps, flow_edits=edits)


def put(name: str, where: Where, at: str) -> FlowEdit:
    return FlowEdit(f"rack.{name}", where, f"small.script/{at}")


async def park(folder: Path, script: Script, *plugins: Plugin) -> None:
    """Stop an appliance in the midst of the step that takes long."""
    async with running(folder, plugins=(*BASE, script.plugin(), *plugins)) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        await trio.sleep(1.0)
        assert cloud.jobs.get(job.uuid).state is JobState.RUNNING


async def recovered(folder: Path, script: Script, *plugins: Plugin) -> RunState:
    """What the next appliance makes of the run."""
    async with running(folder, plugins=(*BASE, script.plugin(), *plugins)) as cloud:

        def ended() -> RunState:
            [run] = cloud.kernel.store.find(FlowRun)
            assert run.state not in (RunState.FORWARD, RunState.BACKWARD)
            return run.state

        return await eventually(ended)


CHANGES = {
    "as it was": (put("x", Where.AFTER, "a"),),
    "without the step": (),
    "with another before it": (put("y", Where.BEFORE, "a"), put("x", Where.AFTER, "a")),
    "with the step elsewhere": (put("x", Where.AFTER, "c"),),
    "with a step replaced": (put("y", Where.INSTEAD_OF, "a"),),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_before_the_pivot_exactly_what_was_done_is_undone(change: tuple[FlowEdit, ...], tmp_path: Path) -> None:
    script = Script(("a", "b", "c"), seconds={"b": 60.0})
    await park(tmp_path, script, rack(script, put("x", Where.AFTER, "a")))
    assert script.log == ["a", "x"]
    assert await recovered(tmp_path, script, rack(script, *change)) is RunState.UNWOUND
    assert script.log == ["a", "x", "undo b", "undo x", "undo a"]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_past_the_pivot_it_goes_on_by_the_plan_that_it_began_with(
    change: tuple[FlowEdit, ...], tmp_path: Path
) -> None:
    script = Script(("a", "b", "c"), pivot="b", seconds={"b": 60.0})
    await park(tmp_path, script, rack(script, put("x", Where.AFTER, "b")))
    assert script.log == ["a"]
    script.seconds.clear()
    assert await recovered(tmp_path, script, rack(script, *change)) is RunState.DONE
    assert script.log == ["a", "b", "x", "c"]


async def test_without_the_plugin_it_waits_for_it_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = Script(("a", "b"), seconds={"b": 60.0})
    plugin = rack(script, put("x", Where.AFTER, "a"))
    await park(tmp_path, script, plugin)
    assert await recovered(tmp_path, script) is RunState.STUCK
    assert "began with steps that are not here any more: rack.x; put back the plugin rack" in caplog.text
    assert script.log == ["a", "x"]
    async with running(tmp_path, plugins=(*BASE, script.plugin(), plugin)) as cloud:
        await eventually(lambda: cloud.kernel.store.find(FlowRun)[0].state is RunState.UNWOUND)
    assert script.log == ["a", "x", "undo b", "undo x", "undo a"]


async def test_a_step_of_the_plugin_that_had_not_begun_is_not_missed(tmp_path: Path) -> None:
    script = Script(("a", "b"), seconds={"a": 60.0})
    await park(tmp_path, script, rack(script, put("x", Where.AFTER, "a")))
    assert await recovered(tmp_path, script) is RunState.UNWOUND
    assert script.log == ["undo a"]


async def test_a_step_of_the_flow_itself_that_has_gone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = Script(("a", "b"), seconds={"b": 60.0})
    await park(tmp_path, script)
    assert await recovered(tmp_path, dataclasses.replace(script, names=("b", "c"))) is RunState.STUCK
    assert "not here any more: a; put back the version that it began in" in caplog.text
