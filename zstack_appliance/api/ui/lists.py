"""The list of a resource: `list_page`, its rows alone (`rows_part`) and how its query goes on (`completions`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from zstack_appliance.api.ui.forms import options_of
from zstack_appliance.api.ui.names import Names
from zstack_appliance.api.ui.nouns import Noun
from zstack_appliance.api.ui.spoken import command_of_query, curl_of_query
from zstack_appliance.api.ui.values import plain
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.api.ui.words import inside, label
from zstack_appliance.kernel.conditions import And, Cond, Op, Query, Term, all_of, parse_condition
from zstack_appliance.kernel.derive.form import Kind
from zstack_appliance.kernel.derive.query import Completion, complete
from zstack_appliance.kernel.edges import public_fields
from zstack_appliance.kernel.errors import CloudError, InvalidArgument
from zstack_appliance.kernel.paths import resolve

ROWS = 50
"""Rows on one page."""

OFFERED = 12
"""Completions that are offered at once."""

LONGEST_EXAMPLE = 24
"""Characters of a value that stands in the filter as an example."""


@dataclass(frozen=True)
class Found:
    """A page of rows.

    Args:
        rows: their inventories.
        total: how many match.
        problem: why there are none, if the query is wrong.
    """

    rows: Sequence[Mapping[str, Any]]
    total: int
    problem: str = ""


async def list_page(visit: Visit, noun: Noun) -> Response:
    """A list with its filter, its order and its page."""
    said = [text for text in visit.many("q") if text.strip()]
    sort = visit.one("sort", noun.looks.sort)
    number = max(int(text), 1) if (text := visit.one("page", "1")).isdecimal() and len(text) < 7 else 1
    conditions = [spelled(noun, text) for text in said]
    found = await _find(visit, noun, conditions, sort, number)
    pairs = [("q", text) for text in conditions] + [("sort", sort), ("limit", str(ROWS))]
    if number > 1:
        pairs.append(("start", str((number - 1) * ROWS)))
    base = str(visit.request.base_url).rstrip("/")
    return visit.page(
        "list.html",
        noun=noun,
        found=found,
        names=Names.of(visit, noun.columns, found.rows),
        said=said,
        sort=sort,
        number=number,
        pages=max(-(-found.total // ROWS), 1),
        rows_per_page=ROWS,
        makers=noun.can_make(visit.principal, visit.nouns),
        bulk=bulk_of(visit, noun),
        keyed=keyed_of(visit, noun),
        hint=hint_of(noun, found.rows),
        link=_Links(noun, said, sort),
        curl=curl_of_query(base, noun.path, pairs),
        command=command_of_query(noun.cls, conditions),
    )


async def rows_part(visit: Visit, noun: Noun) -> Response:
    """Single rows by uuid, for the lists that show them already."""
    uuids = tuple(visit.many("uuid")[:ROWS])
    query = Query(Cond("uuid", Op.IN, uuids), limit=ROWS)
    rows = (await visit.inside.queries.run(query, noun.cls, visit.principal)).inventories or []
    names = Names.of(visit, noun.columns, rows)
    return visit.page("rows.html", noun=noun, rows=rows, names=names, bulk=bulk_of(visit, noun), keyed=())


async def completions(visit: Visit, noun: Noun) -> Response:
    """How what was typed into the filter may go on."""
    typed = visit.one("typed")
    offers = list(complete(visit.nouns.graph, noun.cls, typed))[:OFFERED] if typed.isprintable() else []
    offers += await _named(visit, noun, typed)
    return visit.page("completions.html", offers=offers[:OFFERED])


async def _named(visit: Visit, noun: Noun, typed: str) -> list[Completion]:
    """What a reference may be compared with, by name: ``hostUuid=ho`` offers the hosts that are called so."""
    try:
        condition = parse_condition(typed)
        field = resolve(visit.nouns.graph, noun.cls, condition.path).field
    except (InvalidArgument, ValueError):
        return []
    if field.ref is None or not isinstance(condition.value, str):
        return []
    before = typed.removesuffix(condition.value)
    options, _ = await options_of(visit, field.ref.target, condition.value)
    return [Completion(before + option.value, option.text) for option in options[:OFFERED]]


def spelled(noun: Noun, text: str) -> str:
    """A condition as the API reads it. What has no operator is looked for in the name."""
    try:
        parse_condition(text)
    except InvalidArgument:
        escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{_telling(noun)}~=%{escaped}%"
    return text


def _telling(noun: Noun) -> str:
    """The field by which people look for a row."""
    wires = [field.wire for field in public_fields(noun.cls)]
    text = next((f.wire for f in noun.columns if f.kind in (Kind.TEXT, Kind.LONG) and f.wire in wires), "uuid")
    return "name" if "name" in wires else text


def hint_of(noun: Noun, rows: Sequence[Mapping[str, Any]]) -> str:
    """What may be typed into the filter, with a condition that the first row fulfils."""
    telling = _telling(noun)
    wire = next((f.wire for f in noun.columns if f.kind is Kind.STATE), telling)
    value = next((plain(row.get(wire)) for row in rows), "")
    such = f" such as {wire}={value}" if 0 < len(value) <= LONGEST_EXAMPLE else ""
    return f"Filter by {inside(label(telling))}, or by a condition{such}"


async def _find(visit: Visit, noun: Noun, conditions: Sequence[str], sort: str, number: int) -> Found:
    try:
        terms: list[Term] = list(all_of(parse_condition(text) for text in conditions).terms)
        query = Query(
            And(tuple(terms)),
            sort=sort.lstrip("+- ") or None,
            descending=sort.startswith("-"),
            limit=ROWS,
            start=(number - 1) * ROWS,
            reply_with_count=True,
        )
        reply = await visit.inside.queries.run(query, noun.cls, visit.principal)
        if not reply.inventories and reply.total and number > 1:
            return await _find(visit, noun, conditions, sort, 1)
    except CloudError as error:
        return Found((), 0, error.details)
    return Found(reply.inventories or (), reply.total or 0)


def bulk_of(visit: Visit, noun: Noun) -> list[type[Any]]:
    """What can be done to several rows at once: what needs nothing else, and deleting."""
    from zstack_appliance.kernel.derive.form import inputs
    from zstack_appliance.kernel.message import Update

    simple = [
        message
        for message in noun.acts.changers
        if not issubclass(message, Update) and not any(each.required for each in inputs(message, fixed=("uuid",)))
    ]
    several = [*simple, *([noun.acts.deleter] if noun.acts.deleter else [])]
    return [message for message in several if visit.nouns.may_call(message, visit.principal)]


def keyed_of(visit: Visit, noun: Noun) -> list[type[Any]]:
    """What can be done to one row that has no page of its own."""
    return [message for message in noun.acts.keyed if visit.nouns.may_call(message, visit.principal)]


@dataclass(frozen=True)
class _Links:
    """Addresses of the same list with something changed."""

    noun: Noun
    said: Sequence[str]
    sort: str

    def to(self, *, sort: str | None = None, page: int = 1, without: str | None = None) -> str:
        """The list in another order, at another page, or without one condition."""
        pairs = [("q", text) for text in self.said if text != without]
        chosen = sort or self.sort
        if chosen != self.noun.looks.sort:
            pairs.append(("sort", chosen))
        if page > 1:
            pairs.append(("page", str(page)))
        return f"/ui{self.noun.path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def order(self, wire: str) -> str:
        """The list by this column; by the same once more, turned round."""
        return self.to(sort=f"-{wire}" if self.sort == wire else wire)
