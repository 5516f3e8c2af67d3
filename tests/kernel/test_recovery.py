"""Recovery at the start: a run that cannot even be read keeps neither the appliance nor other runs waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.running import BASE, running
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import FlowRun, RunState
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.store import Tx

NAMES = {"unknown": "a" * 32, "unreadable": "b" * 32, "sound": "c" * 32}
"""Runs by what is the matter with them."""


class Nothing(Context):
    """A context without anything."""


def _do_nothing(_tx: Tx, _context: Nothing) -> None:
    """A step that does nothing."""


FLOW = Flow("test.known", Nothing, lambda: (
    Step("one", tx=_do_nothing, keeps="it does nothing"),
    Step("two", tx=_do_nothing, keeps="it does nothing"),
))  # fmt: skip
PLUGINS = (*BASE, Plugin(name="known", flows=(FLOW,)))


def _left_behind(name: str) -> FlowRun:
    return FlowRun(
        uuid=NAMES[name],
        create_date=1,
        last_op_date=1,
        flow="of.a.plugin.that.is.gone" if name == "unknown" else FLOW.name,
        state=RunState.FORWARD,
        plan=["one", "two"],
        pivot=2,
        position=1,
        context="{" if name == "unreadable" else "{}",
        keys=[("zone", NAMES[name])],
        steps=[],
        job_uuid=NAMES[name],
    )


def _job(name: str) -> Job:
    return Job(
        uuid=NAMES[name],
        create_date=1,
        last_op_date=1,
        api="org.zstack.test",
        state=JobState.RUNNING,
        timeout=1000,
        request="{}",
    )


async def test_unreadable_runs(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """They are stuck and say why, their jobs stay open, and the run beside them is unwound."""
    async with running(tmp_path, plugins=PLUGINS) as cloud:

        def leave(tx: Tx) -> None:
            for name in NAMES:
                tx.insert(_job(name))
                tx.insert(_left_behind(name))

        await cloud.kernel.store.write(leave)
    async with running(tmp_path, plugins=PLUGINS) as cloud:
        store = cloud.kernel.store

        def unwound() -> bool:
            return store.require(Job, NAMES["sound"]).state is JobState.FAILED

        await eventually(unwound)
        assert store.require(FlowRun, NAMES["sound"]).state is RunState.UNWOUND
        for name in ("unknown", "unreadable"):
            assert store.require(FlowRun, NAMES[name]).state is RunState.STUCK
            assert store.require(Job, NAMES[name]).state is JobState.RUNNING
    assert "put its plugin back" in caplog.text
