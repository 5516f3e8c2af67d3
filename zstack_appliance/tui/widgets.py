"""What several screens use: `TopLine`, `heading`, `fill` (brings a table in line with rows), `background`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual.content import Content
from textual.coordinate import Coordinate
from textual.dom import DOMNode
from textual.widgets import DataTable, Static
from textual.worker import WorkType

from zstack_appliance.tui.colours import Paint, role_of
from zstack_appliance.tui.rows import one_line

Table = DataTable[Text]

WIDEST = 60
"""Columns of a terminal that one column of a table takes at most; what is longer ends in an ellipsis. The last
one takes all that is left."""

AROUND = 6
"""Columns beside a table that has not been laid out yet: the borders around it and the room within them."""


class TopLine(Static):
    """The line at the top: where one is, with which cloud, and whether what is shown is live."""

    def __init__(self) -> None:
        super().__init__(id="top")

    def say(self, titles: Sequence[str], place: str, paint: Paint, *, live: bool) -> None:
        """Show the trail and the connection."""
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append("● live" if live else "○ reconnecting", style=paint("good" if live else "busy"))
        text.append(f"  {place}  ", style=paint("muted"))
        for index, title in enumerate(titles):
            last = index == len(titles) - 1
            text.append(one_line(title), style=paint("bold" if last else "muted"))
            text.append("" if last else " > ", style=paint("muted"))
        self.update(text)


def background(node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
    """Do something while the screen goes on; of one group on one node only the latest goes on."""
    worker: WorkType[None] = work
    node.run_worker(worker, exclusive=True, group=group)


def heading(text: str) -> Content:
    """A text as the title of a box, whatever it holds; textual would read markup in a plain one."""
    return Content(one_line(text))


def fill(
    table: Table,
    columns: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    paint: Paint,
    marked: Iterable[str] = (),
    numbers: Iterable[str] = (),
) -> None:
    """Bring a table in line with columns and rows. The cursor stays on its row as long as that is there.

    Cells are changed in place where rows and widths are still the same, so that nothing jumps while one reads.

    Args:
        table: is changed.
        columns: the headings.
        rows: key and cells of each.
        paint: the styles.
        marked: keys of the rows that bear a mark.
        numbers: columns whose cells end at the same place.
    """
    right = [name in numbers for name in columns]
    wanted = [(key, _texts(cells, right, paint, is_marked=key in marked)) for key, cells in rows]
    widths = _widths(table, columns, [[cell.plain for cell in cells] for _, cells in wanted])
    keys = [key for key, _ in wanted]
    now = [str(key.value) for key in table.rows]
    if now == keys and [column.width for column in table.ordered_columns] == widths:
        for row, (_, cells) in enumerate(wanted):
            for column, (old, new) in enumerate(zip(table.get_row_at(row), cells, strict=True)):
                if old != new or old.style != new.style:
                    table.update_cell_at(Coordinate(row, column), new)
        return
    at, top = table.cursor_row, table.scroll_y
    here = now[at] if 0 <= at < len(now) else None
    table.clear(columns=True)
    # Widths are given, because those that a table finds by itself come late, and not at all when it is hidden.
    for name, width, ends in zip(columns, widths, right, strict=True):
        table.add_column(Text(name, justify="right" if ends else "left"), key=name, width=width)
    for key, cells in wanted:
        table.add_row(*cells, key=key)
    table.move_cursor(row=keys.index(here) if here in keys else min(at, max(0, len(keys) - 1)), scroll=False)
    table.scroll_to(y=top, animate=False)


def _widths(table: Table, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """What each column needs; the last one makes do with what is left."""
    needed = [max(map(cell_len, (name, *(cells[at] for cells in rows)))) for at, name in enumerate(columns)]
    widths = [min(WIDEST, width) for width in needed]
    around = 2 * table.cell_padding
    # A table that was hidden until now has no size yet.
    whole = table.size.width or table.app.size.width - AROUND
    room = whole - sum(width + around for width in widths[:-1]) - around
    return [*widths[:-1], max(len(columns[-1]), min(needed[-1], room))]


def _texts(cells: Sequence[str], right: Sequence[bool], paint: Paint, *, is_marked: bool) -> list[Text]:
    found = [
        Text(cell, paint(role_of(cell)), justify="right" if ends else "left", no_wrap=True, overflow="ellipsis")
        for cell, ends in zip(cells, right, strict=True)
    ]
    if is_marked and found:
        found[0] = Text(f"✓ {cells[0]}", style=paint("mark"), no_wrap=True)
    return found
