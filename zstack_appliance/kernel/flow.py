"""Flows: an operation as an ordered list of steps, each with its undo.

Primitives: `Step`, `Flow` and `Context`. A flow is a value; `kernel/runner.py` runs it, journalled, so that
after a crash it is unwound or finished.

- A step with ``do`` reaches outside the database. It is journalled before it runs, so its ``undo`` must put
  up with a half-done step, and with being repeated.
- A step with ``tx`` only touches the database. It runs inside the commit that records it: never half done.
- ``steps`` makes a step of a sub-flow, whose steps take its place and share its context.
- One step may be the ``pivot``. Before it a failure, a cancel or a crash unwinds the flow; from it on, the
  steps are repeatable and only go forward, because what they undo would no longer be there to restore.
"""

from __future__ import annotations

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


@dataclass(frozen=True)
class Flow(Generic[C]):
    """An operation: its name, the type of its context, and its steps in order.

    The steps are behind a function so that the flow can stand at the top of its file, above the functions
    that it names.
    """

    name: str
    context: type[C]
    steps: Callable[[], tuple[Step, ...]]

    def plan(self) -> tuple[Placed, ...]:
        """The steps in the order that they run in, sub-flows spread out.

        Raises:
            ValueError: two steps have one name, a step before the pivot neither has an undo nor says why, or
                there is more than one pivot.
        """
        placed = tuple(_spread(self.name, self.steps()))
        _check(self.name, placed)
        return placed


@dataclass(frozen=True)
class Placed:
    """A step at its place in a plan."""

    id: str
    """Stable: ``vm_instance.create/allocate_host``."""
    step: Step
    forward_only: bool
    """Whether it is the pivot or comes after it."""


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


def _check(flow: str, placed: tuple[Placed, ...]) -> None:
    ids = [entry.id for entry in placed]
    if len(set(ids)) != len(ids):
        raise ValueError(f"flow {flow}: two steps have one name")
    if sum(entry.step.pivot for entry in placed) > 1:
        raise ValueError(f"flow {flow}: more than one pivot")
    for entry in placed:
        if not entry.forward_only and entry.step.undone_by is None and not entry.step.keeps:
            raise ValueError(f"step {entry.id}: give it an undo, or say in `keeps` why it needs none")
