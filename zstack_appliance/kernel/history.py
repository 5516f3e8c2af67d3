"""What happened to one row, for those who may see it: `History`, its `Chapter` and `Page`.

It reads the change log (`store/changelog.py`) and shows rows as their inventories do, without the lists that
other resources embed. What changed nothing that an inventory shows is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from zstack_appliance.kernel.errors import NotFound
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, root_of
from zstack_appliance.kernel.sharing import sees
from zstack_appliance.kernel.store import Store, changelog
from zstack_appliance.kernel.store.changelog import LATEST, Past
from zstack_appliance.kernel.store.reader import Reader

SHOWN_NEVER = frozenset({"lastOpDate"})
"""Fields that are not worth naming as changed: every change changes them."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One change of the row."""

    number: int
    """Of the change feed."""
    at: int
    """Milliseconds UTC."""
    resource: str
    """The row's class, such as ``VmInstance``."""
    kind: str
    """``created``, ``updated`` or ``deleted``."""
    fields: tuple[str, ...]
    """Wire names of what changed; for a row that came or went, of all that it had."""
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    account: str | None
    job: str | None
    api: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Chapters, newest first."""

    chapters: tuple[Chapter, ...]
    more: int | None
    """What to ask for as `before` for the next page; None at the end."""


class History:
    """Tells what happened to rows.

    Args:
        store: has the change log.
        inventories: render rows.
    """

    def __init__(self, store: Store, inventories: Inventories) -> None:
        self._store = store
        self._inventories = inventories

    async def of(self, uuid: str, principal: Principal, *, before: int = LATEST, limit: int = 100) -> Page:
        """What happened to a row, newest first; it may have gone.

        Args:
            uuid: the row's.
            principal: sees the history of what it sees, and of what is gone and was its own.
            before: a number of the change feed.
            limit: how many chapters.

        Raises:
            NotFound: nothing is known of such a row, or the principal may not see it.
        """

        def look(reader: Reader) -> Page:
            if not self._may_see(reader, uuid, principal):
                raise NotFound(
                    f"no history of resource[uuid:{uuid}]: it never existed, is not yours to see, or all that happened"
                    " to it has been forgotten"
                )
            return self._page(reader, uuid, before, limit)

        return await self._store.read(look)

    async def last(self, uuid: str) -> Record | None:
        """A row as it was when it was last changed, secrets left out, also if it has gone."""

        def look(reader: Reader) -> Record | None:
            past = changelog.of(reader, uuid, limit=1)
            rows = self._rows(past[0]) if past else (None, None)
            return rows[1] or rows[0]

        return await self._store.read(look)

    def _may_see(self, reader: Reader, uuid: str, principal: Principal) -> bool:
        past = changelog.of(reader, uuid, limit=1)
        if not past:
            return False
        if principal.admin:
            return True
        cls = self._store.tables.named(past[0].line.cls)
        if cls is None or root_of(cls).options.path is None:
            return False
        if reader.get(cls, uuid) is not None:
            return sees(reader, cls, uuid, principal)
        return root_of(cls).options.readable or past[0].line.owner == principal.account_uuid

    def _page(self, reader: Reader, uuid: str, before: int, limit: int) -> Page:
        found: list[Chapter] = []
        while True:
            past = changelog.of(reader, uuid, before, limit)
            for number, chapters in _by_batch(past):
                if len(found) >= limit:
                    return Page(tuple(found), found[-1].number)
                # The changes of one batch stay together, so that a page ends between two numbers.
                found += [shown for each in chapters if (shown := self._chapter(each)) is not None]
                before = number
            if len({each.number for each in past}) < limit:
                return Page(tuple(found), None)

    def _chapter(self, past: Past) -> Chapter | None:
        """One change as it is shown; None for one that shows in no inventory."""
        line = past.line
        old, new = (None if row is None else self._inventories.plain(row) for row in self._rows(past))
        names = sorted({*(old or ()), *(new or ())} - SHOWN_NEVER)
        fields = tuple(name for name in names if (old or {}).get(name) != (new or {}).get(name))
        kind = "created" if line.before is None else "deleted" if line.after is None else "updated"
        if kind == "updated" and not fields:
            return None
        return Chapter(past.number, past.at, line.cls, kind, fields, old, new, line.account, line.job, line.api)

    def _rows(self, past: Past) -> tuple[Record | None, Record | None]:
        cls = self._store.tables.named(past.line.cls)
        if cls is None:
            return None, None
        try:
            return changelog.rows_of(past.line, cls)
        except msgspec.ValidationError:
            return None, None  # Another version of this program wrote it, when the class had other fields.


def _by_batch(past: list[Past]) -> Iterator[tuple[int, list[Past]]]:
    batches: dict[int, list[Past]] = {}
    for each in past:
        batches.setdefault(each.number, []).append(each)
    yield from batches.items()
