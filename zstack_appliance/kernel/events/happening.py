"""What a commit means to whoever looks at rows: `Happening`, and `Happenings`, which reads them off a batch.

Beside its own changes a row is touched by those of rows that its inventory lists, and comes into and goes out of
sight when it is shared and taken back. Each happening has a place in its batch, which depends on what the change
log keeps alone, so that it is the same whenever the batch is read; jobs, which the log does not keep, come
after the others.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from zstack_appliance.kernel.edges import Edge, Graph, public_fields
from zstack_appliance.kernel.events.sight import NOBODY, Shares, Sight
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.schema import Record, describe, root_of
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Batch, Change, Store, changelog
from zstack_appliance.kernel.store.changelog import differences, is_kept

STEPS = "steps"
"""The field of a job's event that holds the steps of its flows."""


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """Something that happened to one row."""

    number: int
    place: int
    """In its batch, from 1."""
    at: int
    """Milliseconds UTC."""
    root: type[Record]
    """The row's base class."""
    key: str
    before: Record | None
    after: Record | None
    owner: str
    shared_before: frozenset[str]
    shared_after: frozenset[str]
    fields: tuple[str, ...]
    """Wire names of what changed and may be seen; of a row that came or went, none."""
    account: str | None = None
    job: str | None = None

    @property
    def row(self) -> Record:
        """As it is, or was last."""
        row = self.after or self.before
        assert row is not None
        return row

    @property
    def sights(self) -> tuple[Sight, Sight]:
        """Who saw it, and who sees it."""
        return Sight(self.root, self.owner, self.shared_before), Sight(self.root, self.owner, self.shared_after)


class Happenings:
    """Reads happenings off batches.

    Args:
        graph: says which rows stand in which inventories.
        store: gives the rows that a batch touches without changing them.
    """

    def __init__(self, graph: Graph, store: Store) -> None:
        self._store = store
        self._holders: dict[str, list[Edge]] = {}
        for cls in graph.resources:
            for edge in graph.embeds(cls):
                if edge.source is cls and root_of(cls).options.path is not None:
                    self._holders.setdefault(root_of(edge.target).table, []).append(edge)
        self._types = {describe(cls).vo: root_of(cls).cls for cls in graph.resources}

    def of(self, batch: Batch, shares: Shares) -> list[Happening]:
        """What happened in a batch, in order.

        Args:
            batch: live, or as the log has it.
            shares: as before the batch; moved past it.
        """
        own = [change for change in batch.changes if is_kept(self._store.tables, change)]
        keys = {change.key for change in batch.changes} | {
            row.resource_uuid for change in own if isinstance(row := change.after or change.before, SharedResource)
        }
        before = {key: shares.of(key) for key in keys}
        for change in own:
            shares.apply(change)
        sight = {key: (before[key], shares.of(key)) for key in keys}
        own_rows = [self._own(batch, change, sight[change.key]) for change in own]
        beside = self._beside(batch, own, own_rows, sight, shares)
        found: list[Happening | None] = [*own_rows, *beside, *self._unkept(batch, own, sight)]
        placed = (replace(each, place=place) for place, each in enumerate(found, 1) if each is not None)
        return [each for each in placed if root_of(each.root).options.path is not None]

    def _own(
        self, batch: Batch, change: Change, sight: tuple[frozenset[str], frozenset[str]], extra: tuple[str, ...] = ()
    ) -> Happening:
        row = change.after or change.before
        assert row is not None
        return Happening(
            number=batch.number,
            place=0,
            at=batch.at,
            root=root_of(type(row)).cls,
            key=change.key,
            before=change.before,
            after=change.after,
            owner=change.owner,
            shared_before=sight[0],
            shared_after=sight[1],
            fields=(*_changed(change.before, change.after), *extra),
            account=change.account,
            job=change.job,
        )

    # --- rows that are touched by another's change -----------------------------------------------------

    def _beside(
        self,
        batch: Batch,
        own: list[Change],
        found: list[Happening],
        sight: dict[str, tuple[frozenset[str], frozenset[str]]],
        shares: Shares,
    ) -> list[Happening | None]:
        """Rows whose inventories list what changed, and rows that were shared or taken back.

        Those that changed by themselves get the list's name among their own fields instead.
        """
        last = {each.key: place for place, each in enumerate(found)}
        beside: dict[tuple[type[Record], str], tuple[list[str], Change]] = {}
        for change in own:
            for cls, key, name in (*self._holding(change), *self._shared(change)):
                if key not in last:
                    beside.setdefault((cls, key), ([], change))[0].append(name)
                elif name and found[last[key]].before is not None and found[last[key]].after is not None:
                    each = found[last[key]]
                    found[last[key]] = replace(each, fields=(*dict.fromkeys((*each.fields, name)),))
        return [self._touched(batch, place, names, sight, shares) for place, names in beside.items()]

    def _holding(self, change: Change) -> Iterator[tuple[type[Record], str, str]]:
        """The rows in whose inventories a changed row stands: class, uuid and the list's name."""
        if change.before is not None and change.after is not None and not _changed(change.before, change.after):
            return
        for edge in self._holders.get(change.table, ()):
            rows = [row for row in (change.before, change.after) if isinstance(row, edge.target)]
            for key in dict.fromkeys(getattr(row, edge.key) for row in rows):
                if key is not None and edge.listed is not None:
                    yield edge.source, key, edge.listed

    def _shared(self, change: Change) -> Iterator[tuple[type[Record], str, str]]:
        row = change.after or change.before
        if isinstance(row, SharedResource):
            cls = self._types.get(row.resource_type)
            if cls is not None:
                yield cls, row.resource_uuid, ""

    def _touched(
        self,
        batch: Batch,
        place: tuple[type[Record], str],
        names: tuple[list[str], Change],
        sight: dict[str, tuple[frozenset[str], frozenset[str]]],
        shares: Shares,
    ) -> Happening | None:
        (cls, key), (fields, cause) = place, names
        row, owner = self._as_of(cls, key, batch.number)
        if row is None:
            return None
        shared = sight.get(key) or (shares.of(key), shares.of(key))
        change = replace(cause, table=root_of(cls).table, key=key, before=row, after=row, owner=owner)
        return self._own(batch, change, shared, tuple(dict.fromkeys(name for name in fields if name)))

    def _as_of(self, cls: type[Record], key: str, number: int) -> tuple[Record | None, str]:
        """A row as it was after a batch that did not change it, and its owner; None when there was none."""
        later = changelog.next_of(self._store.reader, key, number)
        if later is None:
            return self._store.get(cls, key), self._store.owner(cls, key) or ""
        named = self._store.tables.named(later.line.cls)
        return (None if named is None else changelog.rows_of(later.line, named)[0]), later.line.owner

    # --- what the log does not keep --------------------------------------------------------------------

    def _unkept(
        self, batch: Batch, own: list[Change], sight: dict[str, tuple[frozenset[str], frozenset[str]]]
    ) -> Iterator[Happening | None]:
        """Jobs, once each with the changes of their flows, and changes that are not worth keeping."""
        jobs: dict[str, list[Change]] = {}
        kept = set(map(id, own))
        for change in batch.changes:
            row = change.after or change.before
            if isinstance(row, Job):
                jobs.setdefault(row.uuid, []).append(change)
            elif isinstance(row, FlowRun):
                if row.job_uuid is not None:
                    jobs.setdefault(row.job_uuid, []).append(change)
            elif id(change) not in kept:
                yield self._own(batch, change, sight[change.key])
        for uuid, changes in jobs.items():
            yield self._job(batch, uuid, changes)

    def _job(self, batch: Batch, uuid: str, changes: list[Change]) -> Happening | None:
        own = [change for change in changes if change.table == describe(Job).table]
        extra = (STEPS,) if len(own) < len(changes) else ()
        if own:
            change = replace(own[-1], before=own[0].before)
            return self._own(batch, change, (NOBODY, NOBODY), extra if own[0].before and own[-1].after else ())
        row = self._store.get(Job, uuid)
        if row is None:
            return None
        owner = self._store.owner(Job, uuid) or ""
        change = replace(changes[-1], table=describe(Job).table, key=uuid, before=row, after=row, owner=owner)
        return self._own(batch, change, (NOBODY, NOBODY), extra)


def _changed(before: Record | None, after: Record | None) -> tuple[str, ...]:
    """Wire names of what differs and may be seen, but for the date of the change."""
    if before is None or after is None:
        return ()
    shown = _shown(type(after))
    return tuple(name for name in differences(before, after) if name in shown)


@functools.cache
def _shown(cls: type[Record]) -> frozenset[str]:
    return frozenset(field.wire for field in public_fields(cls)) - {"lastOpDate"}


def tables_of(classes: Iterable[type[Record]]) -> frozenset[str]:
    """The base tables of these classes, as changes name them."""
    return frozenset(root_of(cls).table for cls in classes)
