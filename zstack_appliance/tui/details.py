"""One resource, whole: its fields, its lists, and the same actions as in its list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Footer, Static

from zstack_appliance.cli.declared import path_of
from zstack_appliance.cli.output import shown
from zstack_appliance.cli.verbs import verbs_of
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.tui.bars import size
from zstack_appliance.tui.base import Event, ViewScreen
from zstack_appliance.tui.colours import Paint, role_of
from zstack_appliance.tui.rows import is_bytes, one_line
from zstack_appliance.tui.views import Details
from zstack_appliance.tui.widgets import TopLine, heading


class DetailsScreen(ViewScreen):
    """One row.

    Args:
        view: which.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "act", "Actions"),
        Binding("s", "serial", "Serial"),
        Binding("y", "source", "JSON"),
        Binding("ctrl+d", "delete", "Delete"),
        Binding("k", "scroll(-1)", show=False),
        Binding("j", "scroll(1)", show=False),
    ]

    def __init__(self, view: Details) -> None:
        super().__init__()
        self.view = view
        self.row: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        """One scrolling page."""
        yield TopLine()
        with VerticalScroll(id="facts", classes="box") as box:
            box.border_title = heading(self.view.title)
            yield Static(id="text")
        yield Footer(compact=True, show_command_palette=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what this resource has."""
        del parameters
        if action == "delete":
            return "delete" in verbs_of(self.view.noun)
        return action != "serial" or self.view.noun.__name__ == "VmInstance"

    async def load(self) -> None:
        """Ask for the row."""
        path = path_of(self.view.noun) or ""
        rows = (await self.remote.query(path, (f"uuid={self.view.uuid}",)))["inventories"]
        self.row = rows[0] if rows else {}
        text = facts(self.row, self.tui.paint) if rows else Text(f"{self.view.title} is gone. Press Esc to go back.")
        self.query_one("#text", Static).update(text)

    def hear(self, events: Sequence[Event]) -> None:
        """Follow what happens to this row, and to what belongs to it."""
        name = query_name(self.view.noun)
        if any("resource" not in e or (e["resource"] == name and e["uuid"] == self.view.uuid) for e in events):
            self.action_reload()

    def action_scroll(self, step: int) -> None:
        """Move as in vi."""
        self.query_one(VerticalScroll).scroll_relative(y=step)

    @property
    def _chosen(self) -> list[tuple[str, str]]:
        return [(self.view.uuid, self.view.name)]

    def action_act(self) -> None:
        """Offer every API that acts on this row."""
        self.tui.choose_action(self.view.noun, self._chosen)

    def action_delete(self) -> None:
        """Show what its deletion would do, and ask."""
        self.tui.delete(self.view.noun, self._chosen)

    def action_serial(self) -> None:
        """Connect with the VM's serial port."""
        self.tui.serial(self.view.uuid, self.view.name)

    def action_source(self) -> None:
        """The row as JSON."""
        self.tui.show_source(self.view.name, self.row)


def facts(row: Mapping[str, Any], paint: Paint) -> Text:
    """Every field of an inventory in a line, and every row of its lists in one more."""
    text = Text()
    width = max((len(key) for key in row), default=0) + 2
    for key, value in row.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            text.append(f"\n{key}\n", style=paint("bold"))
            for each in value:
                _nested(text, each, paint)
        else:
            text.append(f"{key:<{width}}", style=paint("muted"))
            text.append(f"{one_line(_shown(key, value))}\n", style=paint(role_of(shown(value))))
    return text


def _nested(text: Text, row: Mapping[str, Any], paint: Paint) -> None:
    dull = ("createDate", "lastOpDate")
    for index, (key, value) in enumerate((k, v) for k, v in row.items() if k not in dull):
        text.append("  • " if index == 0 else "    ", style=paint("muted"))
        text.append(f"{key} ", style=paint("muted"))
        text.append(f"{one_line(_shown(key, value))}\n")


def _shown(key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and is_bytes(key):
        return f"{size(value)}  ({value})"
    return shown(value)
