"""What a query may cost: depth, rows and time. Primitives: `select_bounded`, `InTime`, `MAX_ROWS`.

How deep an expression is for SQLite depends on how it rewrites conditions (a few sub-queries under an OR can be
too deep where hundreds of plain conditions are not), so it cannot be foreseen by counting.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import apsw
import trio

from zstack_appliance.kernel.config import Configs, GlobalConfig
from zstack_appliance.kernel.errors import InvalidArgument, Unavailable
from zstack_appliance.kernel.sql import Statement
from zstack_appliance.kernel.store.reader import Reader

T = TypeVar("T")

MAX_ROWS = 10_000
"""Rows in one answer. Each takes some 10 kB while it is rendered; a larger page is a mistake or an attack."""

QUERY_SECONDS = GlobalConfig(
    "query",
    "timeout",
    "60",
    "How long a query may wait for its turn and run, in seconds; then it is interrupted and fails.",
    kind=int,
    low=1,
    high=3600,
)
CONFIGS = (QUERY_SECONDS,)

_TOO_DEEP = ("Expression tree is too large", "Recursion limit", "parser stack overflow")
"""How SQLite begins to say so; it has no code for it."""


class Snapshots(Protocol):
    """What queries are answered from; the store is one."""

    async def read(self, function: Callable[[Reader], T], party: str = "") -> T:
        """What `function` makes of one snapshot of the database, away from the loop thread; parties take turns."""


class InTime:
    """Snapshots that are looked at for a limited time, from the asking on.

    Args:
        store: gives them; a cancel interrupts its statements.
        configs: know the limit.
    """

    def __init__(self, store: Snapshots, configs: Configs) -> None:
        self._store = store
        self._configs = configs

    async def read(self, function: Callable[[Reader], T], party: str = "") -> T:
        """What `function` makes of one snapshot, in its party's turn.

        Raises:
            Unavailable: the time is up; the statement that ran was interrupted.
        """
        seconds = self._configs.number(QUERY_SECONDS.path)
        with trio.move_on_after(seconds):
            return await self._store.read(function, party)
        raise Unavailable(
            f"the query took longer than {seconds} s and was interrupted; narrow its conditions, sort by another"
            f" field, or raise the global config {QUERY_SECONDS.path}"
        )


def refuse_many(rows: list[Any]) -> None:
    """Raise an `InvalidArgument` when more rows came than one answer may hold; read one more to learn of it."""
    if len(rows) > MAX_ROWS:
        raise InvalidArgument(
            f"more than {MAX_ROWS} rows match, the most that one answer holds;"
            f" ask for them in pages, with a limit of {MAX_ROWS} at most and a start"
        )


def select_bounded(reader: Reader, statement: Statement) -> list[tuple[Any, ...]]:
    """The result rows of a statement.

    Raises:
        InvalidArgument: its conditions are nested deeper than SQLite goes.
    """
    try:
        return reader.select(statement.sql, statement.bindings)
    except apsw.SQLError as error:
        if not str(error).startswith(_TOO_DEEP):
            raise
        raise InvalidArgument(
            "the conditions are nested too deep; take out parentheses, sub-queries, or edges from the longest paths"
        ) from None
