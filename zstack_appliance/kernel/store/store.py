"""The store that everybody uses: `Store`, opened once per data folder."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw
import trio

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.journal import Sealer
from zstack_appliance.kernel.meter import Meter, unmetered
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store.database import head, open_reader, open_writer, prepare
from zstack_appliance.kernel.store.feed import Feed
from zstack_appliance.kernel.store.group import Rule
from zstack_appliance.kernel.store.lock import locked
from zstack_appliance.kernel.store.log import Log
from zstack_appliance.kernel.store.pool import Readers
from zstack_appliance.kernel.store.reader import Reader
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Origin, Tx
from zstack_appliance.kernel.store.worker import LoopWorker, ThreadWorker, Worker
from zstack_appliance.kernel.store.writer import Writer
from zstack_appliance.kernel.world import Clock

_log = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5
"""Pause before a log that does not answer is asked for news again."""

R = TypeVar("R", bound=Record)
T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """All rows. Reads by key are synchronous and take microseconds; longer ones go to a pool; writes wait.

    Make one with `Store.open`.
    """

    tables: Tables
    feed: Feed
    _clock: Clock
    reader: Reader
    """Rows as last committed, for the loop thread."""
    _readers: Readers
    _writer: Writer

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        resources: Iterable[type[Record]],
        clock: Clock,
        *,
        sealer: Sealer | None = None,
        log: Log | None = None,
        rules: Iterable[Rule] = (),
        meter: Meter = unmetered,
        threads: bool = True,
        synchronous: str = "FULL",
        life: str = "",
    ) -> AsyncIterator[Store]:
        """Open the database, made if need be, for as long as the block runs.

        Leaving the block ends the commit that is under way and refuses the writes that still wait.

        Args:
            path: the database file; its folder exists, and no other process may use it.
            resources: every class that may be stored.
            clock: dates the writes.
            sealer: encrypts fields marked `SECRET`; needed only if there are any.
            log: the cluster's log; None on a single node.
            rules: what must hold at the end of every write; each raises to refuse one.
            meter: is told how long commits take, and how many writes share each.
            threads: False does everything on the loop thread, for tests under a virtual clock, which would
                take waiting for a thread for idleness and jump ahead.
            synchronous: SQLite's setting: ``FULL`` waits for the disk at every commit; ``NORMAL`` may lose
                the last commits in a power cut, never in a crash; ``OFF`` is for tests.
            life: with a log, names this node in this life, unlike any other.

        Raises:
            Conflict: another process uses the folder, or the file does not fit the declarations.
            TypeError: a declaration cannot be stored.
        """
        tables = Tables(resources, sealer)
        with _connections(path, tables, threads=threads, synchronous=synchronous) as opened:
            feed = Feed(head(opened.writer))
            # Real time would cut groups differently each time that a virtual clock replays them.
            watch = time.perf_counter if threads else trio.current_time
            writer = Writer(
                opened.writer, tables, feed, opened.worker, log, watch, rules=tuple(rules), life=life, meter=meter
            )
            async with trio.open_nursery() as nursery:
                await nursery.start(writer.run)
                store = cls(tables, feed, clock, Reader(opened.reader, tables), opened.readers, writer)
                if log is not None:
                    nursery.start_soon(_follow, store, log)
                try:
                    yield store
                finally:
                    writer.close()
                    nursery.cancel_scope.cancel()

    # --- writing ---------------------------------------------------------------------------------------

    async def write(
        self, function: Callable[[Tx], T], *, owner: str = ADMIN_ACCOUNT, job: str | None = None, api: str | None = None
    ) -> T:
        """Commit what `function` does, all of it or nothing, durably, and give what it returns.

        Args:
            function: ``def change(tx)``, synchronous. It may run more than once, and it may have no effect
                but on `tx`: clock, ids and random values are drawn before.
            owner: the account that it is done for, which owns what it inserts.
            job: the job that it is part of.
            api: ZStack's class of the call that it is part of.

        Raises:
            Conflict: a value that must be unique is taken, or a reference would point at nothing.
            Unavailable: the store is closed, or its disk or the cluster's log failed; nothing was changed.
            Cancelled: before the function was run. Once it has been, this waits for its commit.
            BaseException: whatever the function raises; nothing was changed.
        """
        return await self._writer.write(function, Origin(owner, job, self._clock.millis(), api))

    async def catch_up(self) -> None:
        """Apply everything that other nodes have committed by now; nothing to do on a single node.

        Raises:
            Unavailable: the cluster's log does not answer.
            Internal: this database differs from the other nodes'.
        """
        await self._writer.catch_up(Origin(ADMIN_ACCOUNT, None, self._clock.millis()))

    def give_up(self) -> None:
        """Wait no longer for a log that does not answer: this node stops, and its next start learns the outcome."""
        self._writer.close()

    async def reached(self, number: int) -> None:
        """Have a commit of that number in this database, whoever made it. Costs nothing where it is there.

        Raises:
            Unavailable: the cluster's log does not answer.
        """
        if self.feed.number < number:
            await self.catch_up()

    # --- reading what is committed ---------------------------------------------------------------------

    def get(self, cls: type[R], uuid: str) -> R | None:
        """The row with this key, or None; for a base class, as the sub-type that it is."""
        return self.reader.get(cls, uuid)

    def require(self, cls: type[R], uuid: str) -> R:
        """The row with this key.

        Raises:
            NotFound: there is none.
        """
        return self.reader.require(cls, uuid)

    def find(self, cls: type[R], **equals: Any) -> list[R]:
        """The rows whose fields have these values, oldest first; see `Reader.find`.

        It runs on the loop thread: search by what is indexed, or use `read`.
        """
        return self.reader.find(cls, **equals)

    def count(self, cls: type[R], **equals: Any) -> int:
        """How many rows `find` would give."""
        return self.reader.count(cls, **equals)

    def owner(self, cls: type[R], uuid: str) -> str | None:
        """The account that a row belongs to; None where there is no such row."""
        return self.reader.owner(cls, uuid)

    def missing_plugin(self, row: Record) -> str | None:
        """The missing plugin that brought the sub-type of a row; None for any other row."""
        return self.reader.missing_plugin(row)

    @property
    def readers_waiting(self) -> int:
        """How many reads wait for their turn in the pool."""
        return self._readers.turns.waiting

    async def query(self, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """The result rows of a statement, run in a thread; a cancel interrupts it.

        Raises:
            apsw.Error: the statement is wrong, or would change something.
        """
        return await self._readers.read(lambda reader: reader.select(sql, bindings))

    async def read(self, function: Callable[[Reader], T], party: str = "") -> T:
        """What `function` makes of one snapshot of the database, run in a thread; a cancel interrupts it.

        Args:
            function: ``def look(reader)``, synchronous; it may use nothing that the loop thread changes.
            party: the account that it is for; accounts are served in turn.

        Raises:
            BaseException: whatever the function raises.
        """
        return await self._readers.read(function, party)


async def _follow(store: Store, log: Log) -> None:
    """Apply what other nodes write, as it comes, for ever."""
    while True:
        try:
            await log.news(store.feed.number)
            await store.catch_up()
        except Unavailable as error:
            _log.info("what other nodes write is not heard: %s", error)
            await trio.sleep(FOLLOW_SECONDS)


@dataclass(frozen=True)
class _Opened:
    writer: apsw.Connection
    reader: apsw.Connection
    readers: Readers
    worker: Worker


@contextmanager
def _connections(path: Path, tables: Tables, *, threads: bool, synchronous: str) -> Iterator[_Opened]:
    """Lock the folder, make the database fit, and open what reads and writes it."""
    with locked(path.with_name("lock")):
        writer = open_writer(path, synchronous=synchronous)
        try:
            prepare(writer, tables.schema, path)
            reader = open_reader(path)
            readers = Readers(path, tables, threads=threads)
            worker: Worker = ThreadWorker("commit") if threads else LoopWorker()
            try:
                yield _Opened(writer, reader, readers, worker)
            finally:
                worker.close()
                readers.close()
                reader.close()
        finally:
            # Closed last, it folds the write-ahead log into the file and removes it.
            writer.close()
