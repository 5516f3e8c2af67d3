"""A form for any API: `FormDialog`, with a line for each parameter and names offered where one refers to something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.offers import Names, value_offers
from zstack_appliance.cli.resource import hint
from zstack_appliance.cli.values import parse
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import SECRET, Field, fields_of
from zstack_appliance.kernel.unserved import UNSERVED
from zstack_appliance.tui.dialogs import Completer
from zstack_appliance.tui.remote import Remote
from zstack_appliance.tui.widgets import background, heading

Pairs = list[tuple[str, str]]

_LAST = ("resourceUuid", "tagUuids", "systemTags", "userTags")
"""What few people fill in stands at the end."""


class FormDialog(ModalScreen[Pairs]):
    """Asks for the parameters of an API; what is wrong is said in the form, and what was typed stays.

    Args:
        title: what it does.
        message: the API.
        given: what is known already and not asked for.
        remote: looks up names.
        names: offers them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("ctrl+s", "submit", "Send"),
        Binding("enter", "submit", "Send"),
    ]

    def __init__(
        self, title: str, message: type[Request[Any]], given: Mapping[str, str], remote: Remote, names: Names
    ) -> None:
        super().__init__()
        self._title = title
        self._message = message
        self._given = dict(given)
        self._remote = remote
        self._names = names
        self._fields = ordered(message, given)

    def compose(self) -> ComposeResult:
        """A line for each parameter."""
        with Vertical(classes="dialog") as box:
            box.border_title = heading(self._title)
            yield Static(classes="fault", markup=False)
            with VerticalScroll(classes="fields", can_focus=False):
                for field in self._fields:
                    yield Horizontal(self._label(field), self._line(field), classes="field")
            yield Static("Tab next   → takes what is offered   Enter sends   Esc closes", classes="keys")

    @staticmethod
    def _label(field: Field) -> Label:
        return Label(f"{field.wire}{' *' if field.required else ''}", markup=False)

    def _line(self, field: Field) -> Input:
        known, names = field, self._names
        completer = Completer(lambda _before, begun: (offer.text for offer in value_offers(known, begun, names)))
        return Input(
            id=f"field-{field.name}",
            placeholder=hint(field),
            password=field.marked(SECRET),
            suggester=completer,
            compact=True,
        )

    def on_input_submitted(self) -> None:
        """Enter in a line sends the form."""
        self.action_submit()

    def action_submit(self) -> None:
        """Check what was typed; send it if nothing is wrong."""
        background(self, self._check, "check")

    async def _check(self) -> None:
        typed = [(field.wire, self.query_one(f"#field-{field.name}", Input).value) for field in self._fields]
        pairs = [*self._given.items(), *((wire, value) for wire, value in typed if value)]

        def check(client: Client) -> None:
            parse(self._message, pairs, Resolver(client).uuid)

        try:
            await self._remote.run(check)
        except CliError as error:
            fault = self.query_one(".fault", Static)
            fault.update(error.format_message())
            fault.add_class("told")
            return
        self.dismiss(pairs)


def ordered(message: type[Request[Any]], given: Mapping[str, str]) -> list[Field]:
    """The parameters that are asked for: required ones first, what few people need last."""
    asked = [f for f in fields_of(message) if f.wire not in given and not f.marked(UNSERVED)]
    return sorted(asked, key=lambda f: (not f.required, not f.required and f.wire in _LAST, f.wire != "name"))
