"""Forget jobs that nobody asks for any more: a background task."""

from __future__ import annotations

import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import OPEN, FlowRun
from zstack_appliance.kernel.store import Tx

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


def forget_some(tx: Tx, now: int) -> int:
    """Delete up to `_AT_ONCE` jobs that ended too long ago, with their journals; give how many."""
    forgotten = 0
    for state, days in KEEP_DAYS.items():
        for job in tx.find(Job, state=state):
            if forgotten == _AT_ONCE:
                return forgotten
            if (job.finished_date or 0) <= now - days * DAY * 1000 and _forget(tx, job):
                forgotten += 1
    return forgotten


def _forget(tx: Tx, job: Job) -> bool:
    runs = tx.find(FlowRun, job_uuid=job.uuid)
    if any(run.state in OPEN for run in runs):
        return False  # A stuck run is tried again until it ends; its job explains it.
    for run in runs:
        tx.delete(FlowRun, run.uuid)
    tx.delete(Job, job.uuid)
    return True
