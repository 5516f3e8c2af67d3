"""One operation: what was asked, each step with its time, what was undone, and why it failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Static

from zstack_appliance.cli.declared import find_api, find_resource
from zstack_appliance.tui.base import Event, ViewScreen
from zstack_appliance.tui.dashboard import error_of, error_text
from zstack_appliance.tui.dialogs import ConfirmDialog
from zstack_appliance.tui.rows import one_line
from zstack_appliance.tui.views import JobSteps
from zstack_appliance.tui.widgets import Table, TopLine, fill, heading

COLUMNS = ("step", "outcome", "ms", "undo")
REJECTIONS = ("candidate", "filter", "why")
"""What stands in place of the steps where nothing was found to begin with."""


class JobScreen(ViewScreen):
    """One job.

    Args:
        view: which.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Cancel"),
        Binding("y", "source", "JSON"),
    ]

    def __init__(self, view: JobSteps) -> None:
        super().__init__()
        self.view = view
        self.job: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        """The steps, and the reason of a failure above them."""
        yield TopLine()
        yield Static(id="why", markup=False)
        with Vertical(classes="box", id="steps") as box:
            box.border_title = heading(self.view.title)
            yield Table(id="rows", cursor_type="row", zebra_stripes=True)
            yield Static(id="empty")
        yield Footer(compact=True, show_command_palette=False)

    async def load(self) -> None:
        """Ask for the job and its steps."""
        self.job = await self.remote.row(find_resource("Job"), self.view.uuid)
        steps = await self.remote.steps(self.view.uuid)
        self.query_one("#steps").border_title = heading(f"{self.view.title}  {self.job['state']}")
        refused = [] if steps else rejections(self.job)
        self.query_one("#steps").set_class(not (steps or refused), "nothing")
        self.query_one("#empty", Static).update(nothing(str(self.job["state"])))
        why = self.query_one("#why", Static)
        why.update(error_text(self.job))
        why.set_class(bool(error_text(self.job)), "told")
        columns = REJECTIONS if refused else COLUMNS
        rows = [(str(index), cells) for index, cells in enumerate(refused or [step_cells(step) for step in steps])]
        fill(self.query_one(Table), columns, rows, self.tui.paint, numbers=("ms",))

    def hear(self, events: Sequence[Event]) -> None:
        """Follow this job."""
        if any("resource" not in event or event["uuid"] == self.view.uuid for event in events):
            self.action_reload()

    def action_cancel(self) -> None:
        """Ask, and cancel: what was done is undone."""

        def answered(sure: bool | None) -> None:
            if sure:
                self.tui.start(find_api("CancelJob"), [("uuid", self.view.uuid)], f"cancel {self.view.name}")

        if self.job.get("state") == "Running":
            text = "Cancel this operation? What it did is undone, unless it is past the point of no return."
            self.app.push_screen(ConfirmDialog(self.view.title, text), answered)
        else:
            self.notify(f"it has {str(self.job.get('state', 'ended')).lower()} already")

    def action_source(self) -> None:
        """The job as JSON."""
        self.tui.show_source(self.view.name, self.job)


def nothing(state: str) -> str:
    """What stands where a job has no steps."""
    if state == "Failed":
        return "It was refused before its first step: nothing was done, and nothing had to be undone."
    return "It takes its first step." if state == "Running" else "It has no steps: what it does is done in one."


def rejections(job: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """The candidates that were passed over, with the reasons, if that is why a job failed."""
    found = (error_of(job).get("opaque") or {}).get("rejections") or []
    return [tuple(one_line(str(each.get(name) or "")) for name in ("name", "filter", "reason")) for each in found]


def step_cells(step: Mapping[str, Any]) -> tuple[str, ...]:
    """One step in four cells."""
    ended = step.get("ended")
    took = str(ended - step["started"]) if ended else ""
    undo = step.get("undo") or ""
    return (str(step["name"]), step.get("outcome") or "running", took, "" if undo == "none" else undo)
