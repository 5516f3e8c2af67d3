"""Jobs from outside: their steps, and cancelling them."""

from __future__ import annotations

from zstack_appliance.cloud.job.messages import CancelJob, GetJobSteps, JobStep, JobSteps
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, NotFound
from zstack_appliance.kernel.job import Job, Jobs, JobState
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.plugin import handles


@handles(GetJobSteps)
async def steps(m: GetJobSteps, cloud: Cloud) -> JobSteps:
    """Serve `GetJobSteps`."""
    found = [
        JobStep(
            flow=run.flow,
            name=step.name,
            started=step.started,
            ended=step.ended,
            outcome=step.outcome,
            undo=step.undo,
        )
        for run in await cloud.find(FlowRun, job_uuid=m.uuid)
        for step in run.steps
    ]
    return JobSteps(steps=tuple(sorted(found, key=lambda step: step.started)))


@handles(CancelJob)
async def cancel(m: CancelJob, cloud: Cloud) -> Job:
    """Serve `CancelJob`: it answers at once, while what was done is still being undone."""
    job = await cloud.get(Job, m.uuid)
    if job.state is not JobState.RUNNING:
        raise Conflict(f"job[{job.uuid}] has {job.state.value} already; there is nothing to cancel")
    if job.node_uuid is not None and job.node_uuid in cloud.kernel.nodes.others:
        await cloud.kernel.courier.call_on(job.node_uuid, Job.key(job.uuid), m, cloud)
        return job
    try:
        cloud.use(Jobs).cancel(job.uuid)
    except NotFound:
        # Its recovery after a restart runs outside any caller's reach, and only ever unwinds or finishes.
        raise Conflict(f"job[{job.uuid}] is being recovered after a restart and ends by itself") from None
    return job
