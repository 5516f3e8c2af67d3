"""Jobs: API calls that outlive their connection.

Primitives: `Job` (the stored row) and `Jobs` (submits, waits, cancels, recovers). A job is durable before
the caller hears of it. It ends by completing, by its time limit, by an explicit cancel, or is parked by a
shutdown; a client that goes away changes nothing.
"""

from __future__ import annotations

import enum
import logging
from contextlib import AsyncExitStack
from typing import Annotated, Any, Protocol

import msgspec
import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError, Conflict, NotFound, Unavailable
from zstack_appliance.kernel.journal import OPEN, FlowRun, RunState, keys_of
from zstack_appliance.kernel.message import Request, wire_name
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.principal import SYSTEM, Principal
from zstack_appliance.kernel.runner import error_code
from zstack_appliance.kernel.schema import HIDDEN, SECRET, TIMESTAMP, Millis, Record, fields_of, resource

log = logging.getLogger(__name__)

DEFAULT_SECONDS = 1800.0
"""ZStack's default API timeout, 30 minutes."""

RETRY_STUCK_SECONDS = 60.0
"""How often runs that got stuck are tried again."""


class JobState(enum.Enum):
    """Running → Succeeded or Failed. A parked job stays Running until the next start ends it."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@resource(
    wire="org.zstack.appliance", path="/appliance/jobs", owned=True, local=True, journal=True, indexes=(("state",),)
)
class Job(Record, frozen=True, kw_only=True):
    """One API call that was answered 202."""

    api: str
    """ZStack's message class."""
    state: JobState
    timeout: int
    """Milliseconds that it may take."""
    request: str
    """The call as JSON, secrets left out."""
    finished_date: Annotated[Millis | None, TIMESTAMP] = None
    result: Annotated[str | None, HIDDEN] = None
    """The body that ``/api-jobs`` answers on success."""
    error: str | None = None
    """The `ErrorCode` as JSON."""


class Render(Protocol):
    """Turns a handler's reply into the body that a door answers."""

    async def __call__(self, message: Request[Any], reply: Any, principal: Principal) -> dict[str, Any]:
        """The body, ready for JSON, with what the principal may see."""


class Jobs:
    """All jobs of one node.

    Args:
        portal: serves the calls.
        render: makes the bodies of results.
        nursery: where jobs run; it outlives every connection.
    """

    def __init__(self, portal: Portal, render: Render, nursery: trio.Nursery) -> None:
        self._portal = portal
        self._kernel = portal.kernel
        self._render = render
        self._nursery = nursery
        self._ended: dict[str, trio.Event] = {}
        self._scopes: dict[str, trio.CancelScope] = {}
        self._parking = False

    async def submit(
        self,
        message: Request[Any],
        principal: Principal,
        *,
        job_uuid: str | None = None,
        seconds: float = DEFAULT_SECONDS,
    ) -> Job:
        """Write the job down, start it, and give it back.

        Raises:
            Conflict: `job_uuid` names a job already.
            Unavailable: the appliance is stopping.
        """
        if self._parking:
            raise Unavailable("the appliance is stopping; send the request again once it is back", code="SYS.1010")
        job = Job(
            uuid=job_uuid or self._kernel.entropy.uuid(),
            create_date=0,
            last_op_date=0,
            api=wire_name(type(message)),
            state=JobState.RUNNING,
            timeout=int(seconds * 1000),
            request=redacted(message),
        )
        job = await self._write_down(job, principal)
        self._ended[job.uuid] = trio.Event()
        self._scopes[job.uuid] = trio.CancelScope()
        self._nursery.start_soon(self._run, job, message, principal, seconds)
        return job

    async def refuse(
        self,
        message: type[Request[Any]],
        error: CloudError,
        principal: Principal,
        *,
        job_uuid: str | None = None,
    ) -> Job:
        """Write down a call that was refused before there was a message: a job that has failed already.

        Raises:
            Conflict: `job_uuid` names a job already.
        """
        now = self._kernel.clock.millis()
        job = Job(
            uuid=job_uuid or self._kernel.entropy.uuid(),
            create_date=now,
            last_op_date=now,
            api=wire_name(message),
            state=JobState.FAILED,
            timeout=int(DEFAULT_SECONDS * 1000),
            request="{}",
            finished_date=now,
            error=msgspec.json.encode(error_code(error)).decode(),
        )
        return await self._write_down(job, principal)

    async def _write_down(self, job: Job, principal: Principal) -> Job:
        try:
            return await self._kernel.store.write(lambda tx: tx.insert(job), owner=principal.account_uuid, job=job.uuid)
        except Conflict:
            raise Conflict(f"Duplicate job uuid[{job.uuid}]; choose another one for another request") from None

    def get(self, uuid: str) -> Job:
        """A job as it is now.

        Raises:
            NotFound: unknown, or forgotten.
        """
        return self._kernel.store.require(Job, uuid)

    async def wait(self, uuid: str, seconds: float) -> Job:
        """Wait until a job has ended, at most `seconds`, and give it as it then is.

        Raises:
            NotFound: unknown, or forgotten.
        """
        ended = self._ended.get(uuid)
        if ended is not None:
            with trio.move_on_after(seconds):
                await ended.wait()
        return self.get(uuid)

    def release(self) -> None:
        """Let everybody who waits for a job go with what is known now, because the doors are about to close."""
        for ended in self._ended.values():
            ended.set()

    def cancel(self, uuid: str) -> None:
        """Cancel a running job: what it did is undone, unless it is past its flow's pivot.

        Raises:
            NotFound: no such job runs here.
        """
        if uuid not in self._scopes:
            raise NotFound(f"no running job[{uuid}]; it may have ended already")
        self._scopes[uuid].cancel()

    def park(self) -> None:
        """Stop all jobs where they are, for the next start to recover; take no new ones."""
        self._parking = True
        self._kernel.flows.park()
        for scope in list(self._scopes.values()):
            scope.cancel()

    async def recover(self) -> None:
        """Take up what a crash or a shutdown left: unwind or finish each run, then end its job.

        Queue turns are taken in the order that the runs began in, before any new request can wait in line.
        """
        store = self._kernel.store
        runs = [run for state in OPEN for run in store.find(FlowRun, state=state)]
        for job in store.find(Job, state=JobState.RUNNING):
            self._ended[job.uuid] = trio.Event()
        for group in _by_outermost_key(runs):
            await self._nursery.start(self._recover_group, group)
        with_runs = {run.job_uuid for run in runs}
        for job in store.find(Job, state=JobState.RUNNING):
            if job.uuid not in with_runs and job.uuid not in self._scopes:
                await self._finish(job.uuid, error=_interrupted(self._became_of(job.uuid)))
                self._forget(job.uuid)

    async def retry_stuck(self) -> None:
        """Try runs that got stuck again, for ever; a background task."""
        while True:
            await trio.sleep(RETRY_STUCK_SECONDS)
            for group in _by_outermost_key(self._kernel.store.find(FlowRun, state=RunState.STUCK)):
                self._nursery.start_soon(self._recover_group, group)

    # --- running ---------------------------------------------------------------------------------------

    async def _run(self, job: Job, message: Request[Any], principal: Principal, seconds: float) -> None:
        result: str | None = None
        error: BaseException | None = None
        with self._scopes[job.uuid] as scope:
            scope.deadline = trio.current_time() + seconds
            try:
                reply = await self._portal.serve(message, principal, job.uuid)
                with trio.CancelScope(shield=True):
                    # The work is done: a cancel that comes now may not make a failure of it.
                    result = msgspec.json.encode(await self._render(message, reply, principal)).decode()
            except Exception as failure:  # noqa: BLE001 — whatever a handler raises becomes the job's error.
                error = failure
                _log(job, failure)
        if scope.cancelled_caught and result is None:
            if self._parking:
                self._forget(job.uuid)
                return
            late = trio.current_time() >= scope.deadline
            what = self._became_of(job.uuid)
            error = _too_late(seconds, what) if late else _cancelled(what)
        with trio.CancelScope(shield=True):
            await self._finish(job.uuid, result=result, error=error)
        self._forget(job.uuid)

    async def _finish(self, uuid: str, *, result: str | None = None, error: BaseException | None = None) -> None:
        await self._kernel.store.write(
            lambda tx: tx.update(
                tx.require(Job, uuid),
                state=JobState.SUCCEEDED if error is None else JobState.FAILED,
                finished_date=tx.now,
                result=result,
                error=None if error is None else msgspec.json.encode(error_code(error)).decode(),
            ),
            job=uuid,
        )

    def _became_of(self, uuid: str) -> str:
        """What a job that did not end by itself leaves behind, from the journal."""
        states = {run.state for run in self._kernel.store.find(FlowRun, job_uuid=uuid)}
        if RunState.DONE in states:
            return "what it had completed by then stands, so look before you ask for it again"
        return "what it had done is undone" if states else "nothing had been done yet"

    def _forget(self, uuid: str) -> None:
        self._scopes.pop(uuid, None)
        ended = self._ended.pop(uuid, None)
        if ended is not None:
            ended.set()

    async def _recover_group(
        self, group: list[FlowRun], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Recover runs that hold one outermost key, the newest first: a child's run before its caller's."""
        keys = keys_of(group[0])
        async with AsyncExitStack() as turns:
            if keys:
                await turns.enter_async_context(self._kernel.queues.turn(keys[0]))
            task_status.started()
            for run in group:
                await self._recover_run(run)

    async def _recover_run(self, run: FlowRun) -> None:
        owner = self._kernel.store.owner(FlowRun, run.uuid) or SYSTEM.account_uuid
        caused = self._kernel.store.get(Job, run.job_uuid) if run.job_uuid else None
        cloud = Cloud(self._kernel, Principal(owner, admin=True), run.job_uuid, caused.api if caused else None)
        async with AsyncExitStack() as turns:
            for key in keys_of(run)[1:]:
                await turns.enter_async_context(self._kernel.queues.turn(key))
            current = self._kernel.store.get(FlowRun, run.uuid)
            if current is None or current.state not in OPEN:
                return
            state = await self._kernel.flows.recover(current, cloud)
        job = self._kernel.store.get(Job, run.job_uuid) if run.job_uuid else None
        if job is None or job.state is not JobState.RUNNING or self._has_open_run(job.uuid):
            return
        # A run that another resource's operation had called for, as a cascade does, is a part of the job alone.
        if state is RunState.DONE and len(run.keys) <= 1:
            await self._finish(job.uuid, result="{}")
        else:
            await self._finish(job.uuid, error=_interrupted(self._became_of(job.uuid)))
        self._forget(job.uuid)

    def _has_open_run(self, job_uuid: str) -> bool:
        return any(run.state in OPEN for run in self._kernel.store.find(FlowRun, job_uuid=job_uuid))


def _by_outermost_key(runs: list[FlowRun]) -> list[list[FlowRun]]:
    """Runs grouped by the first key they hold, newest first; a run without keys is a group of its own."""
    groups: dict[Any, list[FlowRun]] = {}
    # Both may have begun in one millisecond; a child holds its caller's keys and its own.
    for run in sorted(runs, key=lambda run: (run.create_date, len(run.keys)), reverse=True):
        groups.setdefault(run.keys[0] if run.keys else run.uuid, []).append(run)
    return list(groups.values())


def redacted(message: Request[Any]) -> str:
    """A message as JSON without the fields that are marked `SECRET`."""
    secret = {field.wire for field in fields_of(type(message)) if field.marked(SECRET)}
    plain = {key: value for key, value in msgspec.to_builtins(message).items() if value is not None}
    return msgspec.json.encode({key: "*" * 6 if key in secret else value for key, value in plain.items()}).decode()


def _interrupted(what: str) -> CloudError:
    return Unavailable(f"the appliance stopped while this ran; {what}; send the request again", code="SYS.1012")


def _cancelled(what: str) -> CloudError:
    return Unavailable(f"the operation was cancelled; {what}", code="SYS.1017")


def _too_late(seconds: float, what: str) -> CloudError:
    return Unavailable(f"the operation took longer than its {seconds:g} s; {what}; allow it more time", code="SYS.1001")


def _log(job: Job, failure: Exception) -> None:
    if isinstance(failure, CloudError):
        log.info("job %s (%s) failed: %s %s", job.uuid, job.api, failure, failure.detail_for_log)
    else:
        log.error("job %s (%s) failed", job.uuid, job.api, exc_info=failure)
