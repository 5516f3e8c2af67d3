"""The page of one row: `detail_page`, with what belongs to it, what refers to it, and what can be done to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from zstack_appliance.api.ui.history import TAB, has_history, history_of
from zstack_appliance.api.ui.names import Names
from zstack_appliance.api.ui.nouns import Noun
from zstack_appliance.api.ui.operations import operation_of
from zstack_appliance.api.ui.spoken import command_of_query, curl_of_query
from zstack_appliance.api.ui.visit import Visit, title_of
from zstack_appliance.api.ui.words import label
from zstack_appliance.kernel.conditions import Cond, Op, Query
from zstack_appliance.kernel.derive.form import Kind, Shown, acted_field, shown
from zstack_appliance.kernel.errors import NotFound, not_found
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.presentation import Tab
from zstack_appliance.kernel.schema import HIDDEN, Record, Resource, describe, root_of
from zstack_appliance.kernel.tag import SystemTagRow, UserTag


@dataclass(frozen=True)
class Act:
    """Something that can be done to the row.

    Args:
        message: the API.
        offered: whether its state allows it.
        when: the states that would.
    """

    message: type[Request[Any]]
    offered: bool
    when: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meter:
    """How much of something is taken."""

    label: str
    used: int
    total: int
    is_bytes: bool

    @property
    def percent(self) -> float:
        """Of the total, from 0 to 100."""
        return min(max(100 * self.used / self.total, 0.0), 100.0) if self.total > 0 else 0.0

    @property
    def level(self) -> str:
        """What that means: ``good``, ``warn`` from 80 %, ``bad`` from 95 %."""
        return "bad" if self.percent >= 95 else "warn" if self.percent >= 80 else "good"


@dataclass(frozen=True)
class Related:
    """Other rows that refer to this one."""

    noun: Noun
    label: str
    href: str
    number: int


@dataclass(frozen=True)
class Listed:
    """An embedded list of rows."""

    field: Shown
    noun: Noun | None
    columns: Sequence[Shown]
    rows: Sequence[Mapping[str, Any]]
    names: Names

    @property
    def title(self) -> str:
        """What the list is called."""
        return self.noun.many if self.noun is not None else label(self.field.wire)


def find_row(visit: Visit, noun: Noun, uuid: str) -> Record:
    """The row, if this person may see it.

    Raises:
        NotFound: there is none, or it is not theirs to see.
    """
    row = visit.inside.portal.kernel.store.get(noun.cls, uuid)
    if row is None or not visit.inside.portal.visible(type(row), uuid, visit.principal):
        raise not_found(describe(noun.cls).vo, uuid)
    return row


def inventory_of(visit: Visit, row: Record) -> Mapping[str, Any]:
    """The row as pages show it."""
    store = visit.inside.portal.kernel.store
    return visit.inside.inventories.render(store.reader, [row], visit.principal)[0]


async def detail_page(visit: Visit, noun: Noun, uuid: str, tab: str = "") -> Response:
    """Everything about one row, in short beside its list, or one of its further parts."""
    row = find_row(visit, noun, uuid)
    chosen = _tab(visit, noun, tab)
    inventory = inventory_of(visit, row)
    fields = shown(visit.nouns.graph, type(row))
    meters = meters_of(inventory)
    metered = {wire for pair in _pairs(inventory) for wire in pair}
    plain = [f for f in fields if f.kind is not Kind.ROWS and f.wire not in metered]
    named = isinstance(row, Resource)
    aside = {"name", "description", "state", "status"} if named else {"state", "status"}
    base = str(visit.request.base_url).rstrip("/")
    preview = visit.request.headers.get("hx-target") == "preview"
    return visit.page(
        "preview.html" if preview else "detail.html",
        noun=noun,
        row=inventory,
        title=title_of(row),
        facts=_facts(noun, [f for f in plain if f.wire not in aside], inventory),
        identity=[f for f in plain if f.kind in _IDENTITY and f.wire not in aside],
        states=[f for f in plain if f.wire in ("state", "status")],
        names=Names.of(visit, plain, [inventory]),
        meters=meters,
        lists=[] if preview else [_listed(visit, f, inventory) for f in fields if f.kind is Kind.ROWS],
        related=[] if preview else await related_of(visit, row),
        tags=await tags_of(visit, uuid),
        may_tag="CreateUserTag" in visit.nouns.messages and named,
        tag_type=describe(root_of(type(row)).cls).vo,
        acts=acts_of(visit, noun, row),
        curl=curl_of_query(base, f"{noun.path}/{uuid}", []),
        command=command_of_query(noun.cls, [f"uuid={uuid}"]),
        tabs=_tabs(visit, noun),
        tab=chosen,
        told=await history_of(visit, row) if chosen is TAB else None,
        **await _extras(visit, noun, uuid, preview=preview),
    )


def _facts(noun: Noun, fields: Sequence[Shown], inventory: Mapping[str, Any]) -> list[Shown]:
    """What is worth telling of a row: what its list shows comes first, what is not set is left out."""
    wanted = [f for f in fields if f.kind not in _IDENTITY and inventory.get(f.wire) not in (None, "", [])]
    ahead = {wire: rank for rank, wire in enumerate(noun.looks.columns)}
    return sorted(wanted, key=lambda f: ahead.get(f.wire, len(ahead)))


def _tabs(visit: Visit, noun: Noun) -> tuple[Tab, ...]:
    return (*noun.looks.tabs, TAB) if has_history(visit) and noun.cls is not Job else noun.looks.tabs


def _tab(visit: Visit, noun: Noun, slug: str) -> Tab | None:
    found = next((tab for tab in _tabs(visit, noun) if tab.slug == slug), None)
    if slug and found is None:
        raise NotFound(f"{noun.many} have no page {slug[:50]}; go back to the overview")
    return found


_IDENTITY = (Kind.UUID, Kind.TIME, Kind.STRUCTURE, Kind.LONG)


async def _extras(visit: Visit, noun: Noun, uuid: str, *, preview: bool) -> dict[str, Any]:
    """What only pages of some resources have: a job's steps."""
    if noun.cls is Job and not preview:
        return {"operation": await operation_of(visit, uuid)}
    return {"operation": None}


def acts_of(visit: Visit, noun: Noun, row: Record) -> list[Act]:
    """What this person may do to the row; what its state forbids is there, with the states that would allow it."""
    state = str(getattr(getattr(row, "state", None), "value", getattr(row, "state", "")))
    asked = {tab.asks for tab in noun.looks.tabs}
    every = [*noun.acts.changers, *([noun.acts.deleter] if noun.acts.deleter else [])]
    found = []
    for message in (each for each in every if each.__name__ not in asked):
        field = acted_field(message, noun.cls)
        fits = field is None or field.ref is None or isinstance(row, field.ref.target)
        if fits and visit.nouns.may_call(message, visit.principal):
            when = noun.looks.when.get(message.__name__, ())
            found.append(Act(message, not when or state in when, when))
    return found


def _pairs(inventory: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``totalX`` and ``availableX`` of a row, by their names on the wire."""
    return [
        (name, f"available{name.removeprefix('total')}")
        for name, value in inventory.items()
        if name.startswith("total") and isinstance(value, int) and f"available{name.removeprefix('total')}" in inventory
    ]


def meters_of(inventory: Mapping[str, Any]) -> list[Meter]:
    """How full a row is."""
    found = []
    for total, available in _pairs(inventory):
        what = total.removeprefix("total").removesuffix("Capacity")
        text = label(what[:1].lower() + what[1:]) if what else "Space"
        used = inventory[total] - inventory[available]
        found.append(Meter(text, used, inventory[total], is_bytes=not what.lower().startswith("cpu")))
    return found


def _listed(visit: Visit, field: Shown, inventory: Mapping[str, Any]) -> Listed:
    assert field.target is not None
    noun = visit.nouns.of(field.target)
    rows = inventory.get(field.wire) or []
    every = noun.columns if noun is not None else shown(visit.nouns.graph, field.target)[:5]
    told = [column for column in every if any(column.wire in row for row in rows)]
    columns = [column for column in told if any(row.get(column.wire) != inventory["uuid"] for row in rows)][:6]
    return Listed(field, noun, columns, rows, Names.of(visit, columns, rows))


async def related_of(visit: Visit, row: Record) -> list[Related]:
    """The lists of rows that refer to this one, with how many there are."""
    found: list[Related] = []
    for name, edge in visit.nouns.graph.edges(type(row)).items():
        noun = visit.nouns.of(edge.target)
        if not edge.many or edge.hidden or edge.embed is not None or noun is None or name != edge.name:
            continue
        if not visit.nouns.may_see(noun, visit.principal):
            continue
        field = describe(edge.target).field(edge.key)
        if field.marked(HIDDEN):
            continue
        wire = field.wire
        query = Query(Cond(wire, Op.EQ, row.uuid), count=True)
        number = (await visit.inside.queries.run(query, noun.cls, visit.principal)).total or 0
        found.append(Related(noun, noun.many, f"/ui{noun.path}?q={wire}%3D{row.uuid}", number))
    return sorted(found, key=lambda each: (each.number == 0, each.label))


async def tags_of(visit: Visit, uuid: str) -> list[dict[str, Any]]:
    """The tags of a row, people's own first."""
    found: list[dict[str, Any]] = []
    for cls in (UserTag, SystemTagRow):
        reply = await visit.inside.queries.run(Query(Cond("resourceUuid", Op.EQ, uuid)), cls, visit.principal)
        found += [{**tag, "mine": cls is UserTag} for tag in reply.inventories or []]
    return found
