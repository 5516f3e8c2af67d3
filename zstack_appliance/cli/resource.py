"""The commands of one resource: `ResourceGroup`, built from its declaration when it is asked for."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.completing import Offering
from zstack_appliance.cli.conditions import condition
from zstack_appliance.cli.declared import kebab, option_name, path_of
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.offers import (
    Names,
    Offer,
    condition_offers,
    name_offers,
    parameter_offers,
    value_offers,
    word_offers,
)
from zstack_appliance.cli.output import Output, columns_of
from zstack_appliance.cli.place import choose, client_params
from zstack_appliance.cli.steps import watch_at_terminal
from zstack_appliance.cli.values import parse, split_pair
from zstack_appliance.cli.verbs import Api, object_of, verbs_of
from zstack_appliance.kernel.edges import public_fields, query_name
from zstack_appliance.kernel.schema import Field, Record, fields_of

_UNOFFERED = ("tagUuids",)
"""Fields that only ZStack's clients use; ``key=value`` still reaches them."""

_COMMON = ("url", "data", "json")
"""Options that every command has; a field of that name gets the resource's in front, as ``--image-url``."""

_PREFIX = "field_"

Special = Callable[[Client, Output, type[Record], str], None]
"""Replaces how one resource is shown: ``special(client, output, noun, name)``."""


class ResourceGroup(click.Group):
    """``list`` and ``show``, and a command for each API of the resource.

    Args:
        noun: the resource.
        name: what it is called on the command line.
        specials: further commands that take the resource's name, by verb.
    """

    def __init__(self, noun: type[Record], name: str, specials: dict[str, tuple[str, Special]]) -> None:
        super().__init__(name=name, help=inspect.cleandoc(noun.__doc__ or ""))
        self._noun = noun
        self._specials = specials

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb."""
        return sorted({"list", "show", *verbs_of(self._noun), *self._specials})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One verb's command; None when the resource has no such verb."""
        if cmd_name in self._specials:
            text, special = self._specials[cmd_name]
            return _special_command(self._noun, cmd_name, text, special)
        if cmd_name == "list":
            return list_command(self._noun)
        if cmd_name == "show":
            return _special_command(self._noun, "show", f"Show one {query_name(self._noun)}.", _show)
        message = verbs_of(self._noun).get(cmd_name)
        return None if message is None else api_command(message, self._noun, cmd_name)


def reach(options: dict[str, Any]) -> tuple[Client, Output]:
    """The client and the output that a command's common options ask for; they are taken out of `options`."""
    url, data = options.pop("url"), options.pop("data")
    as_json = bool(options.pop("as_json"))
    assert data is None or isinstance(data, Path)
    return Client(choose(url, data, os.environ)), Output(as_json=as_json)


# --- list and show ---------------------------------------------------------------------------------------


def list_command(noun: type[Record], name: str = "list") -> click.Command:
    """``list [CONDITION]...``: what matches every condition."""

    def run(**options: Any) -> None:
        client, output = reach(options)
        query(client, output, noun, **options)

    return click.Command(
        name,
        callback=run,
        params=[conditions_argument(noun), *page_params(noun), *client_params()],
        help=f"List the {query_name(noun)}s that match every CONDITION, such as name=web or 'state?=Running,Paused'.",
    )


def conditions_argument(noun: type[Record]) -> click.Argument:
    """``[CONDITION]...`` of a query."""
    offering = Offering(lambda typed, names, _: condition_offers(noun, typed, names))
    return click.Argument(["conditions"], nargs=-1, metavar="[CONDITION]...", shell_complete=offering)


def page_params(noun: type[Record] | None = None) -> list[click.Parameter]:
    """The options that say which page of a query's answer to print, and what of it.

    Args:
        noun: whose fields are offered by completion.
    """
    wires = () if noun is None else tuple(field.wire for field in public_fields(noun))
    one = Offering(lambda typed, _names, _before: _sort_offers(wires, typed))
    some = Offering(lambda typed, _names, _before: _list_offers(wires, typed))
    return [
        click.Option(["--fields"], metavar="A,B", help="Only these fields.", shell_complete=some),
        click.Option(
            ["--sort"],
            metavar="[-]FIELD",
            help="Order by a field; with a minus sign the largest first.",
            shell_complete=one,
        ),
        click.Option(["--limit"], type=click.IntRange(0), help="Rows at most; 1000 by default."),
        click.Option(["--start"], type=click.IntRange(0), help="Rows to leave out first."),
        click.Option(["--count"], is_flag=True, help="Print only how many match."),
    ]


def _sort_offers(wires: tuple[str, ...], typed: str) -> Iterator[Offer]:
    sign = typed[:1] if typed[:1] in ("+", "-") else ""
    return word_offers((sign + wire for wire in wires), typed)


def _list_offers(wires: tuple[str, ...], typed: str) -> Iterator[Offer]:
    before, comma, begun = typed.rpartition(",")
    taken = set(before.split(","))
    return (Offer(before + comma + wire) for wire in wires if wire.startswith(begun) and wire not in taken)


def query(client: Client, output: Output, noun: type[Record], **options: Any) -> None:
    """Run a query and print what it answers."""
    conditions = [condition(text) for text in options.pop("conditions")]
    wanted = options["fields"]
    if options.pop("count"):
        total = client.query(path_of(noun) or "", conditions, count=True)["total"]
        output.value(total) if output.as_json else output.line(str(total))
        return
    found = client.rows(path_of(noun) or "", *conditions, **options)
    output.inventories(found, tuple(wanted.split(",")) if wanted else columns_of(noun))


def _show(client: Client, output: Output, noun: type[Record], name: str) -> None:
    output.inventory(Resolver(client).row(noun, name))


def _special_command(noun: type[Record], verb: str, text: str, special: Special) -> click.Command:
    def run(name: str, **options: Any) -> None:
        client, output = reach(options)
        special(client, output, noun, name)

    offering = Offering(lambda typed, names, _: name_offers(noun, typed, names))
    params: list[click.Parameter] = [click.Argument(["name"], shell_complete=offering), *client_params()]
    return click.Command(verb, callback=run, params=params, help=text)


# --- APIs --------------------------------------------------------------------------------------------------


def api_command(message: Api, noun: type[Record], verb: str) -> click.Command:
    """The command of one API: its object as argument, its other parameters as options or ``key=value``."""
    target = object_of(message, noun)

    def run(words: tuple[str, ...], **options: Any) -> None:
        client, output = reach(options)
        given = [(key, value) for key, value in options.items() if value not in (None, ())]
        resolver = Resolver(client)
        params = parse(message, [*_from_words(message, target, words), *_wired(message, given)], resolver.uuid)
        reply = client.call(message, params, watch_at_terminal(client))
        output.inventory(reply.get("inventory", reply) if isinstance(reply, dict) else reply)

    subject = _subject(message, target)
    return click.Command(
        verb,
        callback=run,
        params=[
            click.Argument(
                ["words"],
                nargs=-1,
                metavar=f"{subject}[KEY=VALUE]...",
                shell_complete=Offering(functools.partial(_word_offers, message, target)),
            ),
            *(_option(field, noun) for field in fields_of(message) if field.wire not in _UNOFFERED and field != target),
            *client_params(),
        ],
        help=f"{inspect.cleandoc(message.__doc__ or '')}\n\nNames are accepted wherever uuids are.",
    )


def _word_offers(
    message: Api, target: Field | None, typed: str, names: Names, before: Sequence[str]
) -> Iterator[Offer]:
    """The first word names what is acted on, where the API acts on something; the others are ``key=value``."""
    if target is not None and target.ref is not None and not before:
        return name_offers(target.ref.target, typed, names)
    return parameter_offers(message, typed, names)


def _subject(message: Api, target: Field | None) -> str:
    if target is not None:
        return "NAME "
    return "[NAME] " if any(field.wire == "name" for field in fields_of(message)) else ""


def _from_words(
    message: Api, target: Field | None, words: tuple[str, ...]
) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """The first word names what is acted on, or what is made; the others are ``key=value``."""
    rest = list(words)
    leading = target.wire if target is not None else "name"
    if rest and (target is not None or "=" not in rest[0]) and _has(message, leading):
        yield leading, rest.pop(0)
    for word in rest:
        yield split_pair(word)


def _has(message: Api, wire: str) -> bool:
    return any(field.wire == wire for field in fields_of(message))


def _wired(message: Api, given: list[tuple[str, Any]]) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """Options under the wire names of their fields; click's own values turned back to text."""
    wires = {field.name: field.wire for field in fields_of(message)}
    for key, value in given:
        yield wires[key.removeprefix(_PREFIX)], str(value).lower() if isinstance(value, bool) else value


def _option(field: Field, noun: type[Record]) -> click.Option:
    short = option_name(field)
    names = list(dict.fromkeys((f"--{short}", f"--{kebab(field.wire)}")))
    if short in _COMMON:
        names = [f"--{kebab(query_name(noun))}-{short}"]
    # A prefix keeps a field that is called as a common option is from taking its place.
    declared = f"{_PREFIX}{field.name}"
    if field.type is bool:
        return click.Option([f"--{short}/--no-{short}", declared], default=None, help=_help(field))
    is_list = get_origin(field.type) in (list, tuple)
    offering = Offering(lambda typed, known, _: value_offers(field, typed, known))
    return click.Option(
        [*names, declared], multiple=is_list, metavar=_metavar(field), help=_help(field), shell_complete=offering
    )


def _metavar(field: Field) -> str:
    if field.enum is not None:
        return "|".join(str(member.value) for member in field.enum)
    choices = get_args(field.type) if get_origin(field.type) is Literal else ()
    if choices:
        return "|".join(choices)
    if field.ref is not None:
        return query_name(field.ref.target).upper()
    return "NUMBER" if field.type is int else "JSON" if get_origin(field.type) is dict else "TEXT"


def hint(field: Field) -> str:
    """What may be filled in for a parameter, in a few words."""
    kind = f"name of a {query_name(field.ref.target)}" if field.ref is not None else _metavar(field)
    shown = {"TEXT": "", "NUMBER": "number"}.get(kind, kind)
    return "  ".join(part for part in (shown, _help(field)) if part)


def _help(field: Field) -> str:
    parts = [meta.description for meta in field.meta if meta.description and field.ref is None]
    if field.required:
        parts.append("required")
    elif field.default not in (None, False):
        parts.append(f"default: {getattr(field.default, 'value', field.default)}")
    return "; ".join(parts)
