from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.kernel.conditions import (
    MAX_CONDITIONS,
    REST_OPERATORS,
    And,
    Cond,
    Op,
    Query,
    parse_condition,
    parse_rest,
)
from zstack_appliance.kernel.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("name=web", Cond("name", Op.EQ, "web")),
        ("name!=web", Cond("name", Op.NE, "web")),
        ("size>1", Cond("size", Op.GT, "1")),
        ("size>=1", Cond("size", Op.GE, "1")),
        ("size<1", Cond("size", Op.LT, "1")),
        ("size<=1", Cond("size", Op.LE, "1")),
        ("name?=a,b", Cond("name", Op.IN, ("a", "b"))),
        ("name!?=a,b", Cond("name", Op.NOT_IN, ("a", "b"))),
        ("name~=%a_", Cond("name", Op.LIKE, "%a_")),
        ("name!~=%a_", Cond("name", Op.NOT_LIKE, "%a_")),
        ("hostUuid is null", Cond("hostUuid", Op.IS_NULL)),
        ("hostUuid not null", Cond("hostUuid", Op.NOT_NULL)),
        ("hostUuid is not null", Cond("hostUuid", Op.NOT_NULL)),
        ("hostUuid is null, or so", Cond("hostUuid", Op.IS_NULL)),
        (" vmNics.ip = 10.0.0.1 ", Cond("vmNics.ip", Op.EQ, " 10.0.0.1 ")),
        ("name=", Cond("name", Op.EQ, "")),
        ("name=a=b", Cond("name", Op.EQ, "a=b")),
        ("name=is null", Cond("name", Op.EQ, "is null")),
        # The probing order decides, not the place: a value with an operator probed earlier is split there.
        ("name=a!=b", Cond("name=a", Op.NE, "b")),
        ("name=a>b", Cond("name", Op.EQ, "a>b")),
        ("name>a=b", Cond("name>a", Op.EQ, "b")),
    ],
)
def test_a_condition_is_split_at_the_first_operator_probed(text: str, condition: Cond) -> None:
    assert parse_condition(text) == condition


@pytest.mark.parametrize("text", ["", "name", "name null", "web"])
def test_a_condition_needs_an_operator(text: str) -> None:
    with pytest.raises(InvalidArgument, match="doesn't contain any query operator") as raised:
        parse_condition(text)
    assert raised.value.details.startswith(f"Invalid query parameter. The '{text}' in the parameter[q]")


@given(
    st.text(st.characters(whitelist_categories=["Ll"]), min_size=1),
    st.sampled_from(REST_OPERATORS),
    st.text(st.characters(whitelist_categories=["Ll", "Nd"])),
)
def test_what_is_written_reads_back(path: str, operator: tuple[str, Op], value: str) -> None:
    spelling, op = operator
    read = parse_condition(f"{path}{spelling}{value}" if op.takes_value else f"{path} {spelling}")
    if op.takes_list:
        assert read == Cond(path, op, tuple(value.split(",")))
    else:
        assert read == Cond(path, op, value if op.takes_value else "")


def test_a_query_by_default() -> None:
    assert parse_rest([]) == Query(
        where=And(()), sort=None, descending=False, limit=1000, start=0, count=False, fields=()
    )


def test_every_parameter() -> None:
    assert parse_rest(
        [
            ("q", "name=web"),
            ("q", "state=Running"),
            ("q", "name=web"),
            ("limit", "10"),
            ("start", "20"),
            ("sort", "-name"),
            ("count", "false"),
            ("replyWithCount", "TRUE"),
            ("fields", "uuid, name"),
            ("groupBy", "name"),
            ("unheardOf", "x"),
            ("unheardOf", "y"),
        ]
    ) == Query(
        where=And((Cond("name", Op.EQ, "web"), Cond("state", Op.EQ, "Running"))),
        sort="name",
        descending=True,
        limit=10,
        start=20,
        reply_with_count=True,
        fields=("uuid", "name"),
    )


@pytest.mark.parametrize("text", ["+name", " name", "name"])
def test_a_sort_without_minus_ascends(text: str) -> None:
    # A client that forgets to escape the plus sends a space.
    query = parse_rest([("sort", text)])
    assert (query.sort, query.descending) == ("name", False)


@pytest.mark.parametrize("key", ["limit", "start"])
@pytest.mark.parametrize("text", ["-1", "1.5", "ten", "9" * 30, "\u0661", "9" * 5000])
def test_a_number_must_be_one(key: str, text: str) -> None:
    with pytest.raises(InvalidArgument, match=f"'{key}' must be a whole number"):
        parse_rest([(key, text)])


def test_empty_parameters_are_as_absent() -> None:
    keys = ("limit", "start", "count", "replyWithCount", "sort", "fields", "filterName")
    assert parse_rest([(key, "") for key in keys]) == Query()


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([("count", "yes")], "'count' must be true or false"),
        ([("limit", "1"), ("limit", "2")], "more than once"),
        ([("q", f"name={i}") for i in range(MAX_CONDITIONS + 1)], "at most 256 conditions, but got 257"),
    ],
)
def test_wrong_parameters_are_refused(params: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        parse_rest(params)


def test_operators_have_the_names_of_the_message_api() -> None:
    assert Op("not in") is Op.NOT_IN
    assert Op("is not null") is Op.NOT_NULL


@pytest.mark.parametrize("op", Op)
def test_negative_operators_negate_a_positive_one(op: Op) -> None:
    assert op.negative == (op.positive is not op)
    assert not op.positive.negative
