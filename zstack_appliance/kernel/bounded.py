"""Reading with compiled statements, whose size SQLite limits: `select_bounded`.

How deep an expression is for SQLite depends on how it rewrites conditions (a few sub-queries under an OR can be
too deep where hundreds of plain conditions are not), so it cannot be foreseen by counting.
"""

from __future__ import annotations

from typing import Any

import apsw

from zstack_appliance.kernel.errors import InvalidArgument
from zstack_appliance.kernel.sql import Statement
from zstack_appliance.kernel.store.reader import Reader

_TOO_DEEP = ("Expression tree is too large", "Recursion limit", "parser stack overflow")
"""How SQLite begins to say so; it has no code for it."""


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
