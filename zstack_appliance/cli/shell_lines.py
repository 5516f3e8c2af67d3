"""What a line of the shell means, and how it may go on: `meaning`, `holds_secret` and `line_offers`.

A line is an API with parameters (``CreateZone name=z``), a query with conditions (``QueryVmInstance
vmNics.ip=10.0.0.7``), or any command of the command line (``vm list``).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from zstack_appliance.cli.completing import last_word, offers_for
from zstack_appliance.cli.declared import apis, find_api, find_resource, path_of, resources
from zstack_appliance.cli.exits import CliError, usage
from zstack_appliance.cli.offers import Names, Offer, condition_offers, parameter_offers, word_offers
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.schema import SECRET, Record, fields_of

QUERY = "Query"

PAGE = ("limit", "start", "sortBy", "sortDirection", "count", "fields", "replyWithCount")
"""What a query takes besides conditions, under the names that ZStack's command line has for it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query, and the words behind it."""

    noun: type[Record]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An API, and the words behind it."""

    message: type[Request[Any]]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the command line."""

    argv: tuple[str, ...]


def meaning(line: str) -> Question | Call | Command | None:
    """What a line asks for; None for an empty one.

    Raises:
        CliError: a quote is not closed, or there is no such query.
    """
    try:
        words = tuple(shlex.split(line, comments=True))
    except ValueError as error:
        raise usage(f"{error} in [{line}]; write values that hold spaces in pairs of quotes") from None
    if not words:
        return None
    first, rest = words[0], words[1:]
    if _is_query(first):
        return Question(find_resource(first.removeprefix(QUERY)), rest)
    message = _api(first)
    return Command(words) if message is None else Call(message, rest)


def holds_secret(line: str) -> bool:
    """Whether a line holds a password or the like, which no history may keep."""
    try:
        asked = meaning(line)
    except CliError:
        return True  # Nobody knows what it was meant to be.
    if not isinstance(asked, Call):
        return any(word.startswith("--password") for word in line.split())
    given = {word.partition("=")[0] for word in asked.words}
    return any(field.wire in given and field.marked(SECRET) for field in fields_of(asked.message))


def line_offers(root: click.Command, line: str, names: Names) -> Iterator[Offer]:
    """How a line may go on; each offer replaces its last word."""
    typed = last_word(line)
    try:
        words = shlex.split(line.removesuffix(typed))
    except ValueError:
        return
    if not words:
        yield from word_offers(_first_words(root), typed)
    elif _is_query(words[0]):
        yield from _question_offers(words[0], typed, names)
    elif (message := _api(words[0])) is not None:
        yield from parameter_offers(message, typed, names)
    else:
        yield from offers_for(root, words, typed)


def _question_offers(first: str, typed: str, names: Names) -> Iterator[Offer]:
    try:
        noun = find_resource(first.removeprefix(QUERY))
    except CliError:
        return
    offers = list(condition_offers(noun, typed, names))
    for offer in offers:
        # A field is mostly compared with something, and the seed's own shell writes the sign behind it.
        plain = not offer.text.endswith(".") and not _has_operator(offer.text)
        yield Offer(f"{offer.text}=", offer.help, open=True) if plain else offer
    yield from (Offer(f"{name}=", "page", open=True) for name in PAGE if typed and name.startswith(typed))


def _has_operator(text: str) -> bool:
    return any(sign in text for sign in ("=", "<", ">", " "))


def _first_words(root: click.Command) -> Sequence[str]:
    queries = [f"{QUERY}{query_name(noun)}" for noun in resources() if path_of(noun) is not None]
    commands = root.list_commands(click.Context(root)) if isinstance(root, click.Group) else []
    return [*queries, *(message.__name__ for message in apis()), *commands, "exit", "help"]


def _is_query(word: str) -> bool:
    return word.startswith(QUERY) and word[len(QUERY) :][:1].isupper()


def _api(word: str) -> type[Request[Any]] | None:
    """The API of this name; names of APIs begin with a capital, those of commands do not."""
    if not word[:1].isupper() and "." not in word:
        return None
    return find_api(word)
