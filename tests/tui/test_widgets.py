"""Tables are brought in line with rows, and nothing jumps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from zstack_appliance.tui.colours import DARK, paint
from zstack_appliance.tui.widgets import WIDEST, Table, fill, heading

COLUMNS = ("name", "state")
PAINT = paint(DARK)

Rows = list[tuple[str, tuple[str, str]]]


class Bench(App[None]):
    """One table."""

    def compose(self) -> ComposeResult:
        yield Table(cursor_type="row")


def at(work: Callable[[Table], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Bench().run_test(size=(60, 20)) as pilot:
            pilot_: Pilot[None] = pilot
            await work(pilot_.app.query_one(Table))

    asyncio.run(run())


def names(table: Table) -> list[str]:
    return [table.get_row_at(row)[0].plain for row in range(table.row_count)]


def test_the_cursor_stays_on_its_row() -> None:
    async def work(table: Table) -> None:
        rows: Rows = [(str(n), (f"vm{n}", "Running")) for n in range(5)]
        fill(table, COLUMNS, rows, PAINT)
        table.move_cursor(row=3)
        fill(table, COLUMNS, [("9", ("new", "Running")), *rows], PAINT)
        assert (names(table)[table.cursor_row], table.cursor_row) == ("vm3", 4)
        fill(table, COLUMNS, rows[:3], PAINT)
        assert table.cursor_row == 2
        fill(table, COLUMNS, [], PAINT)
        assert names(table) == []

    at(work)


def test_a_cell_changes_in_place_and_a_wider_one_makes_its_column_wider() -> None:
    async def work(table: Table) -> None:
        fill(table, COLUMNS, [("1", ("a", "Running"))], PAINT)
        before = table.rows["1"]  # type: ignore[index]  # textual takes plain text for a key
        fill(table, COLUMNS, [("1", ("b", "Stopped"))], PAINT)
        assert table.rows["1"] is before  # type: ignore[index]
        assert names(table) == ["b"]
        fill(table, COLUMNS, [("1", ("much longer", "Stopped"))], PAINT, {"1"})
        assert [column.width for column in table.ordered_columns] == [len("✓ much longer"), 7]
        fill(table, COLUMNS, [("1", ("x" * 255, "Stopped"))], PAINT)
        assert table.ordered_columns[0].width == WIDEST
        fill(table, COLUMNS, [("1", ("web", "y" * 255))], PAINT)
        assert [column.width for column in table.ordered_columns] == [len("name"), 60 - len("name") - 4]

    at(work)


def test_numbers_end_at_the_same_place_and_so_does_their_heading() -> None:
    async def work(table: Table) -> None:
        fill(table, ("name", "n"), [("1", ("a", "7")), ("2", ("b", "512"))], PAINT, numbers={"n"})
        assert [cell.justify for cell in table.get_row_at(0)] == ["left", "right"]
        assert [column.label.justify for column in table.ordered_columns] == ["left", "right"]

    at(work)


def test_a_table_that_was_hidden_has_room_for_its_last_column() -> None:
    async def work(table: Table) -> None:
        table.display = False
        laid_out = asyncio.Event()
        table.app.call_after_refresh(laid_out.set)
        await laid_out.wait()
        assert table.size.width == 0
        fill(table, COLUMNS, [("1", ("web", "y" * 40))], PAINT)
        assert table.ordered_columns[1].width == 40

    at(work)


def test_a_heading_is_only_text() -> None:
    assert heading("[red]a\n").plain == "[red]a\N{REPLACEMENT CHARACTER}"
