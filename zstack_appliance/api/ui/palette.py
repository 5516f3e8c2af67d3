"""What Ctrl-K finds: pages, things to do, and rows by name."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from zstack_appliance.api.ui.visit import Visit, title_of
from zstack_appliance.api.ui.words import inside, spaced
from zstack_appliance.kernel.conditions import Cond, Op, Query
from zstack_appliance.kernel.schema import Resource

MOST = 14
PER_KIND = 4


@dataclass(frozen=True)
class Hit:
    """One thing to go to."""

    group: str
    text: str
    hint: str
    href: str
    icon: str


async def palette_part(visit: Visit) -> Response:
    """What fits what was typed: pages and actions at once, rows from two letters on."""
    typed = visit.one("typed").strip()
    words = typed.lower().split()
    hits = [hit for hit in _places(visit) if all(word in f"{hit.text} {hit.hint}".lower() for word in words)]
    if not typed:
        hits = [hit for hit in hits if hit.group == "Go to"]
    if len(typed) > 1:
        hits = [*await _rows(visit, typed), *hits]
    return visit.page("palette.html", hits=hits[: MOST * 2 if not typed else MOST], typed=typed)


def _places(visit: Visit) -> list[Hit]:
    hits = [Hit("Go to", "Dashboard", "", "/ui/", "home")]
    for section, entries in visit.inside.menu.of(visit.principal):
        hits += [Hit("Go to", entry.text, section, entry.href, entry.icon) for entry in entries]
    hits.append(Hit("Go to", "API reference", "", "/ui/reference", "book"))
    for noun in visit.nouns.all:
        for message in noun.can_make(visit.principal, visit.nouns):
            text = f"New {inside(noun.one)}" if len(noun.acts.makers) == 1 else spaced(message.__name__)
            hits.append(Hit("Do", text, noun.many, f"/ui{noun.path}/new/{message.__name__}", "plus"))
    return hits


async def _rows(visit: Visit, typed: str) -> list[Hit]:
    """Rows whose name holds what was typed, or whose uuid it is."""
    if len(typed) == 32:
        row = visit.inside.portal.kernel.store.reader.anything(typed)
        noun = visit.nouns.of(type(row)) if row is not None else None
        if row is not None and noun and visit.inside.portal.visible(type(row), row.uuid, visit.principal):
            return [Hit("Found", title_of(row), noun.one, f"/ui{noun.path}/{row.uuid}", noun.looks.icon)]
    escaped = typed.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    query = Query(Cond("name", Op.LIKE, f"%{escaped}%"), limit=PER_KIND, fields=("uuid", "name"))
    hits: list[Hit] = []
    for noun in visit.nouns.all:
        if issubclass(noun.cls, Resource) and noun.looks.place and visit.nouns.may_see(noun, visit.principal):
            found = (await visit.inside.queries.run(query, noun.cls, visit.principal)).inventories or []
            hits += [
                Hit("Found", row["name"], noun.one, f"/ui{noun.path}/{row['uuid']}", noun.looks.icon) for row in found
            ]
    return hits
