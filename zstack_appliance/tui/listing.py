"""The list of a resource: live, filtered, sorted, and the place from which things are done to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.events import Resize
from textual.widgets import DataTable, Footer, Static

from zstack_appliance.cli.declared import path_of
from zstack_appliance.cli.output import columns_of
from zstack_appliance.cli.verbs import verbs_of
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.tui.base import Event, ViewScreen
from zstack_appliance.tui.dialogs import FilterBar
from zstack_appliance.tui.rows import Filter, Rows
from zstack_appliance.tui.summary import api_name
from zstack_appliance.tui.views import Details, JobSteps, Listing
from zstack_appliance.tui.widgets import Table, TopLine, fill, heading

NARROW = 120
"""Columns of a terminal in which whole uuids leave no room for the rest."""

MOST = 1000
"""Rows that are loaded; a condition narrows what is more."""


class ListingScreen(ViewScreen):
    """Rows of one resource.

    Args:
        view: which.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("enter", "open", "Open", priority=True),
        Binding("c", "create", "Create"),
        Binding("a", "act", "Actions"),
        Binding("s", "serial", "Serial"),
        Binding("y", "source", "JSON", show=False),
        Binding("o", "sort", "Sort", show=False),
        Binding("space", "mark", "Mark", show=False),
        Binding("ctrl+d", "delete", "Delete"),
        Binding("k", "cursor(-1)", show=False),
        Binding("j", "cursor(1)", show=False),
    ]

    def __init__(self, view: Listing) -> None:
        super().__init__()
        self.view = view
        self.noun = view.noun
        self._columns = columns_of(view.noun)
        self._rows = Rows(self._columns)
        self._filter = Filter()
        self._marked: set[str] = set()
        self._total = 0

    def compose(self) -> ComposeResult:
        """One table, and what stands there when it has no rows."""
        yield TopLine()
        with Vertical(classes="box", id="list") as box:
            box.border_title = heading(self.view.title)
            yield Table(id="rows", cursor_type="row", zebra_stripes=True)
            yield Static(id="empty")
        yield Footer(compact=True, show_command_palette=False)

    def on_resize(self, event: Resize) -> None:
        """Cut uuids where the terminal is narrow."""
        self._rows.narrow = event.size.width < NARROW
        self.call_after_refresh(self.show)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what this resource has."""
        del parameters
        if action == "create":
            return "create" in verbs_of(self.noun)
        if action == "delete":
            return "delete" in verbs_of(self.noun)
        return action != "serial" or self.noun.__name__ == "VmInstance"

    async def load(self) -> None:
        """Ask for the rows."""
        path = path_of(self.noun) or ""
        page = {"limit": MOST, "replyWithCount": True}
        newest_first = {"sort": "-createDate"} if self.noun.__name__ == "Job" else {}
        body = await self.remote.query(path, self.view.conditions, **page, **newest_first)
        self._rows.replace(body["inventories"])
        self._total = body.get("total", len(body["inventories"]))
        self.show()

    def hear(self, events: Sequence[Event]) -> None:
        """Follow what happens to rows of this resource."""
        if any("resource" not in event for event in events):
            self.action_reload()
            return
        mine = [event for event in events if event["resource"] == query_name(self.noun)]
        if self.view.conditions and mine:
            # Whether a row matches is the appliance's to say.
            self.action_reload()
        elif sum(self._rows.take(event) for event in mine):
            self._total = max(self._total, len(self._rows))
            self.show()

    def show(self) -> None:
        """Put the rows on screen."""
        visible = self._rows.visible(self._filter)
        self._marked &= {uuid for uuid, _ in visible}
        fill(self.query_one(Table), self._columns, visible, self.tui.paint, self._marked, self._rows.numbers)
        box = self.query_one("#list")
        box.set_class(not visible, "nothing")
        box.border_title = heading(self._heading(len(visible)))
        self.query_one("#empty", Static).update(self._nothing())

    def _heading(self, visible: int) -> str:
        parts = [self.view.title, str(visible) if visible == self._total else f"{visible} of {self._total}"]
        column, descending = self._rows.sorted_by
        parts += [f"/{self._filter.text}"] if self._filter.text else []
        parts += [f"{'▼' if descending else '▲'} {column}"] if column else []
        parts += [f"{len(self._marked)} marked"] if self._marked else []
        return "  ".join(parts)

    def _nothing(self) -> str:
        if self._filter.text and len(self._rows):
            return f"No row matches /{self._filter.text}. Press / and empty it to see all {len(self._rows)}."
        if self.view.conditions:
            return "Nothing matches these conditions."
        if "create" in verbs_of(self.noun):
            return f"There is no {query_name(self.noun)} yet. Press c to create the first."
        return f"There is no {query_name(self.noun)}."

    # --- what is under the cursor ------------------------------------------------------------------------

    @property
    def current(self) -> tuple[str, str] | None:
        """Uuid and name of the row under the cursor."""
        table = self.query_one(Table)
        if not table.row_count:
            return None
        uuid = str(table.coordinate_to_cell_key((table.cursor_row, 0)).row_key.value)  # type: ignore[arg-type]
        return uuid, self._name_of(uuid)

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """The marked rows, or the one under the cursor."""
        if self._marked:
            return [(uuid, self._name_of(uuid)) for uuid in sorted(self._marked, key=self._name_of)]
        return [self.current] if self.current is not None else []

    def _name_of(self, uuid: str) -> str:
        row = self._rows.get(uuid) or {}
        return str(row.get("name") or (api_name(row) if "api" in row else "") or uuid[:8])

    # --- keys --------------------------------------------------------------------------------------------

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Open the row."""
        uuid = str(event.row_key.value)
        name = self._name_of(uuid)
        self.tui.go(JobSteps(uuid, name) if self.noun.__name__ == "Job" else Details(self.noun, uuid, name))

    def action_open(self) -> None:
        """Open the row under the cursor."""
        self.query_one(Table).action_select_cursor()

    def action_cursor(self, step: int) -> None:
        """Move as in vi."""
        table = self.query_one(Table)
        table.move_cursor(row=table.cursor_row + step)

    def action_sort(self) -> None:
        """Sort by the next column; behind the last one, in the order of the appliance again."""
        column, descending = self._rows.sorted_by
        if column and not descending:
            self._rows.sort_by(column)
        else:
            at = self._columns.index(column) + 1 if column else 0
            self._rows.sort_by(self._columns[at % len(self._columns)])
        self.show()

    def action_mark(self) -> None:
        """Mark the row, or take its mark away, and go on to the next."""
        if self.current is not None:
            self._marked ^= {self.current[0]}
            self.show()
            self.action_cursor(1)

    def action_filter(self) -> None:
        """Ask what is to be shown."""

        def narrow(text: str) -> None:
            self._filter = Filter(text)
            self.show()

        self.app.push_screen(FilterBar(self._filter.text, narrow))

    def action_create(self) -> None:
        """Open the form of the resource's Create API."""
        self.tui.fill_in(verbs_of(self.noun)["create"], self.noun)

    def action_act(self) -> None:
        """Offer every API that acts on what is chosen."""
        if self.chosen:
            self.tui.choose_action(self.noun, self.chosen)

    def action_delete(self) -> None:
        """Show what a deletion would do, and ask."""
        if self.chosen:
            self.tui.delete(self.noun, self.chosen)

    def action_serial(self) -> None:
        """Connect with the VM's serial port."""
        if self.current is not None:
            self.tui.serial(*self.current)

    def action_source(self) -> None:
        """The row as JSON."""
        row = self._rows.get(self.current[0]) if self.current is not None else None
        if row is not None:
            self.tui.show_source(str(row.get("name") or row.get("uuid")), row)
