"""What the journal notes of steps."""

from __future__ import annotations

from zstack_appliance.kernel.journal import StepRecord, close_step, mark_undo


def test_only_the_running_step_of_that_name_is_closed() -> None:
    steps = [StepRecord(name="a", started=1, ended=2, outcome="done"), StepRecord(name="b", started=2)]
    close_step(steps, "a", 9, "failed")
    close_step(steps, "b", 5, "cancelled")
    assert [(step.ended, step.outcome) for step in steps] == [(2, "done"), (5, "cancelled")]


def test_an_undo_is_noted_beside_the_outcome() -> None:
    steps = [StepRecord(name="a", started=1, ended=2, outcome="done")]
    mark_undo(steps, "a", "done")
    mark_undo(steps, "unknown", "failed")
    assert steps == [StepRecord(name="a", started=1, ended=2, outcome="done", undo="done")]
