"""Queries that may take long: `Readers`, a few read-only connections, each used in a thread."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import apsw
import trio

from zstack_appliance.kernel.fair import Fair
from zstack_appliance.kernel.store.database import open_reader
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.tables import Tables

T = TypeVar("T")

CONNECTIONS = 4
"""On the smallest machine there are two cores; many more threads would only take the GIL from the loop."""

CONNECTIONS_OF_ONE = 2
"""Of those, as many may be used for one account, so that its slow queries leave others their turn."""

STEPS_BETWEEN_LOOKS = 10_000
"""SQLite instructions after which a query looks whether it has been cancelled; about 0.1 ms."""


class Readers:
    """Runs functions that only read, each in one snapshot of the database.

    Args:
        path: the database.
        tables: the registered resources.
        threads: False runs them on the loop thread, for tests under a virtual clock.
    """

    def __init__(self, path: Path, tables: Tables, *, threads: bool) -> None:
        self._tables = tables
        self._threads = threads
        self.turns = Fair(CONNECTIONS, CONNECTIONS_OF_ONE)
        self._threads_limiter = trio.CapacityLimiter(CONNECTIONS)
        self._idle = [open_reader(path) for _ in range(CONNECTIONS)]
        for connection in self._idle:
            if threads:
                connection.set_progress_handler(_look, STEPS_BETWEEN_LOOKS)

    async def read(self, function: Callable[[Reader], T], party: str = "") -> T:
        """Run `function` with a reader; a cancel interrupts it within a statement.

        Args:
            function: what to run.
            party: on whose behalf; parties are served in turn.

        Raises:
            BaseException: whatever the function raises.
        """
        async with self.turns.turn(party):
            connection = self._idle.pop()
            try:
                if not self._threads:
                    return self._in_snapshot(connection, function)
                return await trio.to_thread.run_sync(
                    self._in_snapshot, connection, function, limiter=self._threads_limiter
                )
            finally:
                self._idle.append(connection)

    def close(self) -> None:
        """Close the connections; nobody reads any more."""
        with ExitStack() as closing:
            for connection in self._idle:
                closing.callback(connection.close)

    def _in_snapshot(self, connection: apsw.Connection, function: Callable[[Reader], T]) -> T:
        connection.execute("BEGIN")
        try:
            return function(Reader(connection, self._tables))
        finally:
            connection.execute("ROLLBACK")


def _look() -> bool:
    """Called by SQLite in the thread; raising stops the statement."""
    trio.from_thread.check_cancelled()
    return False
