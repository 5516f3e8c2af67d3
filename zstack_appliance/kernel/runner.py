"""Runs flows, journalled: `Flows.run` for a new one, `Flows.recover` for one that a crash left behind.

The journal is one `FlowRun` row per run. A step boundary is one commit: "step n done, n+1 begun", with the
context as it then is; steps that only touch the database run inside that commit, so a row of neighbours
costs one commit together. A crash therefore leaves at most one step half done, and the row says which.
"""

from __future__ import annotations

import copy
import functools
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_args

import msgspec
import trio

from zstack_appliance.kernel.errors import CloudError, ErrorCode, Internal
from zstack_appliance.kernel.flow import Context, Flow, Placed
from zstack_appliance.kernel.journal import OPEN, FlowRun, RunState, Sealer, StepRecord, close_step, mark_undo
from zstack_appliance.kernel.offered import OfferedStep
from zstack_appliance.kernel.plans import Plans, names_in, pivot_of
from zstack_appliance.kernel.schema import SECRET, fields_of
from zstack_appliance.kernel.together import was_cancelled

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud
    from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

UNDO_SECONDS = 120.0
"""How long one undo may take. Stopping a guest by force and removing its disk stays well below a minute."""

UNDO_TRIES = 3
FORWARD_TRIES = 5
RETRY_SECONDS = 1.0
"""First pause between tries; it doubles each time."""

C = TypeVar("C", bound=Context)


class Probe(Protocol):
    """Watches every step; tests fail, cancel or kill a run through it."""

    async def at(self, point: str, step: str) -> None:
        """Called before and after each ``do`` and ``undo``; may raise.

        Args:
            point: ``before-do``, ``after-do``, ``before-undo`` or ``after-undo``.
            step: the step's id.
        """

    def in_tx(self, step: str) -> None:
        """Called inside a commit after a ``tx`` step has run; may raise."""


class NoProbe:
    """Watches nothing."""

    async def at(self, point: str, step: str) -> None:
        """Do nothing."""

    def in_tx(self, step: str) -> None:
        """Do nothing."""


class Parked(Exception):
    """The appliance is stopping: leave the run as it is, for the next start to recover."""


@dataclass
class _Run:
    """One run in memory: the row last committed and the live context."""

    row: FlowRun
    plan: tuple[Placed, ...]
    context: Context
    steps: list[StepRecord] = field(default_factory=list)


class Flows:
    """Runs every flow of one appliance.

    Args:
        flows: every registered flow; recovery finds them by name.
        sealer: encrypts contexts.
        probe: sees every step.
        offered: the steps that plugins offer, by their full names; runs may have begun with them.
    """

    def __init__(
        self,
        flows: Iterable[Flow[Any]],
        sealer: Sealer,
        probe: Probe | None = None,
        offered: Mapping[str, OfferedStep] | None = None,
    ) -> None:
        self._plans = Plans(flows, offered or {})
        self._sealer = sealer
        self._probe: Probe = probe or NoProbe()
        self._parking = False
        self.live: set[str] = set()
        """The uuids of the runs that are under way here."""
        self._shields: set[trio.CancelScope] = set()

    def park(self) -> None:
        """The appliance stops: runs that are cancelled from now on are left as they are.

        Undos and steps past a pivot are shielded from a cancel; here they lose that shield, and the next
        start takes them up again from the journal.
        """
        self._parking = True
        for scope in self._shields:
            scope.shield = False

    @contextmanager
    def _shielded(self, *, shield: bool = True) -> Iterator[None]:
        with trio.CancelScope(shield=shield and not self._parking) as scope:
            self._shields.add(scope)
            try:
                yield
            finally:
                self._shields.discard(scope)

    @contextmanager
    def _alive(self, row: FlowRun) -> Iterator[None]:
        self.live.add(row.uuid)
        try:
            yield
        finally:
            self.live.discard(row.uuid)

    @property
    def plans(self) -> dict[str, tuple[Placed, ...]]:
        """Every registered flow's plan, by name."""
        return self._plans.current

    async def run(self, flow: Flow[C], context: C, cloud: Cloud) -> C:
        """Run `flow` to its end and give back its context.

        Raises:
            CloudError: a step failed; everything before it has been undone.
            Cancelled: the caller's scope was cancelled; likewise undone, unless the appliance is stopping.
        """
        plan = self._plans.current[flow.name]
        row = FlowRun(
            uuid=cloud.entropy.uuid(),
            create_date=0,
            last_op_date=0,
            flow=flow.name,
            state=RunState.FORWARD,
            plan=names_in(flow.name, plan),
            pivot=pivot_of(plan),
            position=0,
            context="",
            keys=[(key.table, key.uuid) for key in cloud.held()],
            steps=[],
            job_uuid=cloud.job_uuid,
            node_uuid=cloud.kernel.nodes.me,
            node_epoch=cloud.kernel.nodes.epoch,
        )
        run = _Run(row, plan, context)
        with self._alive(row):
            await self._forward(run, cloud, fresh=True)
        assert isinstance(run.context, flow.context)
        return run.context

    async def recover(self, row: FlowRun, cloud: Cloud) -> RunState:
        """Finish or unwind a run that a crash or a shutdown left behind; the caller holds its keys.

        One run that cannot even be read, because its plugin is gone, say, must not keep the others waiting:
        it is stuck, like one whose steps fail.

        Returns:
            DONE, UNWOUND, or STUCK when it still does not go through.
        """
        with self._alive(row):
            current, is_ours = await cloud.write(lambda tx: _claim(tx, row, cloud))
            return await self._recover(current, cloud) if is_ours else current.state

    async def _recover(self, row: FlowRun, cloud: Cloud) -> RunState:
        try:
            run = self._reopened(row)
            if row.state is not RunState.BACKWARD and run.plan[row.position].forward_only:
                await self._forward(run, cloud, fresh=False)
            else:
                await self._backward(run, cloud, run.row.position)
        except Exception:
            log.exception("flow %s of job %s is stuck and will be tried again", row.flow, row.job_uuid)
            await cloud.write(lambda tx: tx.update(tx.require(FlowRun, row.uuid), state=RunState.STUCK))
            return RunState.STUCK
        return run.row.state

    def _reopened(self, row: FlowRun) -> _Run:
        flow, plan = self._plans.of(row)
        context = msgspec.json.decode(self._opened(row.context, flow.context), type=flow.context)
        return _Run(row, plan, context, list(row.steps))

    # --- forward ---------------------------------------------------------------------------------------

    async def _forward(self, run: _Run, cloud: Cloud, *, fresh: bool) -> None:
        begun = None if fresh else run.row.position
        try:
            while True:
                if begun is not None:
                    await self._do(run, begun, cloud)
                begun = await self._boundary(run, begun, cloud)
                if begun is None:
                    return
        except BaseException as error:
            await self._turn_back(run, error, cloud)
            raise

    async def _do(self, run: _Run, index: int, cloud: Cloud) -> None:
        placed = run.plan[index]
        attempts = FORWARD_TRIES if placed.forward_only else 1
        for attempt in range(attempts):
            try:
                await self._attempt(run, placed, cloud)
            except CloudError as error:
                if attempt + 1 == attempts:
                    raise
                log.warning("step %s failed and is tried again: %s", placed.id, error)
                await trio.sleep(RETRY_SECONDS * 2**attempt)
            else:
                return

    async def _attempt(self, run: _Run, placed: Placed, cloud: Cloud) -> None:
        step = placed.step
        assert step.do is not None
        # Past the pivot a cancel must not stop half way: the flow can only end by going forward.
        with self._shielded(shield=placed.forward_only):
            await self._probe.at("before-do", placed.id)
            if step.timeout is None:
                await step.do(run.context, cloud)
            else:
                with trio.fail_after(step.timeout):
                    await step.do(run.context, cloud)
            await self._probe.at("after-do", placed.id)

    async def _boundary(self, run: _Run, done: int | None, cloud: Cloud) -> int | None:
        """Commit "done" and the ``tx`` steps that follow; give the next ``do`` step begun, None at the end."""
        start = 0 if done is None else done + 1
        stop = _next_do(run.plan, start)
        at_end = stop == len(run.plan)

        def commit(tx: Tx) -> tuple[FlowRun, Context]:
            context = copy.copy(run.context)
            steps = list(run.steps)
            if done is not None:
                close_step(steps, run.plan[done].id, tx.now, "done")
            for placed in run.plan[start:stop]:
                assert placed.step.tx is not None
                placed.step.tx(tx, context)
                self._probe.in_tx(placed.id)
                steps.append(StepRecord(name=placed.id, started=tx.now, ended=tx.now, outcome="done"))
            if not at_end:
                steps.append(StepRecord(name=run.plan[stop].id, started=tx.now))
            changes: dict[str, Any] = {
                "position": min(stop, len(run.plan) - 1),
                "state": RunState.DONE if at_end else RunState.FORWARD,
                "context": "" if at_end else self._seal(context),
                "steps": steps,
            }
            return self._save(tx, run, changes), context

        with trio.CancelScope(shield=True):
            # A commit that is under way may not be abandoned: the row would move on without us.
            row, context = await cloud.write(commit)
        run.row, run.context, run.steps = row, context, list(row.steps)
        return None if at_end else stop

    def _save(self, tx: Tx, run: _Run, changes: dict[str, Any]) -> FlowRun:
        if run.row.create_date == 0:
            row = msgspec.structs.replace(run.row, create_date=tx.now, last_op_date=tx.now, **changes)
            tx.insert(row)
            return row
        return tx.update(run.row, **changes)

    def _seal(self, context: Context) -> str:
        """The context as it is stored: encrypted if it may hold a secret, else plain, which is half the size."""
        plain = msgspec.json.encode(context)
        return self._sealer.seal(plain) if holds_secrets(type(context)) else plain.decode()

    def _opened(self, stored: str, context: type[Context]) -> bytes:
        return self._sealer.unseal(stored) if holds_secrets(context) else stored.encode()

    # --- backward --------------------------------------------------------------------------------------

    async def _turn_back(self, run: _Run, error: BaseException, cloud: Cloud) -> None:
        cancelled = was_cancelled(error)
        if run.row.create_date == 0 or (self._parking and cancelled):
            return  # Nothing was committed, or the next start goes on from the journal.
        if not cancelled and not isinstance(error, Exception):
            return  # KeyboardInterrupt and the like: as good as a crash.
        if run.plan[run.row.position].forward_only:
            await self._set_stuck(run, error, cloud)
            return
        outcome = "cancelled" if cancelled else "failed"
        close_step(run.steps, run.plan[run.row.position].id, cloud.clock.millis(), outcome)
        await self._backward(run, cloud, run.row.position, error)

    async def _backward(self, run: _Run, cloud: Cloud, index: int, error: BaseException | None = None) -> None:
        """Undo from step `index` down to the first. Shielded: whoever cancels waits for a clean end."""
        with self._shielded():
            while index >= 0:
                if run.plan[index].step.undo is not None:
                    await self._record(run, RunState.BACKWARD, index, error, cloud)
                    if not await self._undo(run, index, cloud):
                        await self._record(run, RunState.STUCK, index, error, cloud)
                        return
                try:
                    index = await self._undo_commit(run, index, error, cloud)
                except Exception:
                    log.exception("what %s wrote cannot be undone", run.plan[index].id)
                    await self._record(run, RunState.STUCK, index, error, cloud)
                    return

    async def _undo(self, run: _Run, index: int, cloud: Cloud) -> bool:
        placed = run.plan[index]
        assert placed.step.undo is not None
        for attempt in range(UNDO_TRIES):
            try:
                with trio.fail_after(UNDO_SECONDS):
                    await self._probe.at("before-undo", placed.id)
                    await placed.step.undo(run.context, cloud)
                    await self._probe.at("after-undo", placed.id)
            except Exception:
                log.exception("undo of %s failed (try %d of %d)", placed.id, attempt + 1, UNDO_TRIES)
                if attempt + 1 < UNDO_TRIES:
                    await trio.sleep(RETRY_SECONDS * 2**attempt)
            else:
                return True
        mark_undo(run.steps, placed.id, "failed")
        return False

    async def _undo_commit(self, run: _Run, index: int, error: BaseException | None, cloud: Cloud) -> int:
        """Record the undo of `index`, run the ``undo_tx`` of it and its neighbours; give the next index."""
        stop = _next_undo(run.plan, index)

        def commit(tx: Tx) -> tuple[FlowRun, Context]:
            context = copy.copy(run.context)
            steps = list(run.steps)
            for placed in reversed(run.plan[stop + 1 : index + 1]):
                if placed.step.undo_tx is not None:
                    placed.step.undo_tx(tx, context)
                mark_undo(steps, placed.id, "none" if placed.step.undone_by is None else "done")
            ended = stop < 0
            changes: dict[str, Any] = {
                "position": max(stop, 0),
                "state": RunState.UNWOUND if ended else RunState.BACKWARD,
                "context": "" if ended else self._seal(context),
                "steps": steps,
                "error": _encode(error) or run.row.error,
            }
            return self._save(tx, run, changes), context

        run.row, run.context = await cloud.write(commit)
        run.steps = list(run.row.steps)
        return stop

    async def _set_stuck(self, run: _Run, error: BaseException, cloud: Cloud) -> None:
        with trio.CancelScope(shield=True):
            await self._record(run, RunState.STUCK, run.row.position, error, cloud)

    async def _record(self, run: _Run, state: RunState, index: int, error: BaseException | None, cloud: Cloud) -> None:
        if run.row.state is state and run.row.position == index and run.row.steps == run.steps:
            return
        run.row = await cloud.write(
            lambda tx: tx.update(
                run.row,
                state=state,
                position=index,
                steps=list(run.steps),
                error=_encode(error) or run.row.error,
            )
        )


def _claim(tx: Tx, row: FlowRun, cloud: Cloud) -> tuple[FlowRun, bool]:
    """Have the run be this node's; one that has ended meanwhile, or that another node took up, is left alone."""
    current = tx.require(FlowRun, row.uuid)
    if current.state not in OPEN or (current.node_uuid, current.node_epoch) != (row.node_uuid, row.node_epoch):
        return current, False
    nodes = cloud.kernel.nodes
    return tx.update(current, node_uuid=nodes.me, node_epoch=nodes.epoch, recovered=True), True


@functools.cache
def holds_secrets(struct: type[msgspec.Struct]) -> bool:
    """Whether a field that is marked `SECRET` is anywhere inside values of this type."""
    return any(
        field.marked(SECRET) or any(holds_secrets(inner) for inner in _structs_in(field.type))
        for field in fields_of(struct)
    )


def _structs_in(hint: Any) -> Iterator[type[msgspec.Struct]]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in get_args(hint):
        yield from _structs_in(argument)


def _next_do(plan: tuple[Placed, ...], start: int) -> int:
    return next((i for i in range(start, len(plan)) if plan[i].step.do is not None), len(plan))


def _next_undo(plan: tuple[Placed, ...], index: int) -> int:
    """The nearest step below `index` whose undo reaches outside the database, or -1."""
    return next((i for i in range(index - 1, -1, -1) if plan[i].step.undo is not None), -1)


def _encode(error: BaseException | None) -> str | None:
    if error is None:
        return None
    return msgspec.json.encode(error_code(error)).decode()


def error_code(error: BaseException) -> ErrorCode:
    """Any failure as ZStack's clients know it; a defect of ours is named without its inner details."""
    if isinstance(error, CloudError):
        return error.to_wire()
    if was_cancelled(error):
        return Internal("the operation was cancelled; what it had done is undone", code="SYS.1017").to_wire()
    if isinstance(error, trio.TooSlowError):
        return Internal("the operation took longer than it may; what it had done is undone", code="SYS.1001").to_wire()
    return Internal(f"an internal error happened: {type(error).__name__}; see the log").to_wire()
