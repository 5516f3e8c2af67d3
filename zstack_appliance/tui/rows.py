"""The rows of a list: `Rows`, which follows events, and `Filter`, which says what of them is shown. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zstack_appliance.cli.output import shown
from zstack_appliance.tui.bars import size

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Filter:
    """What a person typed behind the slash: a regular expression, or with ``!`` in front what must not match.

    A text that is no regular expression is looked for as it stands. Case does not count.
    """

    text: str = ""

    def matches(self, cells: Sequence[str]) -> bool:
        """Whether a row with these cells is shown."""
        wanted = self.text.removeprefix("!")
        if not wanted:
            return True
        found = self._pattern(wanted).search("  ".join(cells)) is not None
        return found is not self.text.startswith("!")

    @staticmethod
    def _pattern(wanted: str) -> re.Pattern[str]:
        try:
            return re.compile(wanted, re.IGNORECASE)
        except re.error:
            return re.compile(re.escape(wanted), re.IGNORECASE)


@dataclass
class Rows:
    """What is known of a resource's rows, in the order in which they are shown.

    Args:
        columns: paths into the inventories.
        narrow: whether uuids are cut to their first digits, for want of room.
    """

    columns: tuple[str, ...]
    narrow: bool = False
    _rows: dict[str, Row] = field(default_factory=dict)
    _sort: str = ""
    _descending: bool = False

    def replace(self, rows: Iterable[Row]) -> None:
        """Know these rows and no others."""
        self._rows = {key_of(row): row for row in rows}

    def take(self, event: Mapping[str, Any]) -> bool:
        """Follow one event of this resource.

        Args:
            event: its data, with ``kind``, ``uuid`` and ``inventory``.

        Returns:
            whether anything changed.
        """
        uuid, inventory = event["uuid"], event.get("inventory")
        if event["kind"] in ("deleted", "left"):
            return self._rows.pop(uuid, None) is not None
        if inventory is None or self._rows.get(uuid) == inventory:
            return False
        self._rows[uuid] = inventory
        return True

    def sort_by(self, column: str) -> None:
        """Sort by a column, by the same one again the other way round."""
        self._descending = column == self._sort and not self._descending
        self._sort = column

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The column, or an empty text, and whether the largest comes first."""
        return self._sort, self._descending

    def get(self, uuid: str) -> Row | None:
        """One row."""
        return self._rows.get(uuid)

    def __len__(self) -> int:
        return len(self._rows)

    def visible(self, what: Filter) -> list[tuple[str, tuple[str, ...]]]:
        """The uuid and the cells of each row that the filter lets through, in order."""
        rows = list(self._rows.values())
        if self._sort:
            rows.sort(key=lambda row: _order(_at(row, self._sort)), reverse=self._descending)
        found = [(key_of(row), self.cells(row)) for row in rows]
        return [(uuid, cells) for uuid, cells in found if what.matches(cells)]

    @property
    def numbers(self) -> frozenset[str]:
        """The columns that hold numbers and nothing else."""
        found = {column: {type(_at(row, column)) for row in self._rows.values()} for column in self.columns}
        return frozenset(column for column, types in found.items() if types & _NUMBERS and types <= _NUMBERS | _NOTHING)

    def cells(self, row: Row) -> tuple[str, ...]:
        """What a row shows in each column."""
        return tuple(one_line(self._cell(column, _at(row, column))) for column in self.columns)

    def _cell(self, column: str, value: Any) -> str:
        if self.narrow and isinstance(value, str) and column.lower().endswith("uuid"):
            return value[:8]
        return size(value) if is_bytes(column) and isinstance(value, int) else shown(value)


_NUMBERS = {int, float}
_NOTHING = {type(None)}


def key_of(row: Row) -> str:
    """What tells a row from the others: its uuid; settings, which show none, are told apart by their names."""
    return str(row.get("uuid") or f"{row.get('category')}.{row.get('name')}")


def is_bytes(column: str) -> bool:
    """Whether a field of this name holds bytes."""
    return column.lower().endswith(("size", "capacity")) and "cpu" not in column.lower()


def one_line(text: str) -> str:
    """A text in one line of a terminal, without anything that would move its cursor."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _at(row: Row, path: str) -> Any:
    name, _, rest = path.partition(".")
    value = row.get(name)
    if not rest:
        return value
    return [_at(each, rest) for each in value] if isinstance(value, list) else None


def _order(value: Any) -> tuple[int, Any]:
    """Numbers before texts, and what is not there at the end; values of several kinds do not compare."""
    if value is None:
        return 2, ""
    if isinstance(value, int | float):
        return 0, value
    return 1, shown(value).lower()
