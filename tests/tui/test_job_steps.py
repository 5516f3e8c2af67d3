"""The steps of an operation as cells."""

from __future__ import annotations

from zstack_appliance.tui.job_steps import nothing, rejections, step_cells


def test_a_step_shows_its_time_and_its_undo() -> None:
    step = {"name": "vm.create/start", "started": 1_000, "ended": 1_250, "outcome": "failed", "undo": "done"}
    assert step_cells(step) == ("vm.create/start", "failed", "250", "done")
    assert step_cells({"name": "a", "started": 1}) == ("a", "running", "", "")
    assert step_cells({"name": "a", "started": 1, "ended": 1, "outcome": "done", "undo": "none"})[3] == ""


def test_an_operation_without_steps_says_why() -> None:
    assert nothing("Failed").startswith("It was refused")
    assert nothing("Running") != nothing("Succeeded")


def test_candidates_that_were_passed_over_are_named_with_their_reasons() -> None:
    error = '{"opaque": {"rejections": [{"name": "host1", "filter": "HostCpuCapacity", "reason": "1 CPU is free"}]}}'
    assert rejections({"error": error}) == [("host1", "HostCpuCapacity", "1 CPU is free")]
    for other in ({}, {"error": None}, {"error": "no JSON"}, {"error": "[]"}, {"error": '{"details": "x"}'}):
        assert rejections(other) == []
