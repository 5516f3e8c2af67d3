"""Completion of command lines: what a shell asks when the tabulator is pressed.

Primitives: `Offering` (the callback that an argument or option completes by), `offers_for` (every way in which
a command line may go on) and `bash_lines` and `zsh_lines` (how a shell is told).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem, ShellComplete

from zstack_appliance.cli.live_names import LiveNames
from zstack_appliance.cli.offers import Names, Offer

Offers = Callable[[str, Names, Sequence[str]], Iterable[Offer]]
"""From what was typed, the names and the words before it on the command, to what is offered."""

_OPEN = "open"
"""The type of a click item behind which the word goes on."""


class Offering:
    """Completes an argument or an option, as click calls it.

    Args:
        offers: makes the offers.
    """

    def __init__(self, offers: Offers) -> None:
        self._offers = offers

    def __call__(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The offers as click's items."""
        before = ctx.params.get(param.name or "") if param.nargs == -1 else ()
        names = LiveNames.of(ctx.params)
        return [
            CompletionItem(offer.text, type=_OPEN if offer.open else "plain", help=offer.help)
            for offer in self._offers(incomplete, names, before or ())
        ]


def offers_for(root: click.Command, words: Sequence[str], typed: str) -> list[Offer]:
    """How a command line may go on.

    Args:
        root: the command line's root.
        words: the whole words before, without the program's name.
        typed: the word that is being typed.
    """
    found = ShellComplete(root, {}, "zstack-appliance", "").get_completions(list(words), typed)
    return [Offer(item.value, item.help or "", open=item.type == _OPEN) for item in found]


def bash_lines(offers: Iterable[Offer], raw: str, typed: str, breaks: str) -> Iterator[str]:
    """What bash puts in place of what it takes for the word.

    bash breaks words at more characters than spaces, such as the equals sign, and replaces only what stands
    behind the last of them; inside quotes it breaks nowhere.

    Args:
        offers: what to tell.
        raw: the word as it stands on the line, quotes included.
        typed: the word that it means.
        breaks: bash's ``COMP_WORDBREAKS``.
    """
    quoted = raw[:1] in ("'", '"')
    kept = 0 if quoted else 1 + max((typed.rfind(mark) for mark in breaks if not mark.isspace()), default=-1)
    for offer in offers:
        rest = offer.text[kept:]
        yield (rest if quoted else escaped(rest)) + ("" if offer.open or quoted else " ")


def last_word(line: str) -> str:
    """The word that a line ends in, as it stands there: quotes and backslashes included, empty behind a space."""
    start, quote, escape = 0, "", False
    for index, char in enumerate(line):
        if escape:
            escape = False
        elif char == "\\" and quote != "'":
            escape = True
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char.isspace():
            start = index + 1
    return line[start:]


def zsh_lines(offers: Iterable[Offer]) -> Iterator[str]:
    """Three fields to a line: whether the word goes on, the word as it is typed, and what it is."""
    for offer in offers:
        kind = "open" if offer.open else "whole"
        yield "\t".join((kind, escaped(offer.text), f"{offer.text}  {offer.help}".rstrip()))


_SPECIAL = frozenset(" \t!\"#$&'()*;<>?[\\]^`{|}~")


def escaped(text: str) -> str:
    """A text as one word of a shell: what a shell would take for itself has a backslash before it."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)


def printable(offers: Iterable[Any]) -> list[Any]:
    """Offers without those that hold control characters, which no command line could show."""
    return [offer for offer in offers if offer.text.isprintable()]
