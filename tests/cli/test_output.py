"""What commands print."""

from __future__ import annotations

import io
import json
from typing import Any

from zstack_appliance.cli.declared import find_resource
from zstack_appliance.cli.output import Output, columns_of, shown


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


ROWS: list[dict[str, Any]] = [{"name": "web", "vmNics": [{"ip": "10.0.0.2"}, {"ip": "10.0.0.3"}]}, {"name": "longer"}]


def test_a_plain_table_is_aligned_and_bare() -> None:
    out = io.StringIO()
    Output(out=out).inventories(ROWS, ("name", "vmNics.ip"))
    assert out.getvalue() == "name    vmNics.ip\nweb     10.0.0.2, 10.0.0.3\nlonger  -\n"


def test_at_a_terminal_it_is_drawn_and_nothing_in_it_is_markup() -> None:
    out = Terminal()
    Output(out=out).inventories([{"name": "[red]x[/red]"}], ("name",))
    assert "[red]x[/red]" in out.getvalue()
    assert "─" in out.getvalue()


def test_json_is_the_whole_of_it() -> None:
    out = io.StringIO()
    Output(as_json=True, out=out).inventories(ROWS, ("name",))
    assert json.loads(out.getvalue()) == ROWS


def test_one_resource_with_its_lists() -> None:
    out = io.StringIO()
    Output(out=out).inventory({"name": "web", "vmNics": ROWS[0]["vmNics"], "createDate": "now"})
    assert out.getvalue().splitlines() == [
        "name        web",
        "vmNics      ip=10.0.0.2",
        "            ip=10.0.0.3",
        "createDate  now",
    ]
    Output(out=out).inventory({})
    assert out.getvalue().endswith("\ndone\n")


def test_values() -> None:
    assert [shown(value) for value in (None, True, False, [], [1, "a"], {"a": 1}, 5)] == [
        "-", "yes", "no", "-", "1, a", '{"a":1}', "5",
    ]  # fmt: skip


def test_columns_begin_with_the_name() -> None:
    assert columns_of(find_resource("zone"))[:3] == ("name", "uuid", "state")
    assert columns_of(find_resource("used-ip"))[0] == "uuid"
