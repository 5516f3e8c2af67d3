"""The first screen: capacity, VMs by state, trends, and the operations that run or have failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Sparkline, Static

from zstack_appliance.cli.declared import find_resource
from zstack_appliance.tui.bars import bar, share, size
from zstack_appliance.tui.base import Event, ViewScreen
from zstack_appliance.tui.colours import Paint, role_of
from zstack_appliance.tui.rows import one_line
from zstack_appliance.tui.summary import VM_STATES, Summary, Usage, api_name, ask
from zstack_appliance.tui.views import JobSteps, Listing
from zstack_appliance.tui.widgets import Table, TopLine, fill

COLUMNS = ("state", "operation", "started", "why")

SAMPLES = 60
"""Points of a trend."""

SAMPLE_SECONDS = 2.0
"""How often a point is added, and at the latest the numbers are asked for anew."""


class Trends:
    """The last two minutes, kept while other screens are shown."""

    def __init__(self) -> None:
        self.cpu: deque[float] = deque(maxlen=SAMPLES)
        self.vms: deque[float] = deque(maxlen=SAMPLES)
        self.ended: deque[float] = deque(maxlen=SAMPLES)
        self._ended = 0

    def hear(self, events: Sequence[Event]) -> None:
        """Count the jobs that ended."""
        self._ended += sum(
            event.get("resource") == "Job" and (event.get("inventory") or {}).get("state") in ("Succeeded", "Failed")
            for event in events
        )

    def add(self, summary: Summary) -> None:
        """One more point on each line; the first stands for the time before, which nobody saw."""
        points = (
            (self.cpu, share(summary.cpu.used, summary.cpu.total)),
            (self.vms, float(summary.vm_count)),
            (self.ended, float(self._ended)),
        )
        for line, point in points:
            line.extend([point] * (1 if line else SAMPLES))
        self._ended = 0


class DashboardScreen(ViewScreen):
    """The cloud at a glance."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Steps", priority=True),
        Binding("v", "vms", "VMs"),
        Binding("h", "hosts", "Hosts"),
        Binding("j", "jobs", "Jobs"),
        Binding("q", "app.leave", "Quit"),
    ]

    def compose(self) -> ComposeResult:
        """Two gauges, three trends, one list."""
        yield TopLine()
        with Horizontal(id="gauges"):
            yield _titled(Static(id="capacity", classes="box"), "Capacity")
            yield _titled(Static(id="states", classes="box"), "Virtual machines")
        with Horizontal(id="trends"):
            for name, title in (("cpu", "CPU promised"), ("vms", "VMs"), ("ended", "Operations ended")):
                with _titled(Vertical(classes="box", id=f"box-{name}"), title):
                    yield Sparkline(id=f"trend-{name}", summary_function=max)
        with _titled(Vertical(id="operations", classes="box"), "Operations"):
            yield Table(id="jobs", cursor_type="row", zebra_stripes=False)
            yield Static("Nothing runs and nothing has failed. Press : and type vm to see the VMs.", id="empty")
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Ask now, and again and again."""
        super().on_mount()
        self.set_interval(SAMPLE_SECONDS, self.action_reload)

    async def load(self) -> None:
        """Ask for the numbers and show them."""
        summary = await self.remote.run(lambda client: ask(lambda path, q, page: client.query(path, q, **page)))
        self.tui.trends.add(summary)
        self.show(summary)

    def hear(self, events: Sequence[Event]) -> None:
        """Jobs that begin or end show at once; the rest waits for the next look."""
        if any(event.get("resource") == "Job" or "resource" not in event for event in events):
            self.action_reload()

    def show(self, summary: Summary) -> None:
        """Put a summary on screen."""
        for name, text in (("capacity", capacity_text), ("states", states_text)):
            box = self.query_one(f"#{name}", Static)
            box.update(text(summary, box.content_size.width, self.tui.paint))
        for name in ("cpu", "vms", "ended"):
            line = self.query_one(f"#trend-{name}", Sparkline)
            line.data = list(getattr(self.tui.trends, name))
        self.query_one("#box-vms").border_title = f"VMs: {summary.vm_count}"
        rows = [(job["uuid"], job_cells(job)) for job in (*summary.running, *summary.failed)]
        self.query_one("#operations").set_class(not rows, "nothing")
        fill(self.query_one(Table), COLUMNS, rows, self.tui.paint)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Look at an operation."""
        uuid = str(event.row_key.value)
        self.tui.go(JobSteps(uuid, str(event.data_table.get_row(event.row_key)[1])))

    def action_vms(self) -> None:
        """To the VMs."""
        self.tui.go(Listing(find_resource("VmInstance")))

    def action_hosts(self) -> None:
        """To the hosts."""
        self.tui.go(Listing(find_resource("Host")))

    def action_jobs(self) -> None:
        """To all jobs."""
        self.tui.go(Listing(find_resource("Job")))

    def action_open(self) -> None:
        """To the operation under the cursor; the table itself serves the key where it has the focus."""
        self.query_one(Table).action_select_cursor()


def _titled(widget: Any, title: str) -> Any:
    widget.border_title = title
    return widget


def capacity_text(summary: Summary, width: int, paint: Paint) -> Text:
    """Three gauges, and the hosts below them."""
    gauges = (("CPU", summary.cpu, _count), ("Memory", summary.memory, size), ("Storage", summary.storage, size))
    told = [f"{share(u.used, u.total):5.0%}  {unit(u.used)} of {unit(u.total)}" for _, u, unit in gauges]
    room = max(4, width - 9 - max(map(len, told)))
    text = Text(no_wrap=True, overflow="ellipsis")
    for (label, usage, _), words in zip(gauges, told, strict=True):
        text.append(f"{label:<9}", style=paint("muted"))
        text.append(bar(share(usage.used, usage.total), room), style=paint(_gauge(usage)))
        text.append(f"{words}\n\n")
    if not summary.hosts:
        text.append("no host can be seen; add one, or log in as an administrator", style=paint("muted"))
        return text
    text.append("Hosts    ", style=paint("muted"))
    for status, count in sorted(summary.hosts.items()):
        text.append(f"{count} ", style=paint("bold"))
        text.append(f"{status}  ", style=paint(role_of(status)))
    return text


def _count(amount: float) -> str:
    return f"{amount:,.0f}"


def _gauge(usage: Usage) -> str:
    part = share(usage.used, usage.total)
    return "gauge-bad" if part >= 0.9 else "gauge-busy" if part >= 0.75 else "gauge"


def states_text(summary: Summary, width: int, paint: Paint) -> Text:
    """One line for each state that a VM is in."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if not summary.vms:
        text.append("none yet; press v, then c\nto create the first", style=paint("muted"))
        return text
    most = max(summary.vms.values())
    for state in VM_STATES:
        count = summary.vms.get(state, 0)
        if count:
            text.append(f"{state:<10}", style=paint(role_of(state)))
            text.append(f"{count:>6,} ", style=paint("bold"))
            text.append(bar(count / most, max(3, width - 17)), style=paint(role_of(state)))
            text.append("\n")
    return text


def job_cells(job: Mapping[str, Any]) -> tuple[str, ...]:
    """One operation in four cells."""
    return (str(job["state"]), api_name(job), str(job.get("createDate", "")), one_line(error_text(job)))


def error_text(job: Mapping[str, Any]) -> str:
    """Why a job failed, in a line; nothing for one that did not."""
    error = error_of(job)
    return str(error.get("details") or error.get("description") or "")


def error_of(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """The error that a job ended with; empty for one that did not."""
    import msgspec

    error = job.get("error") or {}
    try:
        decoded = msgspec.json.decode(error) if isinstance(error, str) else error
    except msgspec.MsgspecError:
        decoded = error
    return decoded if isinstance(decoded, Mapping) else {"details": str(error)}
