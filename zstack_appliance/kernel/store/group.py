"""One group of writes in one transaction: `Write`, a caller's function, and `Group`, which runs many.

Each function has its own savepoint, so that one that fails takes nothing of its neighbours with it.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apsw
import trio

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.store.feed import Change
from zstack_appliance.kernel.store.integrity import check_references
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Origin, Tx

Rule = Callable[[Tx], None]
"""Looks at what a write leaves behind, and raises to refuse it."""


@dataclass(eq=False, slots=True)
class Write:
    """One caller waiting for its function's commit."""

    function: Callable[[Tx], Any]
    origin: Origin
    task: trio.lowlevel.Task
    catches_up: bool = False
    """Whether the log's news must be applied before it runs."""
    begun: bool = False
    """Whether it has been run at least once; from then on its caller cannot withdraw it."""
    value: Any = None
    error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Forget what the function gave; the caller gets the error."""
        self.value, self.error = None, error


class Group:
    """An open transaction and what ran in it.

    Args:
        connection: the writer's.
        tables: the registered resources.
        rules: what must hold at the end of each function besides.

    Raises:
        apsw.Error: the transaction cannot be begun.
    """

    def __init__(self, connection: apsw.Connection, tables: Tables, rules: tuple[Rule, ...] = ()) -> None:
        self._connection = connection
        self._tables = tables
        self._rules = rules
        self.changes: list[Change] = []
        self.dirty = False
        """Whether any table was changed, silent ones included."""
        connection.execute("BEGIN IMMEDIATE")

    def run(self, write: Write) -> None:
        """Run one function; its value or its error is left in `write`.

        Raises:
            Unavailable: the database gave up the whole transaction, as it does when its disk is full.
        """
        write.begun = True
        tx = Tx(self._connection, self._tables, write.origin)
        self._connection.execute("SAVEPOINT one")
        try:
            value = write.function(tx)
            _refuse_coroutine(value)
            check_references(self._connection, self._tables, tx)
            for rule in self._rules:
                rule(tx)
            changes = list(tx.changes())
            self._connection.execute("RELEASE one")
        except BaseException as error:  # noqa: BLE001 — whatever it is, it belongs to the caller.
            write.fail(error)
            self._undo(error)
        else:
            write.value, write.error = value, None
            self.changes += changes
            self.dirty = self.dirty or tx.dirty
        finally:
            tx.close()

    def rollback(self) -> None:
        """Undo everything that has not been committed."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _undo(self, error: BaseException) -> None:
        if not self._connection.in_transaction:
            raise Unavailable(f"the database cannot be written: {error}; look at the data folder's disk") from error
        self._connection.execute("ROLLBACK TO one; RELEASE one")


def _refuse_coroutine(value: object) -> None:
    if isinstance(value, types.CoroutineType):
        value.close()
        raise TypeError("the function given to write() is asynchronous: do what waits before or after the write")
