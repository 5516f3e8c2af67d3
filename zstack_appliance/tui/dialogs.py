"""Small questions: `CommandBar`, `FilterBar`, `ConfirmDialog`, `ActionMenu`, `SourceDialog` and `HelpDialog`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
from rich.syntax import Syntax
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from zstack_appliance.cli.declared import SHORT, find_resource, noun_names
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.offers import Names, condition_offers
from zstack_appliance.tui.views import HOME
from zstack_appliance.tui.widgets import heading

ESCAPE: list[BindingType] = [Binding("escape", "dismiss(None)", "Close")]


class Completer(Suggester):
    """Suggests how the last word of a line may go on.

    Args:
        offers: from the words before and the begun one to whole words.
    """

    def __init__(self, offers: Callable[[Sequence[str], str], Iterable[str]]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._offers = offers

    async def get_suggestion(self, value: str) -> str | None:
        """The line with its last word completed by the first offer."""
        before, _, begun = value.rpartition(" ")
        found = await asyncio.to_thread(lambda: next(iter(self._offers(before.split(), begun)), None))
        return None if found is None or not begun else value[: len(value) - len(begun)] + found


def command_offers(names: Names) -> Callable[[Sequence[str], str], Iterable[str]]:
    """Completes ``:`` commands: a resource, then conditions on it."""

    def offers(before: Sequence[str], begun: str) -> Iterable[str]:
        if not before:
            return (name for name in sorted({*noun_names(), *SHORT, *HOME, "quit"}, key=len) if name.startswith(begun))
        try:
            noun = find_resource(before[0])
        except CliError:
            return ()
        return (offer.text for offer in condition_offers(noun, begun, names))

    return offers


class CommandBar(ModalScreen[str]):
    """The line behind a colon.

    Args:
        names: completes values.
    """

    BINDINGS = ESCAPE

    def __init__(self, names: Names) -> None:
        super().__init__()
        self._names = names

    def compose(self) -> ComposeResult:
        """One line."""
        line = Input(
            placeholder="vm, host, job, image, dash, q … and conditions, such as: vm state=Running",
            suggester=Completer(command_offers(self._names)),
        )
        line.border_title = ":"
        yield line

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go there."""
        self.dismiss(event.value)


class FilterBar(ModalScreen[None]):
    """The line behind a slash; rows follow while one types.

    Args:
        text: what is filtered by already.
        narrow: told each text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", "Clear")]

    def __init__(self, text: str, narrow: Callable[[str], None]) -> None:
        super().__init__()
        self._text = text
        self._narrow = narrow

    def compose(self) -> ComposeResult:
        """One line."""
        line = Input(self._text, placeholder="a regular expression; ! in front shows what does not match")
        line.border_title = "/"
        yield line

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what matches so far."""
        self._narrow(event.value)

    def on_input_submitted(self) -> None:
        """Keep it."""
        self.dismiss(None)

    def action_clear(self) -> None:
        """Show everything again."""
        self._narrow("")
        self.dismiss(None)


class ConfirmDialog(ModalScreen[bool]):
    """A yes or a no.

    Args:
        title: what it is about.
        text: the question.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes"),
        Binding("enter", "dismiss(True)", "Yes"),
        Binding("n", "dismiss(False)", "No"),
        Binding("escape", "dismiss(False)", "No"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """The question and its two answers."""
        with Vertical(classes="dialog") as box:
            box.border_title = heading(self._title)
            yield Static(self._text, classes="text", markup=False)
            yield Static("y yes   n no", classes="keys")


class ActionMenu(ModalScreen[str]):
    """Which of a resource's actions.

    Args:
        title: what they act on.
        actions: verb and one line of help.
    """

    BINDINGS = ESCAPE

    def __init__(self, title: str, actions: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._actions = actions

    def compose(self) -> ComposeResult:
        """One line each."""
        width = max(len(verb) for verb, _ in self._actions) + 2
        with Vertical(classes="dialog") as box:
            box.border_title = heading(self._title)
            yield OptionList(*(Option(_line(verb, width, text), id=verb) for verb, text in self._actions))
            yield Static("Enter chooses   Esc closes", classes="keys")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(event.option_id)


def _line(verb: str, width: int, text: str) -> Text:
    return Text(f"{verb:<{width}}{text.replace('``', '')}", no_wrap=True, overflow="ellipsis")


class SourceDialog(ModalScreen[None]):
    """An inventory as JSON.

    Args:
        title: of what.
        row: the inventory.
    """

    BINDINGS = ESCAPE

    def __init__(self, title: str, row: Mapping[str, Any]) -> None:
        super().__init__()
        self._title = title
        self._text = msgspec.json.format(msgspec.json.encode(dict(row)), indent=2).decode()

    def compose(self) -> ComposeResult:
        """The text, coloured."""
        with VerticalScroll(classes="dialog") as box:
            box.border_title = heading(self._title)
            yield Static(Syntax(self._text, "json", word_wrap=True, background_color="default"))


HELP = (
    (":", "go to a resource, with conditions if you like: vm state=Running vmNics.ip~=10.%"),
    ("Enter", "open what is under the cursor"),
    ("Esc  -  [", "back"),
    ("]", "forward again"),
    ("/", "filter the rows by a regular expression; !text shows what does not match"),
    ("o", "sort by the next column, and the other way round"),
    ("Space", "mark a row; actions and deletions then take all marked ones"),
    ("j  k", "down and up"),
    ("c", "create, by a form of everything that can be said"),
    ("a", "actions: start, stop, and whatever else the resource can do"),
    ("s", "the serial console of a VM; Control-] leaves it"),
    ("y", "the inventory as JSON"),
    ("Control-D", "delete, after a look at all that goes with it"),
    ("x", "in an operation: cancel it"),
    ("Control-R", "ask for everything anew"),
    ("Control-T", "dark or light"),
    (":q  Control-Q", "quit"),
)


class HelpDialog(ModalScreen[None]):
    """Every key."""

    BINDINGS: ClassVar[list[BindingType]] = [*ESCAPE, Binding("question_mark", "dismiss(None)", show=False)]

    def compose(self) -> ComposeResult:
        """One line each."""
        with VerticalScroll(classes="dialog") as box:
            box.border_title = "Keys"
            yield Static("\n".join(f"{key:<16}{text}" for key, text in HELP), markup=False)
