"""What deleting one row does to others, read from the declarations: `plan` (pure) and `Cascade` (does it).

A reference says what deleting its target does to the row that holds it (`OnDelete`). The plan follows the
references from the row that is deleted: first all that is stopped, then all that is detached, then the
deletions, each row before those that it refers to. `Cascade` has each done by the operation of the folder that
it belongs to, under that resource's own queue; a row without an operation goes in the commit of the row that it
is a part of. Interrupted anywhere, the same deletion asked for again plans what is left, and goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zstack_appliance.kernel.absent import refuse_missing
from zstack_appliance.kernel.edges import lineage
from zstack_appliance.kernel.errors import CloudError, Conflict
from zstack_appliance.kernel.message import BeforeDelete, Delete, DeleteMode, Request, resource_of
from zstack_appliance.kernel.plugin import Operation, Plugin, handler_of
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.removal import uproot
from zstack_appliance.kernel.schema import Key, OnDelete, Record, Resource, describe, root_of
from zstack_appliance.kernel.store.reader import Reader

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Effect:
    """What a deletion does to one row.

    Args:
        row: as it is now.
        effect: what happens to it; VETO means that it forbids the deletion.
        field: wire name of its reference to what goes; None for a row that is deleted.
    """

    row: Record
    effect: OnDelete
    field: str | None = None

    @property
    def named(self) -> str:
        """The row as errors name it."""
        label = self.row.name if isinstance(self.row, Resource) else f"uuid:{self.row.uuid}"
        return f"{root_of(type(self.row)).name}[{label}]"

    def to_wire(self) -> dict[str, str]:
        """As a dry run answers it."""
        return {
            "type": root_of(type(self.row)).vo,
            "uuid": self.row.uuid,
            "name": self.row.name if isinstance(self.row, Resource) else "",
            "effect": self.effect.value,
        }


def plan(reader: Reader, root: Record) -> tuple[Effect, ...]:
    """Everything that deleting a row does, in the order in which it is done; the row itself comes last."""
    made = _Plan(reader)
    made.doom(root)
    made.emit(root)
    first = {OnDelete.VETO: 0, OnDelete.STOP: 1, OnDelete.DETACH: 2}
    # The sort is stable: deletions and cleared references keep the order of the walk.
    ordered = sorted(made.effects, key=lambda effect: first.get(effect.effect, 3))
    return (*(each for each in ordered if each.row is not root), Effect(root, OnDelete.DELETE))


class _Plan:
    """One plan in the making: first what goes, then in which order."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._doomed: dict[Key, Record] = {}
        self._below: dict[Key, list[tuple[Record, OnDelete, str]]] = {}
        """To each row that goes, the rows that refer to it, what that means for them, and by which field."""
        self._emitted: set[tuple[Key, OnDelete]] = set()
        self.effects: list[Effect] = []

    # --- what goes -------------------------------------------------------------------------------------

    def doom(self, root: Record) -> None:
        """Find every row that goes with this one."""
        wave = [root]
        while wave:
            fresh = {_key(row): row for row in wave if _key(row) not in self._doomed}
            self._doomed.update(fresh)
            wave = [next_one for rows in _by_type(fresh.values()) for next_one in self._next(rows)]

    def _next(self, rows: list[Record]) -> Iterable[Record]:
        """What goes because these rows, all of one class, go."""
        by_uuid = {row.uuid: row for row in rows}
        for cls, field, ref in self._reader.referrers(rows[0]):
            for child in self._reader.find(cls, **{field.name: tuple(by_uuid)}):
                effect = ref.effect_on(child)
                parent = by_uuid[getattr(child, field.name)]
                self._below.setdefault(_key(parent), []).append((child, effect, field.wire))
                if effect is OnDelete.DELETE:
                    yield child
        for row in rows:
            for target, is_inseparable in self._targets(row):
                if is_inseparable:
                    yield target
            if self._reader.owner(type(row), row.uuid) == row.uuid:
                for belonging in self._reader.belongings(row.uuid):
                    self._below.setdefault(_key(row), []).append((belonging, OnDelete.DELETE, "owner"))
                    yield belonging

    def _targets(self, row: Record) -> Iterable[tuple[Record, bool]]:
        """What a row goes with, and whether it takes that along."""
        for field in describe(type(row)).fields:
            uuid = getattr(row, field.name)
            if field.ref is not None and uuid is not None and field.ref.effect_on(row) is OnDelete.DELETE:
                target = self._reader.get(field.ref.target, uuid)
                if target is not None:
                    yield target, field.ref.is_inseparable(row)

    # --- in which order --------------------------------------------------------------------------------

    def emit(self, row: Record) -> None:
        """Append what happens to a row that goes, after all that refers to it."""
        key = _key(row)
        if (key, OnDelete.DELETE) in self._emitted:
            return
        self._emitted.add((key, OnDelete.DELETE))
        # Nameless rows first: they lead to what else they are part of. A network leaves its cluster, and so
        # its hosts, before the hosts themselves go.
        for child, effect, wire in sorted(self._below.get(key, ()), key=lambda each: isinstance(each[0], Resource)):
            if _key(child) in self._doomed:
                self.emit(child)
                self._emit_wholes(child, effect)
            elif effect is not OnDelete.FOLLOWS:
                self._affect(child, effect, wire)
        self.effects.append(Effect(row, OnDelete.DELETE))

    def _emit_wholes(self, row: Record, effect: OnDelete) -> None:
        """A part goes in the commit of its whole, so the whole must come before what else the part refers to."""
        is_elsewhere = effect in _HOLDING and not isinstance(row, Resource)
        wholes = [each for each in self._targets(row) if _key(each[0]) in self._doomed]
        for place, (target, is_inseparable) in enumerate(wholes):
            # With the first of several it is gone already.
            if is_inseparable or (is_elsewhere and place == 0):
                self.emit(target)

    def _affect(self, row: Record, effect: OnDelete, wire: str) -> None:
        if (_key(row), effect) not in self._emitted:
            self._emitted.add((_key(row), effect))
            self.effects.append(Effect(row, effect, wire))


_HOLDING = (OnDelete.DETACH, OnDelete.STOP, OnDelete.VETO)
"""References that would dangle; one that is merely cleared does not."""


def _key(row: Record) -> Key:
    return type(row).key(row.uuid)


def _by_type(rows: Iterable[Record]) -> Iterable[list[Record]]:
    grouped: dict[type[Record], list[Record]] = {}
    for row in rows:
        grouped.setdefault(type(row), []).append(row)
    return grouped.values()


class Cascade:
    """Does what plans say.

    Args:
        plugins: whose operations are used.

    Raises:
        TypeError: rows would have to be stopped or detached, and nobody says how.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self._deletes: dict[type[Record], type[Delete]] = {}
        self._operations: dict[tuple[type[Record], OnDelete], Operation] = {}
        chosen = tuple(plugins)
        for plugin in chosen:
            self._operations.update(plugin.cascades)
            for message in (handler_of(entry).message for entry in plugin.handlers):
                target = resource_of(message) if issubclass(message, Delete) else None
                if target is not None and issubclass(message, Delete):
                    self._deletes[target] = message
        for cls in (cls for plugin in chosen for cls in plugin.resources):
            self._check(cls)

    def _check(self, cls: type[Record]) -> None:
        for field in describe(cls).own_fields:
            if field.ref is None or field.ref.inseparable is not None:
                continue
            effect = field.ref.on_delete
            if effect in (OnDelete.STOP, OnDelete.DETACH) and (cls, effect) not in self._operations:
                raise TypeError(
                    f"{cls.__name__}.{field.name} is on_delete={effect.name}: add ({cls.__name__}, {effect.name})"
                    " to its plugin's cascades, to say how"
                )

    async def preview(self, row: Record, mode: DeleteMode, cloud: Cloud) -> tuple[Effect, ...]:
        """What deleting a row would do; nothing is changed.

        Raises:
            Conflict: with code ``SYS.1004`` and the reason as its cause: a permissive deletion is refused; or
                in any mode: the row is the first account's.
        """
        if row.uuid == ADMIN_ACCOUNT:
            raise Conflict("the first account cannot be deleted: the appliance itself acts as it", code="SYS.1004")
        effects = await cloud.store.read(lambda reader: plan(reader, row))
        if mode is DeleteMode.PERMISSIVE:
            await _check_all(effects, cloud)
        return tuple(effect for effect in effects if effect.effect is not OnDelete.VETO)

    async def clear(self, row: Record, mode: DeleteMode, cloud: Cloud) -> None:
        """Have everything out of the way of deleting a row. The caller holds the row's queue and deletes it then.

        Raises:
            Conflict: with code ``SYS.1004`` and a cause: the deletion is refused, and nothing was changed; or
                something failed half way, and asking again goes on from there. Never in the mode Enforcing.
        """
        effects = await self.preview(row, mode, cloud)
        for effect in effects[:-1]:
            request = self._request(effect, mode)
            if request is None:
                continue
            try:
                await cloud.call(request)
            except CloudError as error:
                if mode is DeleteMode.PERMISSIVE:
                    text = f"{effects[-1].named} is not deleted yet: {effect.named} failed to {effect.effect.value}"
                    raise Conflict(f"{text}: {error}; mend that and delete again", code="SYS.1004") from error
                log.warning("deleting %s goes on without %s: %s", effects[-1].named, effect.named, error)
        if mode is DeleteMode.ENFORCING:
            await cloud.write(lambda tx: uproot(tx, row))

    def _request(self, effect: Effect, mode: DeleteMode) -> Request[Any] | None:
        """The operation of a row's own folder; None for a row that goes with what it is a part of."""
        for cls in reversed(lineage(type(effect.row))):
            operation = self._operations.get((cls, effect.effect))
            if operation is not None:
                return operation(effect.row, mode)
            if effect.effect is OnDelete.DELETE and cls in self._deletes:
                return self._deletes[cls](uuid=effect.row.uuid, delete_mode=mode)
        return None


async def _check_all(effects: tuple[Effect, ...], cloud: Cloud) -> None:
    root = effects[-1]
    for effect in effects:
        try:
            _refuse_without_plugin(effect, cloud)
            if effect.effect is OnDelete.VETO:
                raise Conflict(f"{effect.named} refers to it by {effect.field}; delete or detach that first")
            await cloud.gather(BeforeDelete(row=effect.row, effect=effect.effect))
        except CloudError as error:
            raise Conflict(f"{root.named} cannot be deleted: {error}", code="SYS.1004") from error


def _refuse_without_plugin(effect: Effect, cloud: Cloud) -> None:
    """Only its plugin knows how a row is let go of that it brought, or that stands on what goes."""
    plugin = cloud.store.missing_plugin(effect.row)
    if plugin is not None:
        raise refuse_missing(effect.row, plugin)
    held = cloud.store.reader.held_by_missing(effect.row) if effect.effect is OnDelete.DELETE else None
    if held is not None:
        raise Conflict(
            f"rows of {held[1]} refer to {effect.named}, and the plugin {held[0]}, which knows them, is missing:"
            f" put {held[0]} back, or delete with deleteMode=Enforcing"
        )
