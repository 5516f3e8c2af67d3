"""What is written down about a flow while it runs, so that a crash loses nothing.

Primitives: `FlowRun` (one run: where it stands, its sealed context, its steps), `StepRecord` (what became of
one step) and `Sealer` (encrypts contexts).
"""

from __future__ import annotations

import enum
from typing import Protocol

import msgspec

from zstack_appliance.kernel.schema import Key, Record, Uuid, resource


class RunState(enum.Enum):
    """Where a run stands: Forward → Done, or Forward → Backward → Unwound; Stuck waits to be tried again."""

    FORWARD = "Forward"
    BACKWARD = "Backward"
    DONE = "Done"
    UNWOUND = "Unwound"
    STUCK = "Stuck"


class StepRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What became of one step, for people. Times are milliseconds UTC."""

    name: str
    started: int
    ended: int | None = None
    outcome: str | None = None
    """``done``, ``failed`` or ``cancelled``; None while it runs."""
    undo: str | None = None
    """``done``, ``failed`` or ``none`` (it needs no undo); None while it stands."""


@resource(wire="org.zstack.appliance", journal=True, indexes=(("job_uuid",), ("state",)))
class FlowRun(Record, frozen=True, kw_only=True):
    """The journal of one run of a flow."""

    flow: str
    state: RunState
    plan: list[str]
    """The steps that it began with, in order, without the flow's name. It ends by them, whatever the flow is
    by then."""
    pivot: int
    """Index of the first step that only goes forward; past the end without one."""
    position: int
    """Index in the plan: going forward the step that has begun, going backward the next one to undo."""
    context: str
    """The sealed context; empty once the run has ended."""
    keys: list[tuple[str, str]]
    """The queue keys that the run holds, outermost first; recovery takes them again."""
    steps: list[StepRecord]
    job_uuid: Uuid | None = None
    error: str | None = None
    """The `ErrorCode` that turned the run backward, as JSON."""
    node_uuid: Uuid | None = None
    """The node that runs it, or was the last to."""
    node_epoch: int | None = None
    """Which life of the node that was; see `Nodes`."""
    recovered: bool | None = None
    """True once it has been taken up after it was lost."""


OPEN = (RunState.FORWARD, RunState.BACKWARD, RunState.STUCK)
"""The states of a run that still has something to do."""


class Sealer(Protocol):
    """Encrypts what the journal holds, because a context may carry passwords."""

    def seal(self, plain: bytes) -> str:
        """The text to store."""

    def unseal(self, sealed: str) -> bytes:
        """What was sealed."""


def keys_of(row: FlowRun) -> tuple[Key, ...]:
    """The queue keys that a run held."""
    return tuple(Key(table, uuid) for table, uuid in row.keys)


def close_step(steps: list[StepRecord], name: str, now: int, outcome: str) -> None:
    """Note in `steps` how the running step `name` ended, at `now` milliseconds UTC."""
    for i, step in enumerate(steps):
        if step.name == name and step.outcome is None:
            steps[i] = msgspec.structs.replace(step, ended=now or None, outcome=outcome)


def mark_undo(steps: list[StepRecord], name: str, outcome: str) -> None:
    """Note in `steps` what became of the undo of `name`."""
    for i, step in enumerate(steps):
        if step.name == name:
            steps[i] = msgspec.structs.replace(step, undo=outcome)
