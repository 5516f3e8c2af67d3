"""The application: `Tui`, which shows views, hears events for all of them, and carries out what they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, ClassVar

from textual.app import App, SuspendNotSupported
from textual.binding import Binding, BindingType

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import kebab, path_of
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.live_names import LiveNames
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.terminal import attach
from zstack_appliance.cli.verbs import object_of, verbs_of
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.message import Create, Delete, Request, api_of
from zstack_appliance.kernel.schema import Record, fields_of
from zstack_appliance.tui.base import Event, ViewScreen
from zstack_appliance.tui.colours import DARK, LIGHT, THEMES, Paint, paint
from zstack_appliance.tui.dashboard import DashboardScreen, Trends
from zstack_appliance.tui.deletion import DeletionDialog
from zstack_appliance.tui.details import DetailsScreen
from zstack_appliance.tui.dialogs import ActionMenu, CommandBar, HelpDialog, SourceDialog
from zstack_appliance.tui.forms import FormDialog, Pairs
from zstack_appliance.tui.job_steps import JobScreen
from zstack_appliance.tui.listing import ListingScreen
from zstack_appliance.tui.remote import Remote, is_login_needed
from zstack_appliance.tui.rows import one_line
from zstack_appliance.tui.views import Dashboard, Details, JobSteps, Listing, Trail, View, read_command
from zstack_appliance.tui.widgets import TopLine, background

GATHER_SECONDS = 0.1
"""How long events are gathered before a screen follows them, so that a burst is one change on screen."""

Api = type[Request[Any]]


class Tui(App[str]):
    """The terminal dashboard.

    Args:
        place: the appliance, and as whom.
    """

    TITLE = "zstack-appliance"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "turn", "Dark or light", show=False),
        Binding("ctrl+q", "leave", "Quit", show=False),
        Binding("ctrl+c", "leave", "Quit", show=False),
    ]

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.remote = Remote(place)
        self.trail = Trail()
        self.trends = Trends()
        self.live = False
        self._heard: list[Event] = []
        self._calls = 0

    @property
    def where(self) -> str:
        """The appliance, for people."""
        place = self.remote.place
        return str(place.socket.parent.parent) if place.socket is not None else place.url

    @property
    def paint(self) -> Paint:
        """The styles of the theme in use."""
        return paint(LIGHT if self.theme == LIGHT.name else DARK)

    @property
    def names(self) -> LiveNames:
        """What completes names."""
        return LiveNames(self.remote.place)

    def on_mount(self) -> None:
        """Show the dashboard, and listen."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name
        self.push_screen(self._screen(self.trail.here))
        background(self, self._listen, "events")
        self.set_interval(GATHER_SECONDS, self._tell_screens)

    # --- views -------------------------------------------------------------------------------------------

    def go(self, view: View) -> None:
        """Show a view."""
        self._show(self.trail.go(view))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing before the first view."""
        del parameters
        return action != "back" or self.trail.can_go_back

    async def action_back(self) -> None:
        """Show the view before."""
        self._show(self.trail.back())

    def action_forward(self) -> None:
        """Show the view that one went back from."""
        self._show(self.trail.forward())

    def action_command(self) -> None:
        """Ask where to go."""

        def go(text: str | None) -> None:
            if text is None:
                return
            try:
                view = read_command(text)
            except CliError as error:
                self.tell(error)
                return
            if view is None:
                self.exit()
            else:
                self.go(view)

        self.push_screen(CommandBar(self.names), go)

    def action_help(self) -> None:
        """Show every key."""
        self.push_screen(HelpDialog())

    def action_turn(self) -> None:
        """From dark to light, and back."""
        self.theme = LIGHT.name if self.theme == DARK.name else DARK.name
        self._heard.append({"kind": "turned"})

    def action_leave(self) -> None:
        """End."""
        self.exit()

    def _show(self, view: View) -> None:
        self.switch_screen(self._screen(view))

    @staticmethod
    def _screen(view: View) -> ViewScreen:
        if isinstance(view, Listing):
            return ListingScreen(view)
        if isinstance(view, Details):
            return DetailsScreen(view)
        if isinstance(view, JobSteps):
            return JobScreen(view)
        assert isinstance(view, Dashboard)
        return DashboardScreen()

    # --- events ------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async with aclosing(self.remote.follow()) as events:
            async for event in events:
                self.live = event["kind"] != "lost"
                self._heard.append(event)

    def _tell_screens(self) -> None:
        if not self._heard:
            return
        events, self._heard = self._heard, []
        self.trends.hear(events)
        for screen in self.screen_stack:
            # One that is on its way in or out has nothing on it.
            if isinstance(screen, ViewScreen) and screen.query(TopLine):
                screen.hear([event for event in events if event["kind"] != "lost"])
                screen.say_place()

    def say(self, text: str, **how: Any) -> None:
        """A passing note, of text that may hold anything."""
        self.notify("\n".join(map(one_line, text.splitlines())), markup=False, **how)

    # --- what screens ask for ----------------------------------------------------------------------------

    def tell(self, error: CliError) -> None:
        """Show an error; without a session there is nothing to show, so that one ends the program."""
        if is_login_needed(error):
            self.exit(message=error.format_message(), return_code=error.exit_code)
            return
        self.say(error.format_message(), severity="error", timeout=8)

    def fill_in(self, message: Api, noun: type[Record], given: Mapping[str, str] | None = None, name: str = "") -> None:
        """Ask for the parameters of an API, then call it."""
        title = " ".join(part for part in (_words(message), name or query_name(noun)) if part)

        def call(pairs: Pairs | None) -> None:
            if pairs is not None:
                self.start(message, pairs, title)

        self.push_screen(FormDialog(title, message, given or {}, self.remote, self.names), call)

    def choose_action(self, noun: type[Record], chosen: Sequence[tuple[str, str]]) -> None:
        """Offer what can be done to these rows, then do it."""
        actions = actions_of(noun)
        if not actions:
            self.say(f"nothing can be done to a {query_name(noun)} from here")
            return
        title = chosen[0][1] if len(chosen) == 1 else f"{len(chosen)} marked"

        def act(verb: str | None) -> None:
            if verb is not None:
                self._act(actions[verb], noun, chosen)

        lines = [(verb, (message.__doc__ or "").strip().splitlines()[0]) for verb, message in actions.items()]
        self.push_screen(ActionMenu(title, lines), act)

    def _act(self, message: Api, noun: type[Record], chosen: Sequence[tuple[str, str]]) -> None:
        target = object_of(message, noun)
        assert target is not None
        needs_more = any(field.required and field.name != target.name for field in fields_of(message))
        if needs_more and len(chosen) == 1:
            uuid, name = chosen[0]
            self.fill_in(message, noun, {target.wire: uuid}, name)
            return
        if needs_more:
            self.say("this wants more to be said; mark one row at a time for it")
            return
        for uuid, name in chosen:
            self.start(message, [(target.wire, uuid)], f"{_words(message)} {name}")

    def delete(self, noun: type[Record], chosen: Sequence[tuple[str, str]]) -> None:
        """Show what a deletion would do; delete if the person is sure."""
        message = verbs_of(noun).get("delete")
        if message is None:
            return

        def sure(mode: str | None) -> None:
            if mode is not None:
                for uuid, name in chosen:
                    self.start(message, [("uuid", uuid), ("deleteMode", mode)], f"delete {name}")

        self.push_screen(DeletionDialog(query_name(noun), path_of(noun) or "", chosen, self.remote, self.paint), sure)

    def start(self, message: Api, pairs: Pairs, what: str) -> None:
        """Call an API and say what became of it; other things can be done meanwhile."""
        self._calls += 1
        background(self, partial(self._call, message, pairs, what), f"call {self._calls}")

    async def _call(self, message: Api, pairs: Pairs, what: str) -> None:
        declared = api_of(message)
        if declared is not None and not declared.sync:
            self.say(f"{what} …", timeout=3)
        try:
            await self.remote.call(message, pairs)
        except CliError as error:
            self.say(error.format_message(), title=f"{what} failed", severity="error", timeout=15)
        else:
            self.say(f"{what}: done", timeout=4)

    def serial(self, uuid: str, name: str) -> None:
        """Give the terminal to a VM's serial port until the person leaves it."""
        try:
            with self.suspend():
                print(f"connected with {name}; Control-] leaves\r")  # noqa: T201 — the terminal is ours alone here
                ended = attach(Client(self.remote.place), uuid)
        except SuspendNotSupported:
            self.say("this terminal cannot be lent to the VM", severity="error")
        except CliError as error:
            self.tell(error)
        else:
            self.say(f"{name}: {ended}")

    def show_source(self, title: str, row: Mapping[str, Any]) -> None:
        """An inventory as JSON."""
        self.push_screen(SourceDialog(title, row))


def actions_of(noun: type[Record]) -> dict[str, Api]:
    """What can be done to a row: every API that acts on one, but for deletions and plain reading."""
    found = verbs_of(noun)
    possible = {
        verb: message
        for verb, message in found.items()
        if object_of(message, noun) is not None
        and not issubclass(message, Create | Delete)
        and (declared := api_of(message)) is not None
        and declared.method == "PUT"
    }
    # What cannot be taken back is not what the cursor begins on.
    return dict(sorted(possible.items(), key=lambda entry: (entry[0].startswith("expunge"), entry[0])))


def _words(message: Api) -> str:
    return kebab(message.__name__).split("-", maxsplit=1)[0]
