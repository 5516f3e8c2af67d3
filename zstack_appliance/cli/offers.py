"""How a half-typed word may go on: `Offer`, and what makes offers for conditions, parameters and names.

Everything that is declared is offered from the declarations; names and uuids come from `Names`, which asks an
appliance and offers nothing where none answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args, get_origin

from zstack_appliance.cli.declared import option_name, resources
from zstack_appliance.cli.local_plugins import per_folder
from zstack_appliance.kernel.comparison import shape_of
from zstack_appliance.kernel.conditions import parse_condition
from zstack_appliance.kernel.derive.query import complete
from zstack_appliance.kernel.edges import Graph, query_name
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.paths import resolve
from zstack_appliance.kernel.schema import Field, Record, fields_of


@dataclass(frozen=True, slots=True)
class Offer:
    """One way to go on.

    Args:
        text: the whole word, with what was typed replaced.
        help: what it is, in a few words.
        open: whether the word goes on behind it, so that no space may follow.
    """

    text: str
    help: str = ""
    open: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """A resource that exists."""

    name: str
    uuid: str


class Names(Protocol):
    """Knows what exists."""

    def begin(self, target: type[Record], begun: str, by: str) -> Iterable[Named]:
        """What exists of a resource and begins so.

        Args:
            target: the resource.
            begun: how it begins.
            by: the field that begins so, ``name`` or ``uuid``.
        """


class Nobody:
    """Names where no appliance may be asked."""

    def begin(self, target: type[Record], begun: str, by: str) -> Iterable[Named]:
        """Nothing."""
        return ()


@per_folder
def declared_graph() -> Graph:
    """The graph of everything that is declared, from the schemas alone: no handler is imported."""
    return Graph(resources())


def condition_offers(noun: type[Record], typed: str, names: Names) -> Iterator[Offer]:
    """How a condition may go on: paths, operators, and values where they are known."""
    found = complete(declared_graph(), noun, typed)
    for each in found:
        yield Offer(each.text, each.help, open=each.help != "value" and not each.text.endswith("null"))
    if not found:
        yield from _condition_values(noun, typed, names)


def _condition_values(noun: type[Record], typed: str, names: Names) -> Iterator[Offer]:
    """What exists, behind the operator of a condition on a name, a uuid or a reference."""
    try:
        condition = parse_condition(typed)
        path = resolve(declared_graph(), noun, condition.path)
    except (InvalidArgument, ValueError):
        return
    if not condition.op.takes_value or path.tags is not None:
        return
    values = (condition.value,) if isinstance(condition.value, str) else condition.value
    begun = values[-1]
    before = typed.removesuffix(begun)
    at = path.hops[-1].target if path.hops else noun
    if path.field.wire == "name":
        yield from (Offer(before + each.name, each.uuid) for each in names.begin(at, begun, "name"))
    elif path.field.ref is not None or path.field.wire == "uuid":
        target = path.field.ref.target if path.field.ref is not None else at
        yield from (Offer(before + each.uuid, each.name) for each in names.begin(target, begun, "uuid"))
    elif path.field.enum is not None:
        taken = set(values[:-1])
        choices = (str(member.value) for member in path.field.enum)
        yield from (Offer(before + c, "value") for c in choices if c.startswith(begun) and c not in taken)


def parameter_offers(message: type[Request[Any]], typed: str, names: Names) -> Iterator[Offer]:
    """How ``key=value`` may go on for an API: its parameters, then what each takes."""
    key, equals, value = typed.partition("=")
    if not equals:
        for field in sorted(fields_of(message), key=lambda field: not field.required):
            if field.wire.startswith(key):
                required = ", required" if field.required else ""
                yield Offer(f"{field.wire}=", f"{_kind(field)}{required}", open=True)
        return
    meant = next((f for f in fields_of(message) if key in (f.wire, f.name, option_name(f))), None)
    if meant is not None:
        yield from (Offer(f"{key}={each.text}", each.help, each.open) for each in value_offers(meant, value, names))


def value_offers(field: Field, typed: str, names: Names) -> Iterator[Offer]:
    """What a parameter takes: names for a reference, the values of an enumeration, true and false."""
    before, comma, begun = typed.rpartition(",") if field.wire.endswith("Uuids") else ("", "", typed)
    if field.ref is not None:
        offers = name_offers(field.ref.target, begun, names)
        yield from (Offer(f"{before}{comma}{each.text}", each.help) for each in offers)
        return
    yield from (Offer(choice, "value") for choice in _choices(field) if choice.startswith(typed))


def name_offers(target: type[Record], typed: str, names: Names) -> Iterator[Offer]:
    """What exists of a resource: by name, and by uuid where what was typed begins none."""
    by_name = [Offer(each.name, each.uuid) for each in names.begin(target, typed, "name") if each.name]
    yield from by_name
    if not by_name and typed:
        yield from (Offer(each.uuid, each.name) for each in names.begin(target, typed, "uuid"))


def word_offers(words: Iterable[str], typed: str, help: str = "") -> Iterator[Offer]:  # noqa: A002 — as in Offer
    """The words that begin with what was typed, in any case."""
    return (Offer(word, help) for word in sorted(words) if word.lower().startswith(typed.lower()))


def _choices(field: Field) -> tuple[str, ...]:
    if field.enum is not None:
        return tuple(str(member.value) for member in field.enum)
    if field.type is bool:
        return ("true", "false")
    return tuple(map(str, get_args(field.type))) if get_origin(field.type) is Literal else ()


def _kind(field: Field) -> str:
    return query_name(field.ref.target) if field.ref is not None else shape_of(field).value
