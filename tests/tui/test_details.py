"""One inventory, whole, as text."""

from __future__ import annotations

from zstack_appliance.tui.colours import DARK, paint
from zstack_appliance.tui.details import facts

ROW = {
    "uuid": "1" * 32,
    "name": "a\x1b[2J[red]",
    "state": "Running",
    "memorySize": 2**29,
    "vmNics": [{"ip": "10.0.0.1", "createDate": "x"}, {"ip": "10.0.0.2"}],
    "tags": [],
}


def test_every_field_has_a_line_and_every_row_of_a_list_too() -> None:
    text = facts(ROW, paint(DARK))
    lines = text.plain.splitlines()
    assert lines[1] == "name        a\N{REPLACEMENT CHARACTER}[2J[red]"
    assert lines[3] == "memorySize  512 MiB  (536870912)"
    assert [line for line in lines if "10.0.0" in line] == ["  • ip 10.0.0.1", "  • ip 10.0.0.2"]
    assert "createDate" not in text.plain
    assert lines[-1].split() == ["tags", "-"]
    assert facts({}, paint(DARK)).plain == ""
