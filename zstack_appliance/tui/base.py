"""What every full screen has: `ViewScreen`, which knows its view, hears events and shows errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from zstack_appliance.cli.exits import CliError
from zstack_appliance.tui.remote import Remote
from zstack_appliance.tui.widgets import TopLine, background

if TYPE_CHECKING:
    from zstack_appliance.tui.app import Tui

Event = Mapping[str, Any]

POLL_SECONDS = 3.0
"""How often what is shown is asked for anew while the event stream is not there."""


class ViewScreen(Screen[None]):
    """A view on screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.back", "Back"),
        Binding("colon", "app.command", "Go to", key_display=":"),
        Binding("question_mark", "app.help", "Help", key_display="?"),
        Binding("minus", "app.back", "Before", show=False),
        Binding("left_square_bracket", "app.back", "Back", show=False),
        Binding("right_square_bracket", "app.forward", "Forward", show=False),
        Binding("ctrl+r", "reload", "Reload", show=False),
    ]

    @property
    def tui(self) -> Tui:
        """The application."""
        return cast("Tui", self.app)

    @property
    def remote(self) -> Remote:
        """The appliance."""
        return self.tui.remote

    def on_mount(self) -> None:
        """Show where one is, and ask for what is shown here."""
        self.say_place()
        self.action_reload()
        self.set_interval(POLL_SECONDS, self._poll)

    def _poll(self) -> None:
        """Without events, look again and again."""
        if not self.tui.live:
            self.action_reload()

    def say_place(self) -> None:
        """Bring the top line up to date."""
        self.query_one(TopLine).say(self.tui.trail.titles, self.tui.where, self.tui.paint, live=self.tui.live)

    def action_reload(self) -> None:
        """Ask for everything anew."""
        background(self, self._load, "load")

    async def load(self) -> None:
        """Ask for what is shown here, and show it."""
        raise NotImplementedError

    def hear(self, events: Sequence[Event]) -> None:
        """Follow events of any resource."""
        raise NotImplementedError

    async def _load(self) -> None:
        try:
            await self.load()
        except NoMatches:
            if self.query(TopLine):
                raise
            # The person went elsewhere while the answer was on its way: there is nothing left to show it on.
        except CliError as error:
            self.tui.tell(error)
