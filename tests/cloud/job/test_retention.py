"""Ended jobs are forgotten in time, failed ones later, and none whose flow still waits to end."""

from __future__ import annotations

from pathlib import Path

from tests.cloud import rows
from zstack_appliance.cloud.job.retention import DAY, forget_some
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import FlowRun, RunState


def job(name: str, state: JobState, days_ago: int) -> Job:
    """A job that ended so many days ago."""
    return rows.make(
        Job,
        {
            "uuid": rows.uuid(name),
            "api": "org.zstack.X",
            "state": state,
            "timeout": 1,
            "request": "{}",
            "finished_date": rows.EPOCH - days_ago * DAY * 1000,
        },
        {},
    )


def run(name: str, state: RunState) -> FlowRun:
    """The journal of the job's flow."""
    values = {"flow": "x", "state": state, "position": 0, "context": "", "keys": [], "steps": []}
    return rows.make(FlowRun, {**values, "plan": [], "pivot": 0, "job_uuid": rows.uuid(name)}, {})


async def test_only_old_ended_jobs_go_with_their_journals(tmp_path: Path) -> None:
    """Seven days for success, thirty for failure, for ever while something is stuck."""
    kept = (
        job("fresh", JobState.SUCCEEDED, 6),
        job("failed", JobState.FAILED, 29),
        job("stuck", JobState.FAILED, 99),
        run("stuck", RunState.STUCK),
        job("running", JobState.RUNNING, 99),
    )
    gone = (
        job("old", JobState.SUCCEEDED, 7),
        run("old", RunState.DONE),
        job("long-failed", JobState.FAILED, 30),
        run("long-failed", RunState.UNWOUND),
    )
    async with rows.store_with(tmp_path, *kept, *gone) as store:
        assert await store.write(lambda tx: forget_some(tx, rows.EPOCH)) == 2
        assert {found.uuid for found in store.find(Job)} == {row.uuid for row in kept if isinstance(row, Job)}
        assert [found.state for found in store.find(FlowRun)] == [RunState.STUCK]
        assert await store.write(lambda tx: forget_some(tx, rows.EPOCH)) == 0
