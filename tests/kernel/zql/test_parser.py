from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.kernel.conditions import And, Cond, Op, Or, Term, Within
from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.zql.parser import MAX_DEPTH, MAX_STATEMENTS, MAX_TEXT, parse
from zstack_appliance.kernel.zql.syntax import Restriction, Statement, Verb

A, B, C = (Cond(name, Op.EQ, "1") for name in "abc")


def where(text: str) -> Term:
    [statement] = parse(f"query vm where {text}")
    return statement.where


def test_every_clause_of_a_query() -> None:
    text = """
        QUERY vmInstance.uuid,name WHERE name = "web"
        restrict by (zone.uuid = 'z', cluster.name like 'c%') return with (total) group by state,hostUuid
        order by host.name desc limit 5 offset 10 named as 'first'
    """
    assert parse(text) == (
        Statement(
            verb=Verb.QUERY,
            target="vmInstance",
            fields=("uuid", "name"),
            where=Cond("name", Op.EQ, "web"),
            restrict=(Restriction("zone", "uuid", Op.EQ, "z"), Restriction("cluster", "name", Op.LIKE, "c%")),
            total=True,
            group_by=("state", "hostUuid"),
            sort="host.name",
            descending=True,
            limit=5,
            offset=10,
            name="first",
        ),
    )


def test_several_statements() -> None:
    text = "query zone; count host where state = 'Enabled' group by clusterUuid; sum volume.size,actualSize by type;"
    assert parse(text) == (
        Statement(Verb.QUERY, "zone"),
        Statement(Verb.COUNT, "host", where=Cond("state", Op.EQ, "Enabled"), group_by=("clusterUuid",)),
        Statement(Verb.SUM, "volume", ("size", "actualSize"), group_by=("type",)),
    )


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("a = 1 and b = 1 or c = 1", Or((And((A, B)), C))),
        ("a = 1 or b = 1 and c = 1", Or((A, And((B, C))))),
        ("(a = 1 or b = 1) and c = 1", And((Or((A, B)), C))),
        ("((a = 1))", A),
        ("a.b.c >= -5", Cond("a.b.c", Op.GE, "-5")),
        ("a = true and b = 1.5", And((Cond("a", Op.EQ, "true"), Cond("b", Op.EQ, "1.5")))),
        ("a is null", Cond("a", Op.IS_NULL)),
        ("a is not null", Cond("a", Op.NOT_NULL)),
        ("a not null", Cond("a", Op.NOT_NULL)),
        ("a not like 'x%'", Cond("a", Op.NOT_LIKE, "x%")),
        ("a in ('x','y')", Cond("a", Op.IN, ("x", "y"))),
        ("a not in list('x', 2)", Cond("a", Op.NOT_IN, ("x", "2"))),
        ("a in 'x'", Cond("a", Op.IN, ("x",))),
        ("__tagUuid__ has ('x','y')", And((Cond("__tagUuid__", Op.EQ, "x"), Cond("__tagUuid__", Op.EQ, "y")))),
        ("__tagUuid__ not has ('x')", Or((Cond("__tagUuid__", Op.NE, "x"),))),
        (
            "a in (query host.uuid where a = 1 or b = 1) and c = 1",
            And((Within("a", Op.IN, "host", "uuid", Or((A, B))), C)),
        ),
        ("a not in (query host.uuid)", Within("a", Op.NOT_IN, "host", "uuid")),
    ],
)
def test_conditions(text: str, term: Term) -> None:
    assert where(text) == term


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "character 1: expected query, count or sum, but found the end"),
        (";", r"expected query, count or sum, but found \[;\]"),
        ("select vm", r"expected query, count or sum, but found \[select\]"),
        ("query", "expected a resource such as vmInstance, but found the end"),
        ("query vm where", "expected a field"),
        ("query vm where a", "expected an operator: one of ="),
        ("query vm where a = b", r"character 20: expected a value.*found \[b\]"),
        ("query vm where a in ()", "expected a value"),
        ("query vm where (a = 1", r"expected \), but found the end"),
        ("query vm where a = (query host.uuid)", "expected a value"),
        ("query vm where a in (query host)", r"expected \., but found \[\)\]"),
        ("query vm where a in (query host.uuid limit 1)", r"expected \), but found \[limit\]"),
        ("query vm limit -1", "expected a whole number from 0"),
        ("query vm limit 1.5", "expected a whole number from 0"),
        ("query vm order by", "expected a field"),
        ("query vm return with (zwatch{a=1})", "expected total"),
        ("query vm filter by x{1}", "no filter exists"),
        ("query vm named as x", "expected a name in quotes"),
        ("query max(vm.cpuNum)", "expected a clause that may stand here"),
        ("query vm limit 1 where a = 1", r"expected a clause that may stand here, or ;, but found \[where\]"),
        ("sum vm by name", "expected a dot"),
        ("sum vm.cpuNum where a = 1", "expected by"),
        ("query vm restrict by (uuid = 'x')", r"expected \."),
        (" " * (MAX_TEXT + 1), "at most"),
        ("query vm;" * (MAX_STATEMENTS + 1), f"at most {MAX_STATEMENTS} statements"),
        (f"query vm where {'(' * (MAX_DEPTH + 1)}", f"at most {MAX_DEPTH} parentheses"),
        (f"query vm where {' and '.join(['a = 1'] * 257)}", "at most 256 conditions"),
    ],
)
def test_what_is_no_zql(text: str, words: str) -> None:
    with pytest.raises(InvalidArgument, match=words):
        parse(text)


PIECES = [
    "query",
    "vm",
    ".",
    "where",
    "(",
    ")",
    "=",
    "in",
    "not",
    "'x'",
    "1",
    ",",
    "and",
    "or",
    ";",
    "by",
    "limit",
    "%",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map(" ".join) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidArgument):
        assert parse(text)
