"""The runner: forward, backward, past the pivot, stuck, and across a restart."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest
import trio
from trio.testing import MockClock

from tests.eventually import eventually
from tests.kernel.small_flows import RunScript, Script
from tests.running import BASE, Running, running
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import FlowRun, RunState
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.runner import FORWARD_TRIES, UNDO_TRIES


async def play(cloud: Running, seconds: float = 600.0) -> Job:
    """Run the script as a job and wait for its end."""
    job = await cloud.jobs.submit(RunScript(), SYSTEM, seconds=seconds)
    return await cloud.jobs.wait(job.uuid, 3600.0)


def the_run(cloud: Running) -> FlowRun:
    [run] = cloud.kernel.store.find(FlowRun)
    return run


async def test_steps_run_in_order_and_the_journal_says_so(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a.tx", "b", "c.tx", "d"), seconds={"b": 3.0})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        assert (await play(cloud)).state is JobState.SUCCEEDED
        run = the_run(cloud)
    assert script.log == ["a.tx", "b", "c.tx", "d"]
    assert (run.state, run.context) == (RunState.DONE, "")
    assert [(step.name, step.outcome, step.undo) for step in run.steps] == [
        (f"small.script/{name}", "done", None) for name in ("a.tx", "b", "c.tx", "d")
    ]
    assert run.steps[1].ended is not None
    assert run.steps[1].ended - run.steps[1].started == 3000


async def test_a_failure_unwinds_from_the_failed_step_down(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a.tx", "b", "c.tx", "d"), failures={"d": 1})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        job = await play(cloud)
        run = the_run(cloud)
    assert script.log == ["a.tx", "b", "c.tx", "d failed", "undo d", "undo c.tx", "undo b", "undo a.tx"]
    assert (job.state, run.state) == (JobState.FAILED, RunState.UNWOUND)
    assert "d fails" in (job.error or "")
    assert [(step.outcome, step.undo) for step in run.steps] == [("done", "done")] * 3 + [("failed", "done")]


async def test_what_fails_in_the_first_commit_leaves_no_run(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a.tx", "b"), failures={"a.tx": 1})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        assert (await play(cloud)).state is JobState.FAILED
        assert cloud.kernel.store.find(FlowRun) == []
    assert script.log == ["a.tx failed"]


async def test_an_undo_that_fails_is_tried_again(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a", "b"), failures={"b": 1, "undo a": UNDO_TRIES - 1})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        await play(cloud)
        assert the_run(cloud).state is RunState.UNWOUND
    assert script.log[-1] == "undo a"


@pytest.mark.parametrize("undo", ["undo a", "undo a.tx"])
async def test_an_undo_that_goes_on_failing_is_stuck_and_ends_later(
    undo: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    script = Script((undo.removeprefix("undo "), "b"), failures={"b": 1, undo: UNDO_TRIES + 1})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        assert (await play(cloud)).state is JobState.FAILED
        assert the_run(cloud).state is RunState.STUCK
        await eventually(lambda: the_run(cloud).state is RunState.UNWOUND, within=600.0, every=1.0)
    assert script.log[-1] == undo


async def test_past_the_pivot_a_step_is_tried_again(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a", "b", "c"), pivot="b", failures={"b": 1, "c": FORWARD_TRIES - 1})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        assert (await play(cloud)).state is JobState.SUCCEEDED
    assert [entry for entry in script.log if "failed" not in entry] == ["a", "b", "c"]


async def test_past_the_pivot_what_goes_on_failing_is_stuck_and_ends_by_going_forward(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    script = Script(("a", "b", "c"), pivot="b", failures={"c": FORWARD_TRIES + 2})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        assert (await play(cloud)).state is JobState.FAILED
        assert the_run(cloud).state is RunState.STUCK
        await eventually(lambda: the_run(cloud).state is RunState.DONE, within=600.0, every=1.0)
    assert not any("undo" in entry for entry in script.log)
    assert script.log[-1] == "c"


async def test_a_cancel_is_noticed_before_the_pivot_alone(tmp_path: Path, autojump_clock: MockClock) -> None:
    for pivot, ending, state in ((None, "undo a", JobState.FAILED), ("b", "c", JobState.SUCCEEDED)):
        (folder := tmp_path / str(pivot)).mkdir()
        script = Script(("a", "b", "c"), pivot=pivot, seconds={"b": 10.0})
        async with running(folder, plugins=(*BASE, script.plugin())) as cloud:
            job = await cloud.jobs.submit(RunScript(), SYSTEM)
            await trio.sleep(5.0)
            cloud.jobs.cancel(job.uuid)
            assert (await cloud.jobs.wait(job.uuid, 60.0)).state is state
            assert script.log[-1] == ending


async def test_a_cancel_while_undoing_does_not_stop_the_undoing(tmp_path: Path, autojump_clock: MockClock) -> None:
    script = Script(("a", "b"), failures={"b": 1}, seconds={"undo b": 10.0, "undo a": 10.0})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        await trio.sleep(5.0)
        cloud.jobs.cancel(job.uuid)
        await cloud.jobs.wait(job.uuid, 60.0)
        assert the_run(cloud).state is RunState.UNWOUND
    assert script.log == ["a", "b failed", "undo b", "undo a"]


@pytest.mark.parametrize(("pivot", "ending"), [(None, "undo a"), ("b", "c")])
async def test_what_a_stop_parks_the_next_start_ends(
    pivot: str | None, ending: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    script = Script(("a", "b", "c"), pivot=pivot, seconds={"b": 10.0})
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        await trio.sleep(5.0)
    assert trio.current_time() < 9.0, "a stop does not wait for a step"
    assert script.log == ["a"]
    async with running(tmp_path, plugins=(*BASE, script.plugin())) as cloud:
        ended = lambda: cloud.jobs.get(job.uuid).state is not JobState.RUNNING  # noqa: E731 — it is asked twice below
        await eventually(ended, within=60.0)
        wanted = JobState.FAILED if pivot is None else JobState.SUCCEEDED
        assert cloud.jobs.get(job.uuid).state is wanted
    assert script.log[-1] == ending


async def test_a_step_whose_tasks_are_cancelled_in_a_nursery_is_undone(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    script = Script(("a", "b"))
    steps = script.flow().steps()

    async def in_a_nursery(_context: object, _cloud: object) -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(trio.sleep_forever)

    plugin = script.plugin()
    flow = plugin.flows[0]

    changed = dataclasses.replace(flow, steps=lambda: (steps[0], dataclasses.replace(steps[1], do=in_a_nursery)))
    async with running(tmp_path, plugins=(*BASE, dataclasses.replace(plugin, flows=(changed,)))) as cloud:
        job = await cloud.jobs.submit(RunScript(), SYSTEM)
        await trio.sleep(1.0)
        cloud.jobs.cancel(job.uuid)
        ended = await cloud.jobs.wait(job.uuid, 60.0)
        assert the_run(cloud).state is RunState.UNWOUND
        assert msgspec.json.decode(ended.error or "{}")["code"] == "SYS.1017"
    assert script.log == ["a", "undo b", "undo a"]
