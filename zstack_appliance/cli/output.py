"""What commands print: `Output`, tables and details for people, JSON for scripts.

At a terminal tables are drawn by rich; elsewhere they are plain aligned text, which other tools can read.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import msgspec

from zstack_appliance.kernel.edges import public_fields, query_name
from zstack_appliance.kernel.schema import Record

COLUMNS = {
    "VmInstance": ("name", "uuid", "state", "cpuNum", "memorySize", "vmNics.ip"),
    "Host": ("name", "uuid", "state", "status", "managementIp", "availableCpuCapacity", "availableMemoryCapacity"),
    "VmNic": ("uuid", "vmInstanceUuid", "l3NetworkUuid", "ip", "mac"),
    "L3Network": ("name", "uuid", "category", "state", "ipRanges.networkCidr"),
    "Job": ("uuid", "api", "state", "createDate", "finishedDate"),
    "GlobalConfig": ("category", "name", "value", "defaultValue"),
}
"""What a list shows of the resources whose first fields say too little."""

_MOST_COLUMNS = 6


@dataclass(frozen=True)
class Output:
    """Where and how a command prints.

    Args:
        as_json: print JSON.
        out: standard output, or what stands for it.
    """

    as_json: bool = False
    out: TextIO | None = None

    @property
    def stream(self) -> TextIO:
        """Where it goes."""
        return self.out or sys.stdout

    def line(self, text: str) -> None:
        """One line of text."""
        print(text, file=self.stream)

    def value(self, value: Any) -> None:
        """Anything, as JSON."""
        self.line(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None) -> None:
        """Rows under headings."""
        if self.stream.isatty():
            _draw(columns, rows, title, self.stream)
            return
        if title:
            self.line(title)
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        for row in (columns, *rows):
            self.line("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

    def inventories(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        """A list of resources."""
        if self.as_json:
            self.value(rows)
        elif rows:
            self.table(columns, [[shown(_at(row, column)) for column in columns] for row in rows])
        else:
            print("nothing found", file=sys.stderr)

    def inventory(self, row: Any) -> None:
        """One resource, whole."""
        if self.as_json:
            self.value(row)
        elif not row:
            self.line("done")
        elif isinstance(row, Mapping):
            width = max((len(key) for key in row), default=0)
            for key, value in row.items():
                self._detail(key.ljust(width), value)

    def _detail(self, label: str, value: Any) -> None:
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            for index, row in enumerate(value):
                text = ", ".join(f"{key}={shown(each)}" for key, each in row.items() if not key.endswith("Date"))
                self.line(f"{label if index == 0 else ' ' * len(label)}  {text}")
        else:
            self.line(f"{label}  {shown(value)}")


def columns_of(cls: type[Record]) -> tuple[str, ...]:
    """What a list shows of a resource."""
    known = COLUMNS.get(query_name(cls))
    if known is not None:
        return known
    dull = ("description", "createDate", "lastOpDate", "name", "uuid")
    fields = [field for field in public_fields(cls) if field.wire not in dull and not field.is_json]
    named = [name for name in ("name", "uuid") if any(field.wire == name for field in public_fields(cls))]
    fields.sort(key=lambda field: field.enum is None)
    return (*named, *(field.wire for field in fields))[:_MOST_COLUMNS]


def shown(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value) or "-"
    if isinstance(value, Mapping):
        return msgspec.json.encode(value).decode()
    return str(value)


def _at(row: Mapping[str, Any], path: str) -> Any:
    """The value at a path; over a list it is the list of what each row of it has."""
    name, _, rest = path.partition(".")
    value = row.get(name)
    if not rest:
        return value
    return [_at(each, rest) for each in value] if isinstance(value, list) else None


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None, out: TextIO) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(file=out).print(table)
