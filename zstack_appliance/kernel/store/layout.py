"""How rows of one class are read: `Layout`, the SELECT text and the way back from a result row to a struct.

A sub-type's rows lie in several tables that share the key: its base's and its own. Reading the base class
joins the tables of all its sub-types and gives each row as the class that its discriminator names.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from zstack_appliance.kernel.derive.ddl import quoted
from zstack_appliance.kernel.schema import Description, Record, describe
from zstack_appliance.kernel.store.columns import Codec

R = TypeVar("R", bound=Record)

Codecs = Mapping[str, Codec]
"""Field name to codec, in the order of the fields."""


@dataclass(frozen=True)
class _Decoder(Generic[R]):
    """Builds one class from a result row."""

    cls: type[R]
    names: tuple[str, ...]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    """Selects this class's values from a wider row; None takes the row as it is."""
    special: tuple[tuple[int, Callable[[Any], Any]], ...]
    """Places whose values need decoding."""

    def __call__(self, row: tuple[Any, ...]) -> R:
        values = list(row if self.pick is None else self.pick(row))
        for place, decode in self.special:
            value = values[place]
            if value is not None:
                values[place] = decode(value)
        return self.cls(**dict(zip(self.names, values, strict=True)))


class Layout(Generic[R]):
    """Reads one class, and the classes below it as what they are.

    Args:
        cls: the class that is asked for.
        codecs: of the class itself and of every registered class below it.
    """

    def __init__(self, cls: type[R], codecs: Mapping[type[R], Codecs]) -> None:
        chain = chain_of(cls)
        root = chain[0].table
        tables = [part.table for part in chain]
        columns: list[str] = []
        wanted: dict[type[R], list[int]] = {}
        for each in codecs:
            tables += [part.table for part in chain_of(each) if part.table not in tables]
            wanted[each] = [_place(columns, column) for column in _columns(each)]
        joins = (
            f"{'JOIN' if place < len(chain) else 'LEFT JOIN'} {quoted(table)}"
            f' ON {quoted(table)}."uuid" = {quoted(root)}."uuid"'
            for place, table in enumerate(tables)
            if table != root
        )
        self.source = " ".join((quoted(root), *joins))
        """What follows FROM: the tables, joined by their key."""
        self.select = f"SELECT {', '.join(columns)} FROM {self.source}"
        """Complete but for WHERE and ORDER BY; columns are qualified by their table."""
        self._own = _decoder(cls, codecs[cls], wanted[cls], len(columns))
        self._below = {
            describe(each).options.kind: _decoder(each, codecs[each], places, len(columns))
            for each, places in wanted.items()
            if each is not cls
        }
        kind = chain[0].options.discriminator
        self._kind = columns.index(qualified(cls, kind)) if kind is not None and self._below else None

    def decode(self, row: tuple[Any, ...]) -> R:
        """The struct of one result row of `select`.

        A row whose sub-type nobody registers any more is given as the class that was asked for.
        """
        if self._kind is None:
            return self._own(row)
        return self._below.get(row[self._kind], self._own)(row)


def chain_of(cls: type[Record]) -> tuple[Description, ...]:
    """The descriptions of a class and of all that it is a sub-type of, the base first."""
    own = describe(cls)
    return (own,) if own.base is None else (*chain_of(own.base), own)


def home_of(cls: type[Record], name: str) -> str:
    """The table that holds a field: the first in the chain that has it.

    Raises:
        KeyError: the class has no such field.
    """
    for part in chain_of(cls):
        if any(field.name == name for field in part.own_fields):
            return part.table
    raise KeyError(f"{cls.__name__} has no field {name}")


def qualified(cls: type[Record], name: str) -> str:
    """A field as SQL, such as ``"host"."state"``."""
    return f"{quoted(home_of(cls, name))}.{quoted(name)}"


def _columns(cls: type[Record]) -> list[str]:
    return [qualified(cls, field.name) for field in describe(cls).fields]


def _place(columns: list[str], column: str) -> int:
    """Where a column stands in the result, adding it at the end if it is new."""
    if column not in columns:
        columns.append(column)
    return columns.index(column)


def _decoder(cls: type[R], codecs: Codecs, places: list[int], width: int) -> _Decoder[R]:
    pick = None if places == list(range(width)) else operator.itemgetter(*places)
    special = tuple((place, codec.decode) for place, codec in enumerate(codecs.values()) if codec.decode)
    return _Decoder(cls, tuple(codecs), pick, special)
