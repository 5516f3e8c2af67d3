"""Steps of a job, shown while it runs."""

from __future__ import annotations

import io
from typing import Any

from zstack_appliance.cli.client import Answer, Client
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.steps import StepWatch, sentence, watch_at_terminal

RUNNING = {"flow": "f", "name": "f/a", "started": 1000}
DONE = {**RUNNING, "ended": 1012, "outcome": "done"}
UNDONE = {**DONE, "undo": "done"}


class Scripted(Client):
    """A client that is answered from a list."""

    def __init__(self, *answers: list[dict[str, Any]]) -> None:
        super().__init__(Place("http://localhost"))
        self._answers = list(answers)

    def send(self, method: str, path: str, body: object = None, **_: Any) -> Answer:
        assert (method, path) == ("GET", "/appliance/jobs/j/steps")
        return Answer(200, {"steps": self._answers.pop(0)})


def test_each_end_of_a_step_is_told_once() -> None:
    out = io.StringIO()
    watch = StepWatch(Scripted([RUNNING], [DONE], [DONE], [UNDONE]), out)
    for _ in range(4):
        watch("j")
    assert out.getvalue() == "  f/a: done in 12 ms\n  f/a: undo done\n"


def test_words() -> None:
    assert [sentence(step) for step in (RUNNING, DONE)] == ["f/a: running", "f/a: done in 12 ms"]


def test_nobody_watches_where_nobody_looks() -> None:
    assert watch_at_terminal(Scripted(), io.StringIO()) is None
