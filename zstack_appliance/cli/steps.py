"""The steps of a job, shown while it runs: `StepWatch`, and how a step is put in words."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from zstack_appliance.cli.client import Client, Watch

STEPS_PATH = "/appliance/jobs/{uuid}/steps"


def steps_of(client: Client, job_uuid: str) -> list[dict[str, Any]]:
    """Every step of a job, in the order that they began; none when the job has none or is not ours to see."""
    answer = client.send("GET", STEPS_PATH.format(uuid=job_uuid))
    if answer.status != 200:
        return []
    found: list[dict[str, Any]] = answer.body.get("steps", [])
    return found


def watch_at_terminal(client: Client, err: TextIO | None = None) -> Watch | None:
    """A watch that shows steps on standard error; None where nobody looks."""
    stream = err or sys.stderr
    return StepWatch(client, stream) if stream.isatty() else None


@dataclass
class StepWatch:
    """Prints each step of a job once it has ended, and once more if it was undone."""

    client: Client
    out: TextIO
    _told: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, job_uuid: str) -> None:
        """Print what is new."""
        for step in steps_of(self.client, job_uuid):
            for what in ("outcome", "undo"):
                key = (step["name"], what)
                if step.get(what) not in (None, "none") and key not in self._told:
                    self._told.add(key)
                    print(f"  {sentence(step, what)}", file=self.out, flush=True)


def sentence(step: Mapping[str, Any], what: str = "outcome") -> str:
    """One step in words, such as ``vm_instance.create/start: done in 12 ms``."""
    if what == "undo":
        return f"{step['name']}: undo {step['undo']}"
    if step.get("outcome") is None:
        return f"{step['name']}: running"
    ended = step.get("ended")
    took = f" in {ended - step['started']} ms" if ended else ""
    return f"{step['name']}: {step['outcome']}{took}"
