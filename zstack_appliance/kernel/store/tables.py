"""All resource classes of one database: `Tables`, made from the registered declarations."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from zstack_appliance.kernel.absent import Absent
from zstack_appliance.kernel.derive.ddl import SEQUENCES, schema_sql, script
from zstack_appliance.kernel.journal import Sealer
from zstack_appliance.kernel.schema import COMPANION, Field, Record, describe, owner_ref
from zstack_appliance.kernel.store.columns import codec_of
from zstack_appliance.kernel.store.layout import chain_of
from zstack_appliance.kernel.store.table import Table

R = TypeVar("R", bound=Record)


class Tables:
    """The registered resources.

    Args:
        resources: every class that may be stored, bases and sub-types alike.
        sealer: encrypts secret columns; needed only if there are any.

    Raises:
        TypeError: a declaration cannot be stored, or refers to a class that is not among them.
    """

    def __init__(self, resources: Iterable[type[Record]], sealer: Sealer | None = None) -> None:
        classes = tuple(dict.fromkeys(resources))
        _check(classes)
        self.schema = schema_sql(classes)
        """The statements of each table, by its name."""
        self.absent = Absent()
        """What plugins have left that are missing; `remember` sets it once the database is open."""
        self.digest = hashlib.sha256(script(self.schema).encode()).hexdigest()
        """Names the schema: two nodes understand each other's changes when they have one digest."""
        codecs = {cls: {field.name: codec_of(field, sealer) for field in describe(cls).fields} for cls in classes}
        self._by_class: dict[type[Record], Table[Any]] = {
            cls: Table(cls, {each: codecs[each] for each in (cls, *_below(cls, classes))}) for cls in classes
        }
        self._named = {cls.__name__: cls for cls in classes}
        self._roots = {describe(cls).table: chain_of(cls)[0].cls for cls in classes}

    def of(self, cls: type[R]) -> Table[R]:
        """The table of a class.

        Raises:
            LookupError: nobody registered the class.
        """
        try:
            return self._by_class[cls]
        except KeyError:
            raise LookupError(f"{cls.__name__} is not stored here: list it in its Plugin's resources") from None

    def referrers(self, cls: type[Record]) -> Iterator[tuple[Table[Any], Field]]:
        """Every field that may hold the key of a row of this class, with the table that it is in."""
        for table in self._by_class.values():
            for field, target in table.refs:
                if issubclass(cls, target):
                    yield table, field

    @functools.cached_property
    def bases(self) -> tuple[type[Record], ...]:
        """Every class that is no sub-type; those that clients know come first, as others may share their uuids."""
        found = (cls for cls in self._by_class if describe(cls).base is None)
        return tuple(sorted(found, key=lambda cls: describe(cls).options.path is None))

    @functools.cached_property
    def companions(self) -> tuple[tuple[type[Record], Field], ...]:
        """Every field marked `COMPANION`, with the class that declares it."""
        return tuple((cls, field) for cls in self._by_class for field in _own(cls) if field.marked(COMPANION))

    @functools.cached_property
    def owned(self) -> tuple[type[Record], ...]:
        """The base classes whose rows accounts own for themselves; journals left out."""
        options = {cls: describe(cls).options for cls in self.bases}
        return tuple(cls for cls, each in options.items() if each.owned and not each.journal and owner_ref(cls) is None)

    def root_class(self, table: str) -> type[Record] | None:
        """The base class whose rows a table holds, wholly or in part; None for the kernel's own tables."""
        return self._roots.get(table)

    def named(self, name: str) -> type[Record] | None:
        """The class of this name; None when nobody registers it any more."""
        return self._named.get(name)

    def replicated(self) -> Iterator[str]:
        """The tables whose rows every node has: all but the local ones."""
        yield SEQUENCES
        for cls, table in self._by_class.items():
            if not table.local:
                yield describe(cls).table


def _own(cls: type[Record]) -> tuple[Field, ...]:
    return describe(cls).own_fields


def _below(cls: type[R], classes: tuple[type[Record], ...]) -> list[type[R]]:
    return [each for each in classes if each is not cls and issubclass(each, cls)]


def _check(classes: tuple[type[Record], ...]) -> None:
    """Refuse what SQLite would accept and only refuse at the first insert."""
    for cls in classes:
        description = describe(cls)
        local = chain_of(cls)[0].options.local
        needed = [(field.name, field.ref.target) for field in description.fields if field.ref is not None]
        if description.base is not None:
            needed.append(("base", description.base))
            if description.options.kind is None or chain_of(cls)[0].options.discriminator is None:
                raise TypeError(f"{cls.__name__} is a sub-type: give it a `kind`, and its base a `discriminator`")
        for name, target in needed:
            if target not in classes:
                raise TypeError(f"{cls.__name__}.{name} refers to {target.__name__}, which no plugin lists")
            if chain_of(target)[0].options.local and not local:
                raise TypeError(f"{cls.__name__}.{name} refers to {target.__name__}, which other nodes do not have")
