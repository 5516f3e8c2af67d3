"""What happened to a row, as its page tells it: `history_of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zstack_appliance.api.ui.values import plain
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.api.ui.words import api_words
from zstack_appliance.kernel.edges import lineage
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.presentation import Tab
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.validate import decode

MESSAGE = "GetResourceHistory"
TAB = Tab("history", "History", "_history.html")
MOST = 50
MOST_FIELDS = 8
"""Fields that one change names; the others are counted."""


@dataclass(frozen=True)
class Changed:
    """One field, before and after."""

    wire: str
    before: str
    after: str


@dataclass(frozen=True)
class Chapter:
    """One change."""

    at: str
    kind: str
    what: str
    who: str
    job: str | None
    fields: tuple[Changed, ...]
    more: int


@dataclass(frozen=True)
class Told:
    """A page of a row's history; `next` leads to what is older."""

    chapters: tuple[Chapter, ...]
    next: int | None
    problem: str = ""


def has_history(visit: Visit) -> bool:
    """Whether this appliance keeps any."""
    return MESSAGE in visit.nouns.messages


async def history_of(visit: Visit, row: Record) -> Told:
    """What happened to a row, newest first. Rows of other kinds may have its uuid, to go with it; they do not count."""
    given: dict[str, Any] = {"uuid": row.uuid, "limit": MOST}
    if visit.one("before").isdecimal():
        given["before"] = visit.one("before")[:18]
    try:
        reply = await visit.inside.portal.serve(decode(visit.nouns.messages[MESSAGE], given), visit.principal)
    except CloudError as error:
        return Told((), None, error.details)
    kinds = {cls.__name__ for cls in lineage(type(row))}
    return Told(tuple(_chapter(entry) for entry in reply.entries if entry.resource in kinds), reply.next)


def _chapter(entry: Any) -> Chapter:
    fields = _changes(entry.fields, entry.before or {}, entry.after or {}) if entry.kind == "updated" else []
    return Chapter(
        at=entry.at,
        kind=entry.kind,
        what=api_words(entry.api) if entry.api else "The appliance itself",
        who=entry.account_name or "",
        job=entry.job,
        fields=tuple(fields[:MOST_FIELDS]),
        more=max(len(fields) - MOST_FIELDS, 0),
    )


def _changes(wires: tuple[str, ...], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    return [Changed(wire, plain(before.get(wire)), plain(after.get(wire))) for wire in wires]
