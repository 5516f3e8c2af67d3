"""Jobs: API calls that outlive their connection.

Primitives: `Job` (the stored row) and `Jobs` (submits, waits, cancels). Any node waits for any job. A job is durable
before the caller hears of it. It ends by completing, by its time limit, by an explicit cancel, or is parked by a
shutdown; a client that goes away changes nothing.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Collection
from typing import Annotated, Any, Protocol

import msgspec
import trio

from zstack_appliance.kernel.audit import Audit, audit_of, ended
from zstack_appliance.kernel.calls import redacted
from zstack_appliance.kernel.errors import CloudError, Conflict, ErrorCode, NotFound, Unavailable
from zstack_appliance.kernel.fair import Fair
from zstack_appliance.kernel.journal import OPEN, FlowRun, RunState
from zstack_appliance.kernel.message import Create, Request, wire_name
from zstack_appliance.kernel.meter import Measure, Meter, unmetered
from zstack_appliance.kernel.peers import OutcomeUnknown
from zstack_appliance.kernel.portal import Portal
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, Principal
from zstack_appliance.kernel.runner import error_code
from zstack_appliance.kernel.schema import HIDDEN, TIMESTAMP, Millis, Record, Uuid, resource
from zstack_appliance.kernel.store import Batch, Tx
from zstack_appliance.kernel.web_hook import ask, job_ended

log = logging.getLogger(__name__)

DEFAULT_SECONDS = 1800.0
"""ZStack's default API timeout, 30 minutes."""


FINISH_SECONDS = 1.0
"""Pause before a job's end is written down again, after the cluster's log did not answer."""


class JobState(enum.Enum):
    """Running → Succeeded or Failed. A parked job stays Running until `Recovery` ends it."""

    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


@resource(wire="org.zstack.appliance", path="/appliance/jobs", owned=True, journal=True, indexes=(("state",),))
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
    node_uuid: Uuid | None = None
    """The node that runs it."""
    node_epoch: Annotated[int | None, HIDDEN] = None
    """Which life of the node that was; see `Nodes`."""


STARTING, STARTING_OF_ONE = 64, 48
"""Jobs that may be in their first moments at once, in all and of one account. A job is at its busiest then; those
beyond wait before they are written down, and accounts take turns."""

STARTING_SECONDS = 0.1
"""How long those moments last at most: a job that waits for a host longer than that keeps nobody from starting."""


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
        meter: is told how long each job took.
    """

    def __init__(self, portal: Portal, render: Render, nursery: trio.Nursery, meter: Meter = unmetered) -> None:
        self._meter = meter
        self._portal = portal
        self._kernel = portal.kernel
        self._render = render
        self._nursery = nursery
        self._awaited: dict[str, trio.Event] = {}
        """By job, what wakes those who wait for its end, wherever it runs."""
        self._scopes: dict[str, trio.CancelScope] = {}
        self._starting = Fair(STARTING, STARTING_OF_ONE)
        self._begun: dict[str, trio.CancelScope] = {}
        """By job, what ends the holding of its place among those that start."""
        self._parking = False
        self._released = False
        self._closed = False

    async def submit(
        self,
        message: Request[Any],
        principal: Principal,
        *,
        job_uuid: str | None = None,
        seconds: float = DEFAULT_SECONDS,
        web_hook: str | None = None,
    ) -> Job:
        """Write the job down, start it, and give it back.

        Args:
            message: the call.
            principal: on whose behalf.
            job_uuid: of the caller's choice.
            seconds: that it may take.
            web_hook: the URL that is told of its end.

        Raises:
            Conflict: `job_uuid` names a job already.
            Unavailable: the appliance is stopping.
        """
        if self._parking or self._closed:
            raise Unavailable("the appliance is stopping; send the request again once it is back", code="SYS.1010")
        job = Job(
            uuid=job_uuid or self._kernel.entropy.uuid(),
            create_date=0,
            last_op_date=0,
            api=wire_name(type(message)),
            state=JobState.RUNNING,
            timeout=int(seconds * 1000),
            request=redacted(message),
            **self._here(),
        )
        if job.uuid in self._scopes:
            raise _duplicate(job.uuid)
        if isinstance(message, Create) and message.resource_uuid is None:
            # Known from the start, so that the audit can name it.
            message = msgspec.structs.replace(message, resource_uuid=self._kernel.entropy.uuid())
        audit = audit_of(message, principal, job.uuid, job_uuid=job.uuid)
        # Before it is written down: a job of this node that is not known to run here is taken for a lost one.
        self._scopes[job.uuid] = trio.CancelScope()
        try:
            await self._starting.enter(principal.account_uuid)
            try:
                job = await self._write_down(job, audit, principal, web_hook)
            except BaseException:
                self._starting.leave(principal.account_uuid)
                raise
        except BaseException:
            self._scopes.pop(job.uuid)
            raise
        self._nursery.start_soon(self._hold_place, job.uuid, principal.account_uuid)
        self._nursery.start_soon(self._run, job, message, principal, seconds)
        return job

    async def _hold_place(self, uuid: str, party: str) -> None:
        """Hold a place among the jobs that start, until the job has ended or has run for a while."""
        try:
            with trio.move_on_after(STARTING_SECONDS) as scope:
                self._begun[uuid] = scope
                if uuid in self._scopes:
                    await trio.sleep_forever()
        finally:
            self._begun.pop(uuid, None)
            self._starting.leave(party)

    def _here(self) -> dict[str, Any]:
        return {"node_uuid": self._kernel.nodes.me, "node_epoch": self._kernel.nodes.epoch}

    async def refuse(
        self,
        message: type[Request[Any]],
        error: CloudError,
        principal: Principal,
        *,
        job_uuid: str | None = None,
        web_hook: str | None = None,
    ) -> Job:
        """Write down a call that was refused before there was a message: a job that has failed already.

        Raises:
            Conflict: `job_uuid` names a job already.
        """
        now = self._kernel.clock.millis()
        refusal = error_code(error)
        job = Job(
            uuid=job_uuid or self._kernel.entropy.uuid(),
            create_date=now,
            last_op_date=now,
            api=wire_name(message),
            state=JobState.FAILED,
            timeout=int(DEFAULT_SECONDS * 1000),
            request="{}",
            finished_date=now,
            error=msgspec.json.encode(refusal).decode(),
            **self._here(),
        )
        audit = audit_of(message, principal, job.uuid, job_uuid=job.uuid)
        return await self._write_down(job, audit, principal, web_hook, refusal)

    async def _write_down(
        self, job: Job, audit: Audit, principal: Principal, web_hook: str | None, refusal: ErrorCode | None = None
    ) -> Job:
        hook_uuid = self._kernel.entropy.uuid() if web_hook is not None else ""

        def commit(tx: Tx) -> Job:
            written = tx.insert(job)
            tx.insert(audit)
            if refusal is not None:
                ended(tx, audit.uuid, refusal.code)
            if web_hook is not None:
                ask(tx, hook_uuid, job.uuid, web_hook, due=job.state is not JobState.RUNNING)
            return written

        try:
            return await self._kernel.store.write(commit, owner=principal.account_uuid, job=job.uuid)
        except Conflict:
            raise _duplicate(job.uuid) from None

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
        if self._kernel.store.get(Job, uuid) is None:
            await self._kernel.store.catch_up()  # It may be another node's, and very new.
        if self.get(uuid).state is JobState.RUNNING and not self._released:
            with trio.move_on_after(seconds):
                await self._awaited.setdefault(uuid, trio.Event()).wait()
        return self.get(uuid)

    def heard(self, batch: Batch) -> None:
        """Listen to the change feed: a job that ends, here or on another node, wakes those who wait for it."""
        for change in batch.changes:
            if isinstance(change.before, Job) and (
                change.after is None or (isinstance(change.after, Job) and change.after.state is not JobState.RUNNING)
            ):
                self._scopes.pop(change.key, None)
                if change.key in self._begun:
                    self._begun[change.key].cancel()
                awaited = self._awaited.pop(change.key, None)
                if awaited is not None:
                    awaited.set()

    def release(self) -> None:
        """Let everybody who waits for a job go with what is known now, because the doors are about to close."""
        self._released = True
        for awaited in self._awaited.values():
            awaited.set()

    @property
    def running(self) -> Collection[str]:
        """The jobs that run here."""
        return self._scopes.keys()

    def cancel(self, uuid: str) -> None:
        """Cancel a running job: what it did is undone, unless it is past its flow's pivot.

        Raises:
            NotFound: no such job runs here.
        """
        if uuid not in self._scopes:
            raise NotFound(f"no running job[{uuid}]; it may have ended already")
        self._scopes[uuid].cancel()

    def close(self) -> None:
        """Take no new jobs; those that run go on."""
        self._closed = True

    def park(self) -> None:
        """Stop all jobs where they are, for the next start to recover; take no new ones."""
        self._parking = True
        self._kernel.courier.park()
        self._kernel.flows.park()
        for scope in list(self._scopes.values()):
            scope.cancel()

    # --- running ---------------------------------------------------------------------------------------

    async def _run(self, job: Job, message: Request[Any], principal: Principal, seconds: float) -> None:
        result: str | None = None
        error: BaseException | None = None
        began = trio.current_time()
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
                return
            late = trio.current_time() >= scope.deadline
            what = self._became_of(job.uuid)
            error = _too_late(seconds, what) if late else _cancelled(what)
        self._meter(Measure.JOB, trio.current_time() - began)
        if isinstance(error, OutcomeUnknown):
            await self.end_by_journal(job.uuid)
            return
        with trio.CancelScope(shield=True):
            await self._finish(job.uuid, result=result, error=error)

    async def _finish(self, uuid: str, *, result: str | None = None, error: BaseException | None = None) -> None:
        """Write a job's end down, as soon as the cluster's log takes it; an appliance that stops leaves it."""
        while True:
            try:
                await self._try_to_finish(uuid, result=result, error=error)
            except Unavailable as failure:
                if self._parking:
                    log.info("the end of job %s is left to whoever takes it up: %s", uuid, failure)
                    return
                if not self._kernel.nodes.clustered:
                    raise
                log.warning("the end of job %s cannot be written down yet: %s", uuid, failure)
            else:
                return
            await trio.sleep(FINISH_SECONDS)

    async def _try_to_finish(self, uuid: str, *, result: str | None = None, error: BaseException | None = None) -> None:
        code = None if error is None else error_code(error)

        def commit(tx: Tx) -> None:
            tx.update(
                tx.require(Job, uuid),
                state=JobState.SUCCEEDED if code is None else JobState.FAILED,
                finished_date=tx.now,
                result=result,
                error=None if code is None else msgspec.json.encode(code).decode(),
            )
            ended(tx, uuid, None if code is None else code.code)
            job_ended(tx, uuid)

        owner = self._kernel.store.owner(Job, uuid) or ADMIN_ACCOUNT  # In its account's turn.
        await self._kernel.store.write(commit, owner=owner, job=uuid)

    def _became_of(self, uuid: str) -> str:
        """What a job that did not end by itself leaves behind, from the journal."""
        states = {run.state for run in self._kernel.store.find(FlowRun, job_uuid=uuid)}
        if RunState.DONE in states:
            return "what it had completed by then stands, so look before you ask for it again"
        return "what it had done is undone" if states else "nothing had been done yet"

    async def end_by_journal(self, uuid: str) -> None:
        """End a job whose call was lost, once all its runs have ended, as the journal has it."""
        while self._has_open_run(uuid):
            await self._kernel.store.feed.next()
        job = self._kernel.store.get(Job, uuid)
        if job is not None and job.state is JobState.RUNNING:
            # A run that another resource's operation had called for, as a cascade does, is a part of the job alone.
            runs = self._kernel.store.find(FlowRun, job_uuid=uuid)
            if any(run.recovered and run.state is RunState.DONE and len(run.keys) <= 1 for run in runs):
                await self._finish(uuid, result="{}")
            else:
                await self._finish(uuid, error=_interrupted(self._became_of(uuid)))

    def _has_open_run(self, job_uuid: str) -> bool:
        return any(run.state in OPEN for run in self._kernel.store.find(FlowRun, job_uuid=job_uuid))


def _duplicate(uuid: str) -> CloudError:
    return Conflict(f"Duplicate job uuid[{uuid}]; choose another one for another request")


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
