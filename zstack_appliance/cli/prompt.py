"""The prompt of the shell: `Prompt`, which reads lines with readline's history and completion."""

from __future__ import annotations

import contextlib
import os
import readline
import shutil
import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

import click

from zstack_appliance.cli.completing import last_word, printable
from zstack_appliance.cli.live_names import LiveNames
from zstack_appliance.cli.offers import Offer
from zstack_appliance.cli.session import session_file
from zstack_appliance.cli.shell import Shell
from zstack_appliance.cli.shell_lines import holds_secret, line_offers

PROMPT = ">>>"

_HISTORY_LINES = 2000


class Prompt:
    """Reads lines from a terminal.

    Args:
        served: serves them.
        root: the command line's root, whose commands are completed too.
        out: the terminal.
    """

    def __init__(self, served: Shell, root: click.Command, out: TextIO | None = None) -> None:
        self._served = served
        self._root = root
        self._out = out or sys.stdout
        self._offers: list[Offer] = []

    def run(self) -> None:
        """Until the end of input."""
        self._out.write("help says what can be typed, TAB offers it, exit or Ctrl-D ends.\n")
        with self._bound():
            while (line := self._read()) is not None:
                if line.strip() and not holds_secret(line):
                    readline.add_history(line)
                self._serve(line)

    def _read(self) -> str | None:
        """The next line; None at the end of input."""
        while True:
            try:
                line = input(PROMPT)
            except KeyboardInterrupt:
                self._out.write("\n")  # As shells do: the line is dropped, the prompt comes again.
            except EOFError:
                self._out.write("\n")
                return None
            else:
                return None if line.strip() in ("exit", "quit") else line

    def _serve(self, line: str) -> None:
        try:
            self._served.serve(line)
        except click.ClickException as error:
            error.show()
        except (click.Abort, KeyboardInterrupt):
            self._out.write("\nno longer waiting; what was asked for goes on, see 'job list'\n")

    def complete(self, text: str, state: int) -> str | None:
        """The offers for the line in readline's buffer, one by one, as readline asks for them."""
        if state == 0:
            line = readline.get_line_buffer()[: readline.get_endidx()]
            names = LiveNames(self._served.client.place)
            # Readline replaces what stands behind the last space; a quoted word began before that.
            kept = len(last_word(line)) - len(text)
            found = printable(line_offers(self._root, line, names))
            self._offers = [Offer(offer.text[kept:], offer.help, open=offer.open) for offer in found]
        if state >= len(self._offers):
            return None
        offer = self._offers[state]
        return offer.text if offer.open else f"{offer.text} "

    def display(self, _substitution: str, matches: Sequence[str], _longest: int) -> None:
        """Show what is offered: edges, which lead on, and then where the word may end."""
        line = readline.get_line_buffer()
        heading = "Query Conditions" if line.lstrip().startswith("Query") else "Offers"
        edges = [match for match in matches if match.endswith(".")]
        others = [match.rstrip() for match in matches if not match.endswith(".")]
        width = shutil.get_terminal_size().columns
        blocks = ["\n".join(in_columns(block, width)) for block in (edges, others) if block]
        self._out.write(f"\n[{heading}:]\n" + "\n\n".join(blocks) + f"\n\n{PROMPT}{line}")
        self._out.flush()

    @contextlib.contextmanager
    def _bound(self) -> Iterator[None]:
        """Readline with our completion and the history of earlier shells, which is kept for later ones."""
        history = session_file(os.environ).with_name("history")
        readline.set_completer_delims(" \t\n")
        readline.set_completer(self.complete)
        readline.set_completion_display_matches_hook(self.display)
        readline.parse_and_bind("tab: complete")
        readline.set_auto_history(False)
        with contextlib.suppress(OSError):  # There is none before the first time.
            readline.read_history_file(history)
        try:
            yield
        finally:
            readline.set_history_length(_HISTORY_LINES)
            history.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            readline.write_history_file(history)
            history.chmod(0o600)


def in_columns(words: Sequence[str], width: int) -> Iterator[str]:
    """Words in lines of at most `width` characters, each in a column as wide as the longest of them."""
    column = max(map(len, words)) + 2
    per_line = max(1, width // column)
    for start in range(0, len(words), per_line):
        yield "".join(word.ljust(column) for word in words[start : start + per_line]).rstrip()
