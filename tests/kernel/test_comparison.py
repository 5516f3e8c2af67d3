from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Literal

import apsw
import pytest

from tests.kernel.small_cloud import VmInstance
from zstack_appliance.kernel.comparison import Shape, compare, operators_of, read_moment, shape_of
from zstack_appliance.kernel.conditions import Op
from zstack_appliance.kernel.schema import TIMESTAMP, Field, describe, fields_of


class Level(enum.IntEnum):
    LOW = 1


def field(kind: Any, *marks: object) -> Field:
    return Field("f", "f", kind, True, False, None, (), marks)


def holds(kind: Any, stored: object, op: Op, value: str | tuple[str, ...] = "", *marks: object) -> object:
    """Whether SQLite says that the stored value fulfils the condition; None when it is unknown."""
    made = compare(field(kind, *marks), "f", op, value, UTC)
    sql = " ".join(("SELECT", made.sql, "FROM (SELECT ? AS f)"))
    row = apsw.Connection(":memory:").execute(sql, (*made.bindings, stored)).get
    assert row is None or isinstance(row, int)
    return None if row is None else bool(row)


def test_shapes() -> None:
    shapes = {f.wire: shape_of(f) for f in fields_of(VmInstance)}
    assert shapes["uuid"] is Shape.TEXT
    assert shapes["state"] is Shape.TEXT
    assert shapes["memorySize"] is Shape.INTEGER
    assert shapes["labels"] is Shape.JSON
    assert shapes["createDate"] is Shape.TIME
    assert shapes["stopDate"] is Shape.TIME
    assert shape_of(field(bool)) is Shape.BOOLEAN
    assert shape_of(field(float)) is Shape.REAL
    assert shape_of(field(Level)) is Shape.INTEGER
    assert shape_of(field(Literal[4, 6])) is Shape.INTEGER
    assert shape_of(field(Literal["a"])) is Shape.TEXT
    assert shape_of(field(bytes)) is Shape.JSON


@pytest.mark.parametrize(
    ("kind", "stored", "op", "value", "expected"),
    [
        (str, "web", Op.EQ, "web", True),
        (str, "web", Op.EQ, "Web", False),
        (str, "web", Op.NE, "db", True),
        (str, "web", Op.GT, "abc", True),
        (str, "web", Op.IN, ("db", "web"), True),
        (str, "web", Op.NOT_IN, ("db", "web"), False),
        (str, "it's; --", Op.IN, ("it's; --",), True),
        (str, "web-1", Op.LIKE, "web%", True),
        (str, "web-1", Op.LIKE, "web", False),
        (str, "web-1", Op.NOT_LIKE, "web__", False),
        (str, "100%", Op.LIKE, r"100\%", True),
        (str, "100x", Op.LIKE, r"100\%", False),
        (str, None, Op.NE, "web", None),
        (str, None, Op.NOT_IN, ("web",), False),
        (str, None, Op.NOT_IN, (), False),
        (str, "web", Op.NOT_IN, (), True),
        (str, "web", Op.IN, (), False),
        (str, None, Op.IS_NULL, "", True),
        (str, "x", Op.NOT_NULL, "", True),
        (int, 9, Op.LT, "10", True),
        (int, 9, Op.IN, ("9", " 10 "), True),
        (int, 9, Op.NOT_IN, ("10",), True),
        (int, 2**63 - 1, Op.EQ, str(2**63 - 1), True),
        (int, -(2**63), Op.IN, (str(-(2**63)),), True),
        (int, 192, Op.LIKE, "19%", True),
        (float, 1.5, Op.GE, "1.5", True),
        (float, 1.5, Op.IN, ("1.5", "2"), True),
        (bool, 1, Op.EQ, "True", True),
        (bool, 1, Op.NE, "false", True),
        (bool, 0, Op.IN, ("true", "false"), True),
    ],
)
def test_values_compare_by_the_type_of_the_field(
    kind: Any, stored: object, op: Op, value: str | tuple[str, ...], expected: bool | None
) -> None:
    assert holds(kind, stored, op, value) is expected


@pytest.mark.parametrize(
    ("op", "inside", "before", "after"),
    [
        (Op.EQ, True, False, False),
        (Op.NE, False, True, True),
        (Op.GT, False, False, True),
        (Op.GE, True, False, True),
        (Op.LT, False, True, False),
        (Op.LE, True, True, False),
        (Op.IN, True, False, False),
        (Op.NOT_IN, False, True, True),
    ],
)
def test_a_date_without_fraction_means_its_whole_second(op: Op, inside: bool, before: bool, after: bool) -> None:
    second = 1714587107000
    value = ("2024-05-01 18:11:47", "1999-01-01") if op.takes_list else "2024-05-01 18:11:47"
    for stored, expected in (
        (second, inside),
        (second + 999, inside),
        (second - 1, before),
        (second + 1000, after),
    ):
        assert holds(int, stored, op, value, TIMESTAMP) is expected
    assert not holds(int, None, op, value, TIMESTAMP)


@pytest.mark.parametrize(
    ("text", "zone", "first", "last"),
    [
        ("1714587107123", UTC, 1714587107123, 1714587107123),
        ("-1", UTC, -1, -1),
        ("2024-05-01 18:11:47", UTC, 1714587107000, 1714587107999),
        ("2024-05-01T18:11:47Z", None, 1714587107000, 1714587107999),
        ("2024-05-01T20:11:47+02:00", UTC, 1714587107000, 1714587107999),
        ("2024-05-01 20:11:47", timezone(timedelta(hours=2)), 1714587107000, 1714587107999),
        ("2024-05-01 18:11:47.5", UTC, 1714587107500, 1714587107500),
        ("May 1, 2024 6:11:47 PM", UTC, 1714587107000, 1714587107999),
        ("May 1, 2024 6:11:47\u202fPM", UTC, 1714587107000, 1714587107999),
        ("2024-05-01", UTC, 1714521600000, 1714521600999),
    ],
)
def test_dates_as_people_write_them(text: str, zone: tzinfo | None, first: int, last: int) -> None:
    assert read_moment(text, zone) == (first, last)


def test_a_date_without_zone_is_the_machines_when_no_zone_is_given() -> None:
    here = datetime(2024, 5, 1, 18, 11, 47).astimezone()
    assert read_moment("2024-05-01 18:11:47", None)[0] == here.timestamp() * 1000


@pytest.mark.parametrize(
    ("kind", "op", "value", "words"),
    [
        (int, Op.EQ, "many", r"takes a whole number of 64 bits, but got \[many\]"),
        (int, Op.EQ, "1.5", "takes a whole number"),
        (int, Op.IN, ("1", str(2**63)), "takes a whole number of 64 bits"),
        (int, Op.EQ, "9" * 5000, "takes a whole number"),
        (int, Op.EQ, "\u0661", "takes a whole number"),
        (float, Op.EQ, "nan", "takes a number"),
        (float, Op.EQ, "x", "takes a number"),
        (bool, Op.EQ, "yes", r"takes true or false, but got \[yes\]"),
        (bool, Op.GT, "true", "does not take the operator >: it holds a true or false; use one of =, !="),
        (list[str], Op.EQ, "x", "use one of is null, is not null"),
        (str, Op.LIKE, "%" * 2049, "at most 2048 bytes"),
        (str, Op.EQ, "\ud800", "no valid Unicode"),
        (str, Op.IN, ("a", "\ud800"), "no valid Unicode"),
        (str, Op.LIKE, "\ud800", "no valid Unicode"),
    ],
)
def test_wrong_values_are_refused(kind: Any, op: Op, value: str | tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        compare(field(kind), "f", op, value, UTC)


@pytest.mark.parametrize("text", ["soon", "", "2024-13-01", "0001-01-01 00:00:00+23:59:60", "9" * 40])
def test_wrong_dates_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="takes a date such as"):
        compare(field(int, TIMESTAMP), "f", Op.GT, text, UTC)


def test_operators_of_a_field() -> None:
    assert operators_of(describe(VmInstance).field("name")) == tuple(Op)
    assert Op.LIKE not in operators_of(describe(VmInstance).field("create_date"))
    assert operators_of(describe(VmInstance).field("labels")) == (Op.IS_NULL, Op.NOT_NULL)
