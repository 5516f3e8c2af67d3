"""The steps of an operation as cells."""

from __future__ import annotations

from zstack_appliance.tui.job_steps import nothing, step_cells


def test_a_step_shows_its_time_and_its_undo() -> None:
    step = {"name": "vm.create/start", "started": 1_000, "ended": 1_250, "outcome": "failed", "undo": "done"}
    assert step_cells(step) == ("vm.create/start", "failed", "250", "done")
    assert step_cells({"name": "a", "started": 1}) == ("a", "running", "", "")
    assert step_cells({"name": "a", "started": 1, "ended": 1, "outcome": "done", "undo": "none"})[3] == ""


def test_an_operation_without_steps_says_why() -> None:
    assert nothing("Failed").startswith("It was refused")
    assert nothing("Running") != nothing("Succeeded")
