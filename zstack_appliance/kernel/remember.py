"""Writing down what each plugin brings, and finding out whose plugin is missing: `remember`."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator

from zstack_appliance.kernel.absent import Absent, LeftReference, PluginRecord
from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import OnDelete, Record, Resource, describe, root_of
from zstack_appliance.kernel.store import Store, Tx

log = logging.getLogger(__name__)


async def remember(store: Store, plugins: Iterable[Plugin]) -> Absent:
    """Write down what the plugins bring, and have the store know what others have left that are missing.

    Nothing is written when all of it is known.
    """
    wanted = {plugin.name: _record(plugin) for plugin in plugins}
    known = {record.name: record for record in store.find(PluginRecord)}
    fresh = [_merged(known.get(name), record) for name, record in wanted.items()]
    news = [record for record in fresh if _said(record) != _said(known.get(record.name))]
    if news:
        await store.write(lambda tx: _write(tx, news))
    absent = _absent([*known.values(), *fresh], wanted.values())
    store.tables.absent = absent
    for plugin in sorted({*absent.kinds.values(), *absent.tables.values()}):
        _tell(plugin, absent, store)
    return absent


def _record(plugin: Plugin) -> PluginRecord:
    return PluginRecord(
        uuid=hashlib.sha256(plugin.name.encode()).hexdigest()[:32],
        create_date=0,
        last_op_date=0,
        name=plugin.name,
        tables=sorted(describe(cls).table for cls in plugin.resources),
        kinds=sorted(kind for cls in plugin.resources if (kind := _kind(cls)) is not None),
        references=[reference for cls in plugin.resources for reference in _references(cls)],
    )


def _kind(cls: type[Record]) -> tuple[str, str] | None:
    kind = describe(cls).options.kind
    return None if kind is None else (root_of(cls).table, kind)


def _references(cls: type[Record]) -> Iterator[LeftReference]:
    described = describe(cls)
    is_part = not issubclass(cls, Resource)
    if described.base is not None:
        yield LeftReference(
            table=described.table,
            column="uuid",
            target=describe(described.base).table,
            effect=OnDelete.DELETE.value,
            part=True,
            nullable=False,
            key=True,
        )
    for field in described.own_fields:
        if field.ref is not None:
            yield LeftReference(
                table=described.table,
                column=field.name,
                target=describe(field.ref.target).table,
                effect=field.ref.on_delete.value,
                part=is_part,
                nullable=field.nullable,
            )


def _merged(known: PluginRecord | None, record: PluginRecord) -> PluginRecord:
    """With the tables and kinds of before: a plugin that has lost one has left its rows as one that has gone."""
    if known is None:
        return record
    tables = {*known.tables, *record.tables}
    kept = [ref for ref in known.references if ref.table not in record.tables]
    return PluginRecord(
        uuid=record.uuid,
        create_date=known.create_date,
        last_op_date=known.last_op_date,
        name=record.name,
        tables=sorted(tables),
        kinds=sorted({*known.kinds, *record.kinds}),
        references=[*record.references, *kept],
    )


def _said(record: PluginRecord | None) -> object:
    return None if record is None else (record.tables, record.kinds, record.references)


def _write(tx: Tx, records: list[PluginRecord]) -> None:
    for record in records:
        if tx.get(PluginRecord, record.uuid) is None:
            tx.insert(record)
        else:
            tx.update(record, tables=record.tables, kinds=record.kinds, references=record.references)


def _absent(records: Iterable[PluginRecord], present: Iterable[PluginRecord]) -> Absent:
    here = tuple(present)
    tables = {table for record in here for table in record.tables}
    kinds = {kind for record in here for kind in record.kinds}
    found = {record.name: record for record in records}.values()
    references = (reference for record in found for reference in record.references)
    return Absent(
        kinds={kind: record.name for record in found for kind in record.kinds if kind not in kinds},
        tables={table: record.name for record in found for table in record.tables if table not in tables},
        references=tuple(reference for reference in references if reference.table not in tables),
    )


def _tell(plugin: str, absent: Absent, store: Store) -> None:
    """Say at the start how much waits for a plugin that is missing."""
    counted = {table: _count(table, store) for table, owner in absent.tables.items() if owner == plugin}
    rows = ", ".join(f"{count} of {table}" for table, count in counted.items() if count)
    if rows:
        log.warning("the plugin %s is missing; its rows stay and wait for it: %s", plugin, rows)


def _count(table: str, store: Store) -> int:
    [(count,)] = store.reader.select(f"SELECT count(*) FROM {quoted(table)}")
    return int(count)
