"""Take up what a crash, a stop or a lost node left: `Recovery` unwinds or finishes runs, then ends their jobs.

A run is an orphan when the life of the node that it ran in is over. It is taken up by the node that its own
resource belongs to, under that resource's queue; on a single machine that is always this one. A run waits for the
runs that its steps had called for, so that a child ends before its caller.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import trio

from zstack_appliance.kernel.cloud import Cloud, Kernel
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.job import Job, Jobs, JobState
from zstack_appliance.kernel.journal import OPEN, FlowRun, RunState, keys_of
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.schema import Key

if TYPE_CHECKING:
    from zstack_appliance.kernel.inbox import Inbox

log = logging.getLogger(__name__)

RETRY_STUCK_SECONDS = 60.0
"""How often runs that got stuck are tried again, and what was overlooked is looked for."""


class Recovery:
    """Takes up orphans.

    Args:
        kernel: this node's.
        jobs: ends the jobs.
        inbox: cancels what is served here for nodes that have left.
        nursery: where it works; it lives as long as the appliance.
    """

    def __init__(self, kernel: Kernel, jobs: Jobs, inbox: Inbox, nursery: trio.Nursery) -> None:
        self._kernel = kernel
        self._jobs = jobs
        self._inbox = inbox
        self._nursery = nursery
        self._runs: set[str] = set()
        """Runs that this node has in hand."""
        self._adopted: set[str] = set()

    async def take_up(self) -> None:
        """Take the queue turns of all orphans that belong here, in the order that they began in; then work behind.

        Whoever opens the doors, or lets others be served after a node was lost, calls this first.
        """
        store = self._kernel.store
        runs = [run for state in OPEN for run in store.find(FlowRun, state=state) if self._is_mine(run)]
        for group in _by_own_key(runs):
            self._runs.update(run.uuid for run in group)
            if _own_key(group[0]) in self._kernel.queues.busy():
                self._nursery.start_soon(self._recover_group, group)  # It has its turn after those who are there.
            else:
                await self._nursery.start(self._recover_group, group)
        for job in store.find(Job, state=JobState.RUNNING):
            if self._is_orphan_job(job) and job.uuid not in self._adopted:
                self._adopted.add(job.uuid)
                self._nursery.start_soon(self._adopt, job)

    async def keep_trying(self) -> None:
        """Look again now and then, for ever: for runs that got stuck, too; a background task."""
        while True:
            await trio.sleep(RETRY_STUCK_SECONDS)
            await self.take_up()

    # --- whose it is -----------------------------------------------------------------------------------

    def _is_mine(self, run: FlowRun) -> bool:
        nodes = self._kernel.nodes
        if run.uuid in self._runs or run.uuid in self._kernel.flows.live or not nodes.owns(_own_key(run)):
            return False
        here = run.node_uuid == nodes.me and run.node_epoch == nodes.epoch
        return run.state is RunState.STUCK or here or not _lives(self._kernel, run)

    def _is_orphan_job(self, job: Job) -> bool:
        if not self._kernel.nodes.owns(Job.key(job.uuid)) or job.uuid in self._jobs.running:
            return False
        nodes = self._kernel.nodes
        here = job.node_uuid == nodes.me and job.node_epoch == nodes.epoch
        return here or not _lives(self._kernel, job)

    # --- runs ------------------------------------------------------------------------------------------

    async def _recover_group(
        self, group: list[FlowRun], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Recover the runs of one resource, the newest first: a child's run before its caller's."""
        keys = keys_of(group[0])
        try:
            with self._kernel.queues.on_behalf(keys[:-1]):
                if not keys:
                    task_status.started()
                    await self._recover_all(group)
                    return
                async with self._kernel.queues.turn(keys[-1]):
                    task_status.started()
                    await self._recover_all(group)
        except CloudError as error:
            log.warning("what was lost is taken up later: %s", error)
        finally:
            self._runs.difference_update(run.uuid for run in group)

    async def _recover_all(self, group: list[FlowRun]) -> None:
        for run in group:
            # What the lost node had asked for may still wait or be at work elsewhere, and would come after the undo.
            await self._end_calls(run.job_uuid)
            await self._await_children(run)
            current = self._kernel.store.get(FlowRun, run.uuid)
            if current is None or current.state not in OPEN:
                continue
            owner = self._kernel.store.owner(FlowRun, run.uuid) or SYSTEM.account_uuid
            caused = self._kernel.store.get(Job, run.job_uuid) if run.job_uuid else None
            cloud = Cloud(self._kernel, Principal(owner, admin=True), run.job_uuid, caused.api if caused else None)
            await self._kernel.flows.recover(current, cloud)

    async def _await_children(self, run: FlowRun) -> None:
        """Wait until the runs that a run's steps called for elsewhere have ended, or are stuck themselves."""
        while run.job_uuid is not None and any(
            other.state in (RunState.FORWARD, RunState.BACKWARD) and _is_below(other, run)
            for other in self._kernel.store.find(FlowRun, job_uuid=run.job_uuid)
        ):
            await self._kernel.store.feed.next()

    async def _end_calls(self, job_uuid: str | None) -> None:
        """Have no node serve any more what nodes that have left asked for on a job's behalf."""
        nodes = self._kernel.nodes
        while True:
            changed = nodes.changed
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._inbox.abandon, job_uuid)
                for node in nodes.others:
                    nursery.start_soon(self._kernel.courier.abandon, node, job_uuid)
            if not changed.is_set():
                return  # Else another node may have left meanwhile, and what it had asked for is to end, too.

    # --- jobs ------------------------------------------------------------------------------------------

    async def _adopt(self, job: Job) -> None:
        """End a job whose node was lost: what is served for it elsewhere is cancelled, its runs are waited for."""
        try:
            await self._end_calls(job.uuid)
            await self._jobs.end_by_journal(job.uuid)
        except CloudError as error:
            log.warning("job %s is taken up later: %s", job.uuid, error)
        finally:
            self._adopted.discard(job.uuid)


def _lives(kernel: Kernel, row: FlowRun | Job) -> bool:
    """Whether the node that a row was written by is still in the same life."""
    return row.node_uuid is not None and kernel.nodes.is_member(row.node_uuid, row.node_epoch or 0)


def _own_key(run: FlowRun) -> Key:
    """The key of the resource that a run works on: the innermost that it holds."""
    return keys_of(run)[-1] if run.keys else FlowRun.key(run.uuid)


def _is_below(run: FlowRun, other: FlowRun) -> bool:
    """Whether a run was called for by a step of another run."""
    return len(run.keys) > len(other.keys) and run.keys[: len(other.keys)] == other.keys


def _by_own_key(runs: list[FlowRun]) -> list[list[FlowRun]]:
    """Runs grouped by their own resource, newest first; a run without keys is a group of its own."""
    groups: dict[Any, list[FlowRun]] = {}
    # Both may have begun in one millisecond; a child holds its caller's keys and its own.
    for run in sorted(runs, key=lambda run: (run.create_date, len(run.keys)), reverse=True):
        groups.setdefault(_own_key(run), []).append(run)
    return list(groups.values())
