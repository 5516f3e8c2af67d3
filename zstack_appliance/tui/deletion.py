"""The question before a deletion: `DeletionDialog`, which shows everything that would happen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from zstack_appliance.cli.exits import CliError
from zstack_appliance.tui.colours import Paint
from zstack_appliance.tui.remote import Remote
from zstack_appliance.tui.rows import one_line
from zstack_appliance.tui.widgets import Table, background, fill, heading


class DeletionDialog(ModalScreen[str]):
    """Shows the plan, and answers the mode to delete in; nothing when the person thinks better of it.

    Args:
        kind: what is deleted, in a word.
        path: its REST path.
        chosen: uuids and names.
        remote: makes the plan.
        paint: the styles.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "sure", "Delete"),
        Binding("f", "mode", "Force"),
        Binding("n", "dismiss(None)", "Keep"),
        Binding("escape", "dismiss(None)", "Keep"),
    ]

    def __init__(self, kind: str, path: str, chosen: Sequence[tuple[str, str]], remote: Remote, paint: Paint) -> None:
        super().__init__()
        self._kind = kind
        self._path = path
        self._chosen = chosen
        self._remote = remote
        self._paint = paint
        self._mode = "Permissive"

    def compose(self) -> ComposeResult:
        """The plan and the question."""
        names = ", ".join(one_line(name) for _, name in self._chosen[:5])
        more = f" and {len(self._chosen) - 5} more" if len(self._chosen) > 5 else ""
        with Vertical(classes="dialog") as box:
            box.border_title = heading(f"Delete {self._kind}")
            yield Static(f"Delete {names}{more}? This is what happens, in this order:", classes="text", markup=False)
            yield Table(cursor_type="row", zebra_stripes=True)
            yield Static(classes="fault", markup=False)
            yield Static(classes="keys", id="keys")

    def on_mount(self) -> None:
        """Ask for the plan."""
        self._say_keys()
        background(self, self._plan, "plan")

    async def _plan(self) -> None:
        rows: dict[str, tuple[str, ...]] = {}
        try:
            for uuid, _ in self._chosen:
                for effect in await self._remote.plan(self._path, uuid):
                    kind = effect["type"].removesuffix("VO")
                    rows[effect["uuid"]] = (kind, one_line(effect.get("name") or effect["uuid"][:8]), effect["effect"])
        except CliError as error:
            fault = self.query_one(".fault", Static)
            fault.update(error.format_message())
            fault.add_class("told")
        fill(self.query_one(Table), ("what", "name", "effect"), rows.items(), self._paint)

    def action_mode(self) -> None:
        """Change between asking everyone first, and going on past errors."""
        self._mode = "Enforcing" if self._mode == "Permissive" else "Permissive"
        self._say_keys()

    def _say_keys(self) -> None:
        permissive = self._mode == "Permissive"
        what = "asks first, and stops at a refusal" if permissive else "goes on past refusals and errors"
        self.query_one("#keys", Static).update(f"y delete   n keep   f {self._mode}: {what}")

    def action_sure(self) -> None:
        """Do it."""
        self.dismiss(self._mode)
