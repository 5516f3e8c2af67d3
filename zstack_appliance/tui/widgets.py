"""What several screens use: `TopLine`, `heading`, `fill` (brings a table in line with rows), `background`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from rich.text import Text
from textual.content import Content
from textual.coordinate import Coordinate
from textual.dom import DOMNode
from textual.widgets import DataTable, Static
from textual.worker import WorkType

from zstack_appliance.tui.colours import Paint, role_of
from zstack_appliance.tui.rows import one_line

Table = DataTable[Text]


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


def fill(table: Table, rows: Iterable[tuple[str, Sequence[str]]], paint: Paint, marked: Iterable[str] = ()) -> None:
    """Bring a table in line with rows: keys and cells. The cursor stays on its row as long as that is there.

    Cells are changed in place where the rows are still the same, so that nothing jumps while one reads.
    """
    wanted = list(rows)
    chosen = set(marked)
    now = [str(key.value) for key in table.rows]
    if now == [key for key, _ in wanted]:
        for index, (key, cells) in enumerate(wanted):
            shown = table.get_row_at(index)
            for column, cell in enumerate(_texts(cells, paint, is_marked=key in chosen)):
                if shown[column] != cell or shown[column].style != cell.style:
                    table.update_cell_at(Coordinate(index, column), cell, update_width=True)
        return
    here = now[table.cursor_row] if 0 <= table.cursor_row < len(now) else None
    at = table.cursor_row
    table.clear()
    for key, cells in wanted:
        table.add_row(*_texts(cells, paint, is_marked=key in chosen), key=key)
    keys = [key for key, _ in wanted]
    table.move_cursor(row=keys.index(here) if here in keys else min(at, max(0, len(keys) - 1)))


def _texts(cells: Sequence[str], paint: Paint, *, is_marked: bool) -> list[Text]:
    found = [Text(cell, style=paint(role_of(cell)), no_wrap=True, overflow="ellipsis") for cell in cells]
    if is_marked and found:
        found[0] = Text(f"✓ {cells[0]}", style=paint("mark"), no_wrap=True)
    return found
