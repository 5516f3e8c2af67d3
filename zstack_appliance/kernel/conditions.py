"""What a query asks, as a value, and the text of REST's query string read into it.

Primitives: `Op` (the twelve operators), `Cond` (path, operator, value), `Within` (path, sub-query), `And` and
`Or` (trees of them), `Query` (conditions, order and page) and `parse_rest`. Nothing here knows a resource:
whether a path exists and what its value must look like is judged where the query is compiled.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from zstack_appliance.kernel.errors import InvalidArgument

DEFAULT_LIMIT = 1000
"""Rows that a query answers with unless it says otherwise; ZStack's number."""

MAX_CONDITIONS = 256
"""Conditions in one query. SQLite refuses expressions nested deeper than 1,000, and every AND nests once."""


class Op(enum.Enum):
    """An operator, by the name that ZStack's message API and ZQL give it."""

    EQ = "="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    IN = "in"
    NOT_IN = "not in"
    LIKE = "like"
    NOT_LIKE = "not like"
    IS_NULL = "is null"
    NOT_NULL = "is not null"

    @property
    def positive(self) -> Op:
        """The operator that this one negates; one that negates none is its own."""
        return _NEGATED.get(self, self)

    @property
    def negative(self) -> bool:
        """Whether it says what something is not."""
        return self in _NEGATED

    @property
    def takes_value(self) -> bool:
        """Whether anything is compared with."""
        return self not in (Op.IS_NULL, Op.NOT_NULL)

    @property
    def takes_list(self) -> bool:
        """Whether it compares with several values."""
        return self in (Op.IN, Op.NOT_IN)


_NEGATED = {Op.NE: Op.EQ, Op.NOT_IN: Op.IN, Op.NOT_LIKE: Op.LIKE, Op.IS_NULL: Op.NOT_NULL}

REST_OPERATORS = (
    ("!=", Op.NE),
    (">=", Op.GE),
    ("<=", Op.LE),
    ("!?=", Op.NOT_IN),
    ("!~=", Op.NOT_LIKE),
    ("~=", Op.LIKE),
    ("?=", Op.IN),
    ("=", Op.EQ),
    (">", Op.GT),
    ("<", Op.LT),
    ("is null", Op.IS_NULL),
    ("not null", Op.NOT_NULL),
)
"""REST's spelling of each operator, in the order in which ZStack probes a condition's text for them."""


@dataclass(frozen=True, slots=True)
class Cond:
    """One comparison.

    Args:
        path: wire names of edges and at the end of a field, joined by dots.
        op: the operator.
        value: as the caller wrote it; a tuple for operators that take a list, "" for those that take none.
    """

    path: str
    op: Op
    value: str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True)
class And:
    """Every one of these holds; without any, all rows match."""

    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these holds; without any, no row matches."""

    terms: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Within:
    """What a path leads to is, or is not, among the values of a field in other rows.

    Args:
        path: as in `Cond`.
        op: `Op.IN` or `Op.NOT_IN`.
        target: what queries call the resource of the other rows.
        field: wire name of its field; rows where it is null count for nothing.
        where: which of its rows count.
    """

    path: str
    op: Op
    target: str
    field: str
    where: Term = And()


Term: TypeAlias = Cond | Within | And | Or


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for and which page of it to answer.

    Args:
        where: the condition tree.
        sort: wire path to sort by, over edges to one row if need be; None sorts by age, oldest first.
        descending: whether the sort is turned round.
        limit: rows at most.
        start: rows to skip.
        count: answer the number of matching rows instead of the rows.
        reply_with_count: answer that number besides the rows; limit and start do not change it.
        fields: wire names that the inventories are cut down to; empty keeps all.
        group_by: wire names of the resource's own fields; of the rows with the same values only the oldest
            is answered and counted. Empty answers and counts all.
        filter_name: a filter besides the conditions, as ``type:argument``; there is none yet, so it is refused.
    """

    where: Term = And()
    sort: str | None = None
    descending: bool = False
    limit: int = DEFAULT_LIMIT
    start: int = 0
    count: bool = False
    reply_with_count: bool = False
    fields: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    filter_name: str | None = None


def parse_rest(params: Sequence[tuple[str, str]]) -> Query:
    """The query that the parameters of a GET ask, in the order they came; unknown parameters are ignored.

    Raises:
        InvalidArgument: a condition without operator, a number that is none, a parameter given twice.
    """
    single = _singles(params)
    conditions = dict.fromkeys(parse_condition(value) for key, value in params if key == "q")
    sort = single.get("sort", "")
    return Query(
        where=all_of(conditions),
        sort=sort.lstrip("+- ") or None,
        descending=sort.startswith("-"),
        limit=_number(single, "limit", DEFAULT_LIMIT),
        start=_number(single, "start", 0),
        count=_flag(single, "count"),
        reply_with_count=_flag(single, "replyWithCount"),
        fields=tuple(name for name in single.get("fields", "").replace(" ", "").split(",") if name),
        filter_name=single.get("filterName") or None,
    )


def all_of(conditions: Iterable[Cond]) -> And:
    """The conditions joined by AND.

    Raises:
        InvalidArgument: there are more than `MAX_CONDITIONS`.
    """
    terms = tuple(conditions)
    if len(terms) > MAX_CONDITIONS:
        raise InvalidArgument(
            f"a query takes at most {MAX_CONDITIONS} conditions, but got {len(terms)};"
            " put the values of one field into one list, as in uuid?=a,b,c"
        )
    return And(terms)


def parse_condition(text: str) -> Cond:
    """The condition in the text of one ``q``, split at the first place of the first operator that occurs.

    Operators are probed in the order of `REST_OPERATORS`, as ZStack does, so a value that holds an operator
    probed earlier (``name=a!=b``) is split there.

    Raises:
        InvalidArgument: no operator occurs.
    """
    for spelling, op in REST_OPERATORS:
        path, found, value = text.partition(spelling)
        if found:
            return _condition(path.strip(), op, value)
    raise InvalidArgument(
        f"Invalid query parameter. The '{text}' in the parameter[q] doesn't contain any query operator;"
        f" use one of {', '.join(spelling for spelling, _ in REST_OPERATORS)}, as in q=name=web"
    )


def _condition(path: str, op: Op, value: str) -> Cond:
    if op is Op.NOT_NULL:
        # People write SQL's "is not null" too; no path ends in a word of its own, so the "is" is noise.
        path = path.removesuffix(" is").rstrip()
    if not op.takes_value:
        return Cond(path, op)
    return Cond(path, op, tuple(value.split(",")) if op.takes_list else value)


_SINGLE = ("limit", "start", "count", "replyWithCount", "sort", "fields", "filterName")


def _singles(params: Sequence[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in params:
        if key in found:
            raise InvalidArgument(f"the parameter[{key}] is given more than once; give it once")
        if key in _SINGLE:
            found[key] = value
    return found


def _number(single: dict[str, str], key: str, default: int) -> int:
    text = single.get(key, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise InvalidArgument(f"Invalid query parameter. '{key}' must be a whole number from 0, but was '{text}'")
    return int(text)


def _flag(single: dict[str, str], key: str) -> bool:
    text = single.get(key, "").strip().lower()
    if text not in ("", "true", "false"):
        raise InvalidArgument(f"Invalid query parameter. '{key}' must be true or false, but was '{text}'")
    return text == "true"
