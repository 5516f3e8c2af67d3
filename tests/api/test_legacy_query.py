from __future__ import annotations

from typing import Any

import pytest

from zstack_appliance.api.legacy_query import read_query
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.conditions import And, Cond, Op, Query
from zstack_appliance.kernel.errors import InvalidArgument


def condition(op: str, value: Any = None, name: str = "a") -> dict[str, Any]:
    return {"name": name, "op": op, "value": value}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (condition("=", "x"), Cond("a", Op.EQ, "x")),
        (condition("!=", 5, name=" a "), Cond("a", Op.NE, "5")),
        (condition(">=", "5"), Cond("a", Op.GE, "5")),
        (condition("in", "x,y"), Cond("a", Op.IN, ("x", "y"))),
        (condition("not in", ["x", 5]), Cond("a", Op.NOT_IN, ("x", "5"))),
        (condition("LIKE", "%x%"), Cond("a", Op.LIKE, "%x%")),
        (condition("not  like", "x"), Cond("a", Op.NOT_LIKE, "x")),
        (condition("is null", ""), Cond("a", Op.IS_NULL)),
        (condition("is not null"), Cond("a", Op.NOT_NULL)),
        (condition("=", True), Cond("a", Op.EQ, "true")),
        (condition("="), Cond("a", Op.EQ, "")),
    ],
)
def test_conditions(given: dict[str, Any], read: Cond) -> None:
    assert read_query({"conditions": [given, given]}, "m").where == And((read,))


def test_numbers_and_booleans_may_be_texts_and_nulls_count_for_nothing() -> None:
    given = {
        "conditions": None,
        "limit": "5",
        "start": "10",
        "count": "true",
        "replyWithCount": "false",
        "sortBy": "name",
        "sortDirection": "desc",
        "fields": ["name", "uuid"],
        "groupBy": None,
        "filterName": None,
        "session": {"uuid": "x"},
    }
    assert read_query(given, "m") == Query(
        sort="name", descending=True, limit=5, start=10, count=True, fields=("name", "uuid")
    )
    assert read_query({}, "m") == Query()
    assert read_query({"filterName": "a:b"}, "m") == Query(filter_name="a:b")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"conditions": [condition("~=", "x")]}, r"no operator \[~=\] as in condition\[a\]; use ="),
        ({"conditions": [{"name": "a"}]}, "conditions"),
        ({"sortDirection": "up"}, r"are \[asc, desc\]"),
        ({"limit": -1}, r"range of \[0"),
    ],
)
def test_what_is_wrong(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        read_query(given, "m")


def test_what_is_no_number_is_refused_before_there_is_a_message() -> None:
    with pytest.raises(Refusal, match="limit"):
        read_query({"limit": "many"}, "m")
