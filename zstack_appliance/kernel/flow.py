"""Flows: an operation as an ordered list of steps, each with its undo.

Primitives: `Step`, `Flow` and `Context`. A flow is a value; `kernel/runner.py` runs it, journalled, so that
after a crash it is unwound or finished.

- A step with ``do`` reaches outside the database. It is journalled before it runs, so its ``undo`` must put
  up with a half-done step, and with being repeated.
- A step with ``tx`` only touches the database. It runs inside the commit that records it: never half done.
- ``steps`` makes a step of a sub-flow, whose steps take its place and share its context.
- One step may be the ``pivot``. Before it a failure, a cancel or a crash unwinds the flow; from it on, the
  steps are repeatable and only go forward, because what they undo would no longer be there to restore.

A `Change` puts a step of somebody else into a flow, or in the place of one of its own (`kernel/flow_edits.py`).
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud
    from zstack_appliance.kernel.store import Tx


class Context(msgspec.Struct, kw_only=True):
    """What the steps of one flow share, saved with every step. Its fields hold frozen values only."""


C = TypeVar("C", bound=Context)
Do = Callable[[Any, "Cloud"], Awaitable[None]]
TxDo = Callable[["Tx", Any], None]


@dataclass(frozen=True)
class Step:
    """One step. Exactly one of `do`, `tx` and `steps` is given, and at most one undo.

    Args:
        name: snake case; with the flow's name it identifies the step for ever.
        do: ``async def step(context, cloud)``.
        tx: ``def step(tx, context)``, synchronous and safe to run again.
        undo: reverses `do`, also when it was half done; safe to repeat.
        undo_tx: reverses the step inside the commit that records the reversal.
        steps: the steps of a sub-flow.
        pivot: from this step on the flow only goes forward.
        keeps: where a step before the pivot has no undo, the reason why nothing is left behind.
        with_next: what it writes is taken back by the next step, which begins in the same commit, or by nobody
            because nothing follows. So no step of others that reaches outside may come right after it.
        timeout: seconds that `do` may take; the job's own limit holds besides.
    """

    name: str
    do: Do | None = None
    tx: TxDo | None = None
    undo: Do | None = None
    undo_tx: TxDo | None = None
    steps: tuple[Step, ...] = ()
    pivot: bool = False
    keeps: str = ""
    with_next: bool = False
    timeout: float | None = None

    def __post_init__(self) -> None:
        """Refuse a step that says two things at once.

        Raises:
            ValueError: the arguments contradict one another.
        """
        if sum((self.do is not None, self.tx is not None, bool(self.steps))) != 1:
            raise ValueError(f"step {self.name}: give exactly one of do, tx and steps")
        if self.undo is not None and self.undo_tx is not None:
            raise ValueError(f"step {self.name}: give undo or undo_tx, not both")

    @property
    def undone_by(self) -> Do | TxDo | None:
        """Whichever undo the step has."""
        return self.undo or self.undo_tx


class Where(enum.Enum):
    """How a step of somebody else stands to a step of a flow."""

    BEFORE = "before"
    AFTER = "after"
    INSTEAD_OF = "instead_of"


@dataclass(frozen=True)
class Change:
    """A step of somebody else in a flow.

    Args:
        where: how it stands to `at`.
        at: the id of one of the flow's own steps.
        step: under its full name, ``plugin.step``.
        by: the plugin that it comes from.
        source: who wants it there, for errors: ``plugin rack``, or a file and a line.
    """

    where: Where
    at: str
    step: Step
    by: str
    source: str


@dataclass(frozen=True)
class Flow(Generic[C]):
    """An operation: its name, the type of its context, and its steps in order.

    The steps are behind a function so that the flow can stand at the top of its file, above the functions
    that it names.
    """

    name: str
    context: type[C]
    steps: Callable[[], tuple[Step, ...]]
    changes: tuple[Change, ...] = ()
    """Steps of others; nobody writes them here, see `kernel/flow_edits.py`."""

    def plan(self) -> tuple[Placed, ...]:
        """The steps in the order that they run in, sub-flows spread out, the changes made.

        Raises:
            ValueError: two steps have one name, a step before the pivot neither has an undo nor says why,
                there is more than one pivot, or a change does not fit.
        """
        placed = changed(self.own(), self.changes)
        _check(self.name, placed)
        return placed

    def own(self) -> tuple[Placed, ...]:
        """The steps as the flow itself has them."""
        return tuple(_spread(self.name, self.steps()))


@dataclass(frozen=True)
class Placed:
    """A step at its place in a plan."""

    id: str
    """Stable: ``vm_instance.create/allocate_host``."""
    step: Step
    forward_only: bool
    """Whether it is the pivot or comes after it."""
    change: Change | None = None
    """How it came here; None for a step of the flow's own."""


def _spread(prefix: str, steps: tuple[Step, ...], *, forward_only: bool = False) -> Iterator[Placed]:
    for step in steps:
        forward_only = forward_only or step.pivot
        step_id = f"{prefix}/{step.name}"
        if step.steps:
            for placed in _spread(step_id, step.steps, forward_only=forward_only):
                forward_only = forward_only or placed.forward_only
                yield placed
        else:
            yield Placed(step_id, step, forward_only)


def changed(own: tuple[Placed, ...], changes: tuple[Change, ...]) -> tuple[Placed, ...]:
    """A plan with the steps of others in it, in the order in which they are given at each place.

    Raises:
        ValueError: a change names no step, replaces what is replaced already, or makes or loses a pivot.
    """
    ids = [entry.id for entry in own]
    for change in changes:
        if change.at not in ids:
            raise ValueError(f"{change.source}: there is no step {change.at}; its flow has {', '.join(ids)}")
    found: list[Placed] = []
    forward = False
    for entry in own:
        there = [change for change in changes if change.at == entry.id]
        found += (_placed(change, forward_only=forward) for change in there if change.where is Where.BEFORE)
        found.append(_replaced(entry, there, is_pivot=entry.forward_only and not forward))
        forward = entry.forward_only
        found += (_placed(change, forward_only=forward) for change in there if change.where is Where.AFTER)
    return tuple(found)


def _placed(change: Change, *, forward_only: bool) -> Placed:
    if change.step.pivot and change.where is not Where.INSTEAD_OF:
        raise ValueError(f"{change.source}: {change.step.name} is a pivot, which can only stand instead of a pivot")
    return Placed(f"{change.at.partition('/')[0]}/{change.step.name}", change.step, forward_only, change)


def _replaced(entry: Placed, changes: list[Change], *, is_pivot: bool) -> Placed:
    instead = [change for change in changes if change.where is Where.INSTEAD_OF]
    if not instead:
        return entry
    change, *more = instead
    if more:
        raise ValueError(f"{more[0].source}: {entry.id} is replaced already, by {change.step.name} ({change.source})")
    if is_pivot and not change.step.pivot:
        raise ValueError(
            f"{change.source}: {entry.id} is the flow's pivot, and {change.step.name} is none; only a step that can"
            " be repeated, and says pivot=True, can take its place"
        )
    if change.step.pivot and not is_pivot:
        raise ValueError(f"{change.source}: {change.step.name} is a pivot, and {entry.id} is none; replace the pivot")
    return _placed(change, forward_only=entry.forward_only)


def _check(flow: str, placed: tuple[Placed, ...]) -> None:
    seen: set[str] = set()
    for entry in placed:
        if entry.id in seen:
            raise ValueError(f"{_blamed(flow, entry)}: two steps have one name, {entry.id}; a step stands there once")
        seen.add(entry.id)
    if sum(entry.step.pivot for entry in placed) > 1:
        raise ValueError(f"flow {flow}: more than one pivot")
    for entry in placed:
        if not entry.forward_only and entry.step.undone_by is None and not entry.step.keeps:
            where = f"{entry.change.source}: " if entry.change else ""
            raise ValueError(
                f"{where}step {entry.id}: give it an undo, or say in `keeps` why it needs none;"
                " what stands before the pivot may have to be taken back"
            )
    _check_neighbours(placed)


def _check_neighbours(placed: tuple[Placed, ...]) -> None:
    """Nothing that waits may come between a step and the one that takes back what it wrote."""
    waiting: Placed | None = None
    for entry in placed:
        if waiting is not None and entry.change is not None and entry.change.where is not Where.INSTEAD_OF:
            if entry.step.do is not None:
                raise ValueError(
                    f"{entry.change.source}: {entry.step.name} reaches outside the database, and nothing like that"
                    f" may follow {waiting.id} directly; put it before {waiting.id}"
                )
        else:
            waiting = entry if entry.step.with_next else None


def _blamed(flow: str, entry: Placed) -> str:
    return entry.change.source if entry.change is not None else f"flow {flow}"
