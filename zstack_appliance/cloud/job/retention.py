"""Forget jobs that nobody asks for any more: a background task."""

from __future__ import annotations

import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import OPEN, FlowRun
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.web_hook import WebHook

DAY = 24 * 3600
KEEP_DAYS = {JobState.SUCCEEDED: 7, JobState.FAILED: 30}
"""How long an ended job is kept; failed ones longer, because somebody may still ask why."""

_AT_ONCE = 500
"""Jobs forgotten in one commit, so that a large clean-up holds nobody up."""


async def forget_old(cloud: Cloud) -> None:
    """Look once an hour, until cancelled."""
    while True:
        while await cloud.write(lambda tx: forget_some(tx, tx.now)):
            await trio.lowlevel.checkpoint()
        await trio.sleep(3600)


_DUE = f"""
SELECT uuid FROM {describe(Job).table} AS job
 WHERE state = ? AND finished_date <= ?
   AND NOT EXISTS (SELECT 1 FROM {describe(FlowRun).table} AS run
                    WHERE run.job_uuid = job.uuid AND run.state IN ({", ".join("?" * len(OPEN))}))
 LIMIT ?
"""


def forget_some(tx: Tx, now: int) -> int:
    """Delete up to `_AT_ONCE` jobs that ended too long ago, with their journals; give how many.

    A job whose flow is stuck stays: the flow is tried again until it ends, and its job explains it.
    """
    open_states = tuple(state.value for state in OPEN)
    forgotten = 0
    for state, days in KEEP_DAYS.items():
        until = now - days * DAY * 1000
        for (uuid,) in tx.select(_DUE, (state.value, until, *open_states, _AT_ONCE - forgotten)):
            for run in tx.find(FlowRun, job_uuid=uuid):
                tx.delete(FlowRun, run.uuid)
            for hook in tx.find(WebHook, job_uuid=uuid):
                tx.delete(WebHook, hook.uuid)
            tx.delete(Job, uuid)
            forgotten += 1
    return forgotten
