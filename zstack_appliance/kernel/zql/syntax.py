"""ZQL's statements as values: `Statement`, `Verb` and `Restriction`. Nothing here knows a resource."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from zstack_appliance.kernel.conditions import DEFAULT_LIMIT, And, Op, Term


class Verb(enum.Enum):
    """What a statement answers."""

    QUERY = "query"
    """Rows."""
    COUNT = "count"
    """How many there are."""
    SUM = "sum"
    """Their numbers added up, by the values of one field."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """The rows must lie in a resource that fulfils this, however many edges up it is.

    Args:
        target: query name of that resource, such as ``zone``.
        field: wire name of its field.
        op: the operator.
        value: as in `Cond`.
    """

    target: str
    field: str
    op: Op
    value: str | tuple[str, ...] = ""


EVERY = And()
"""The condition of a statement without any."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement.

    Args:
        verb: what is answered.
        target: query name of the resource, in any case.
        fields: wire names to keep of each row, or for a sum to add up; empty keeps all.
        where: the condition tree.
        restrict: what the rows must lie in; all of it.
        total: whether the number of matching rows is answered besides the rows.
        group_by: wire names; of rows with the same values one stands for all.
        sort: wire path to sort by.
        descending: whether the sort is turned round.
        limit: rows at most.
        offset: rows to skip.
        name: repeated in the answer, for the caller to tell statements apart.
    """

    verb: Verb
    target: str
    fields: tuple[str, ...] = ()
    where: Term = EVERY
    restrict: tuple[Restriction, ...] = ()
    total: bool = False
    group_by: tuple[str, ...] = ()
    sort: str | None = None
    descending: bool = False
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    name: str | None = None
