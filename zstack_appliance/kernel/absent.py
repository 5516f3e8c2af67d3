"""What plugins that are not there any more have left in the database: `PluginRecord`, `LeftReference`, `Absent`.

Every start writes down what each plugin brings. When one is missing later, its rows stay. A row of a sub-type that
it brought is still read as what its base tells of it, and everything but a deletion by force is refused. Its own
tables are left alone; what rows of them refer to is known from the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.schema import OnDelete, Record, Resource, root_of
from zstack_appliance.kernel.schema import resource as declared

MISSING = "missing"
"""What a row of such a sub-type shows as its type."""


class LeftReference(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A column that holds the uuid of a row of `target`; both are tables."""

    table: str
    column: str
    target: str
    effect: str
    """What deleting the target does to the row; see `OnDelete`."""
    part: bool
    """Whether the row has no name, and so goes in the commit of what it is deleted with."""
    nullable: bool
    key: bool = False
    """Whether the column is the key that a sub-type's table shares with its base's."""

    @property
    def yields(self) -> bool:
        """Whether the row makes way by itself when its target goes."""
        if self.effect == OnDelete.SET_NULL.value:
            return True
        return self.part and self.effect in (OnDelete.DELETE.value, OnDelete.FOLLOWS.value)


@declared(wire="org.zstack.appliance", local=True, silent=True, unique=(("name",),))
class PluginRecord(Record, frozen=True, kw_only=True):
    """What a plugin has brought into this database."""

    name: str
    tables: list[str]
    kinds: list[tuple[str, str]]
    """Table of the base and value of its discriminator, for each sub-type."""
    references: list[LeftReference]


@dataclass(frozen=True)
class Absent:
    """What missing plugins have left.

    Args:
        kinds: table of the base and value of its discriminator, to the plugin that is missing.
        tables: table to the plugin that is missing.
        references: from those tables.
    """

    kinds: Mapping[tuple[str, str], str] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    references: tuple[LeftReference, ...] = ()

    def plugin_of(self, row: Record) -> str | None:
        """The missing plugin that brought the sub-type of a row; None for any other row."""
        if not self.kinds:
            return None
        root = root_of(type(row))
        kind: Any = getattr(row, root.options.discriminator) if root.options.discriminator else None
        return self.kinds.get((root.table, kind))

    def kinds_of(self, cls: type[Record]) -> tuple[str, ...]:
        """The kinds of a base that nobody here knows any more."""
        table = root_of(cls).table
        return tuple(kind for base, kind in self.kinds if base == table)


def refuse_missing(row: Record, plugin: str) -> Conflict:
    """The error for an operation on a row whose sub-type's plugin is missing."""
    root = root_of(type(row))
    label = row.name if isinstance(row, Resource) else f"uuid:{row.uuid}"
    kind = getattr(row, root.options.discriminator or "uuid")
    return Conflict(
        f"{root.name}[{label}] is of type[{kind}], and the plugin {plugin}, which brought that, is missing:"
        f" put {plugin} back and start the appliance again; all that can be done without it is to delete the"
        " record, with deleteMode=Enforcing"
    )
