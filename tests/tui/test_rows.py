"""Rows follow events, and a filter decides what of them is seen."""

from __future__ import annotations

from typing import Any

import pytest

from zstack_appliance.tui.rows import Filter, Rows, is_bytes, one_line

COLUMNS = ("name", "uuid", "state", "memorySize", "vmNics.ip")


def vm(uuid: str, name: str, **more: Any) -> dict[str, Any]:
    return {"uuid": uuid, "name": name, "state": "Running", "memorySize": 2**29, **more}


def event(kind: str, uuid: str, inventory: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"kind": kind, "uuid": uuid, "inventory": inventory}


def names(rows: Rows, text: str = "") -> list[str]:
    return [cells[0] for _, cells in rows.visible(Filter(text))]


def test_a_row_is_cells_in_one_line_each() -> None:
    rows = Rows(COLUMNS)
    row = vm("f" * 32, "a\nb\x1b[2J", vmNics=[{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}])
    assert rows.cells(row) == (
        "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}[2J",
        "f" * 32,
        "Running",
        "512 MiB",
        "10.0.0.1, 10.0.0.2",
    )
    rows.narrow = True
    assert rows.cells(row)[1] == "ffffffff"
    assert rows.cells({"uuid": "1"})[2:] == ("-", "-", "-")


def test_rows_follow_events() -> None:
    rows = Rows(COLUMNS)
    rows.replace([vm("1", "a"), vm("2", "b")])
    assert rows.take(event("created", "3", vm("3", "c")))
    assert rows.take(event("updated", "1", vm("1", "A")))
    assert not rows.take(event("updated", "1", vm("1", "A")))
    assert rows.take(event("deleted", "2", vm("2", "b")))
    assert not rows.take(event("deleted", "2"))
    assert not rows.take(event("updated", "9"))
    assert names(rows) == ["A", "c"]


def test_columns_of_numbers_are_known() -> None:
    rows = Rows(("name", "n", "flag", "empty"))
    assert rows.numbers == frozenset()
    rows.replace([{"uuid": "1", "name": "x", "n": 10, "flag": True}, {"uuid": "2", "name": "y", "n": None}])
    assert rows.numbers == {"n"}


def test_sorting_puts_numbers_in_their_order_and_what_is_missing_last() -> None:
    rows = Rows(("name", "n"))
    rows.replace([{"uuid": "1", "name": "x", "n": 10}, {"uuid": "2", "name": "y"}, {"uuid": "3", "name": "z", "n": 9}])
    rows.sort_by("n")
    assert names(rows) == ["z", "x", "y"]
    rows.sort_by("n")
    assert (names(rows), rows.sorted_by) == (["y", "x", "z"], ("n", True))
    rows.sort_by("name")
    assert names(rows) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("", ["web1", "db"]), ("WEB", ["web1"]), ("^d", ["db"]), ("!web", ["db"]), ("we[b", []), ("!", ["web1", "db"])],
)
def test_a_filter_is_an_expression_or_its_opposite(text: str, found: list[str]) -> None:
    rows = Rows(("name",))
    rows.replace([{"uuid": "1", "name": "web1"}, {"uuid": "2", "name": "db"}])
    assert names(rows, text) == found


def test_what_holds_bytes_is_told_by_its_name() -> None:
    assert is_bytes("memorySize")
    assert is_bytes("totalMemoryCapacity")
    assert not is_bytes("totalCpuCapacity")
    assert one_line("a\u202eb") == "a\N{REPLACEMENT CHARACTER}b"
