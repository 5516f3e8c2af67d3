"""The one writer: `Writer` gathers writes into groups and commits each group once.

Functions run on the loop thread, and only COMMIT, which waits for the disk, runs in a thread. What is
submitted during a COMMIT is the next group, so that a group grows by itself when the disk is slow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import apsw
import trio

from zstack_appliance.kernel.errors import CloudError, Unavailable
from zstack_appliance.kernel.fair import RoundRobin
from zstack_appliance.kernel.meter import Measure, Meter, unmetered
from zstack_appliance.kernel.store.changelog import keep
from zstack_appliance.kernel.store.database import set_head
from zstack_appliance.kernel.store.feed import Batch, Feed
from zstack_appliance.kernel.store.group import Group, Rule, Write
from zstack_appliance.kernel.store.log import Entry, InDoubt, Log, Recorder, apply
from zstack_appliance.kernel.store.tables import Tables
from zstack_appliance.kernel.store.tx import Origin, Tx
from zstack_appliance.kernel.store.worker import Worker

T = TypeVar("T")

DOUBT_SECONDS = 0.5
"""Pause before the log is asked again whether an entry got in."""

GROUP_SECONDS = 0.005
"""How long one group's functions may hold the loop. About a hundred functions of ten statements fit in."""


class Writer:
    """Runs and commits writes, one group after another.

    Args:
        connection: the only one that writes.
        tables: the registered resources.
        feed: gets each commit's changes.
        worker: runs COMMIT.
        log: where each commit is put first; None where there is only this node.
        stopwatch: seconds, for cutting groups.
        rules: what must hold at the end of each function besides the references.
        meter: is told how long commits take, and how many writes share each.
        life: names this node in this life; entries of the log are told apart by it.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        tables: Tables,
        feed: Feed,
        worker: Worker,
        log: Log | None,
        stopwatch: Callable[[], float] = time.perf_counter,
        rules: tuple[Rule, ...] = (),
        life: str = "",
        meter: Meter = unmetered,
    ) -> None:
        self._meter = meter
        self._commit_seconds = 0.0
        self._rules = rules
        self._life = life
        self._appended = 0
        self._closing = False
        self._connection = connection
        self._tables = tables
        self._feed = feed
        self._worker = worker
        self._log = log
        self._stopwatch = stopwatch
        self._waiting: RoundRobin[Write] = RoundRobin()
        self._work = trio.Event()
        self._refusal: CloudError | None = None

    async def write(self, function: Callable[[Tx], T], origin: Origin) -> T:
        """Run a function in the next group and wait for its commit.

        Raises:
            Unavailable: the store is closed, or the disk or the log failed; nothing was changed.
            BaseException: whatever the function raises; nothing was changed.
            Cancelled: before the function was run. Once it has been, the caller waits for the commit.
        """
        write = Write(function, origin, trio.lowlevel.current_task())
        await self._wait_for(write)
        if write.error is not None:
            raise write.error
        value: T = write.value
        return value

    async def catch_up(self, origin: Origin) -> None:
        """Apply everything that other nodes have put into the log by now.

        Raises:
            Unavailable: the log does not answer.
            Internal: this database differs from the other nodes'.
        """
        write = Write(_do_nothing, origin, trio.lowlevel.current_task(), catches_up=True)
        await self._wait_for(write)
        if write.error is not None:
            raise write.error

    def close(self) -> None:
        """Wait no longer for a log that does not answer; see `Store.give_up`."""
        self._closing = True

    async def _wait_for(self, write: Write) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._refusal is not None:
            raise self._refusal
        self._waiting.push(_account_of(write), write)
        self._work.set()

        def withdraw(_: object) -> trio.lowlevel.Abort:
            if write.begun:
                return trio.lowlevel.Abort.FAILED
            self._waiting.remove(_account_of(write), write)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(withdraw)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled; then refuse what still waits."""
        task_status.started()
        try:
            while True:
                await self._work.wait()
                self._work = trio.Event()
                while self._waiting:
                    with trio.CancelScope(shield=True):
                        await self._serve_group()
                    await trio.lowlevel.checkpoint()
        finally:
            self._refuse(Unavailable("the store is closed; send the request again once the appliance is back"))

    # --- one group -------------------------------------------------------------------------------------

    async def _serve_group(self) -> None:
        writes: list[Write] = []
        try:
            batch = await self._commit(writes)
            # Listeners come first, so that what they keep is up to date when a caller goes on.
            if batch is not None:
                self._feed.publish(batch)
        except CloudError as error:
            self._fail(writes, error)
        except apsw.Error as error:
            self._fail(writes, _unwritable(error))
        except BaseException:
            self._fail(writes, Unavailable("the store broke down; look at the log, then restart the appliance"))
            raise
        finally:
            for write in writes:
                trio.lowlevel.reschedule(write.task)

    def _fail(self, writes: list[Write], error: CloudError) -> None:
        """Give the error to the group, or to all that wait if it never got as far as having a member."""
        if not writes:
            self._take_all(writes)
        for write in writes:
            write.fail(error)

    def _take_all(self, writes: list[Write]) -> None:
        writes.extend(self._waiting)
        self._waiting.clear()

    def _refuse(self, error: CloudError) -> None:
        self._refusal = error
        writes: list[Write] = []
        self._fail(writes, error)
        for write in writes:
            trio.lowlevel.reschedule(write.task)

    async def _commit(self, writes: list[Write]) -> Batch | None:
        """Run the writes that wait, noting them in `writes`, and commit them as one batch."""
        if self._log is not None and any(write.catches_up for write in self._waiting):
            await self._follow(await self._log.after(self._feed.number))
        while True:
            group = Group(self._connection, self._tables, self._rules)
            recorder = None if self._log is None else Recorder(self._connection, self._tables)
            try:
                self._fill(group, writes)
                changeset = b"" if recorder is None else recorder.changeset()
                batch = self._number(group, changeset, writes)
                missed = await self._append(batch, changeset, writes)
                if not missed and group.dirty:
                    await self._worker.run(self._end)
                    self._meter(Measure.COMMIT, self._commit_seconds)
                    self._meter(Measure.GROUP, len(writes))
            finally:
                if recorder is not None:
                    recorder.close()
                group.rollback()
            if not missed:
                return batch
            await self._follow(missed)

    def _fill(self, group: Group, writes: list[Write]) -> None:
        """Run again what ran before, if another node was faster, else what waits, for a limited time."""
        if writes:
            for write in writes:
                group.run(write)
            return
        end = self._stopwatch() + GROUP_SECONDS
        while self._waiting:
            write = self._waiting.pop()
            writes.append(write)
            group.run(write)
            if self._stopwatch() >= end:
                return

    def _number(self, group: Group, changeset: bytes, writes: list[Write]) -> Batch | None:
        """Cut the batch and keep it; None where nothing changed that anyone else may see."""
        if not group.changes and not changeset:
            return None
        at = max(write.origin.now for write in writes)
        batch = Batch(self._feed.number + 1, tuple(group.changes), at)
        self._keep(batch)
        return batch

    def _keep(self, batch: Batch) -> None:
        set_head(self._connection, batch.number)
        keep(self._connection, self._tables, batch)

    def _end(self) -> None:
        began = time.perf_counter()
        self._connection.execute("COMMIT")
        self._commit_seconds = time.perf_counter() - began

    # --- other nodes -----------------------------------------------------------------------------------

    async def _append(self, batch: Batch | None, changeset: bytes, writes: list[Write]) -> Sequence[Entry]:
        """Put the batch into the log; give what was there first, after which the functions must run again."""
        if self._log is None:
            return ()
        if batch is not None:
            self._appended += 1
            entry = Entry(batch.number, self._tables.digest, changeset, f"{self._life}/{self._appended}")
            return await self._put(self._log, entry)
        if any(write.error is not None for write in writes):
            # What a function objected to may be out of date; where it succeeds, appending finds that out.
            return await self._log.after(self._feed.number)
        return ()

    async def _put(self, log: Log, entry: Entry) -> Sequence[Entry]:
        """Append, until it is known whether the entry got in: no caller could do anything with a "perhaps"."""
        while True:
            try:
                return await log.append(entry)
            except InDoubt:
                if self._closing:
                    raise
                await trio.sleep(DOUBT_SECONDS)

    async def _follow(self, entries: Sequence[Entry]) -> None:
        """Apply what other nodes wrote, each entry as a commit of its own."""
        for entry in entries:
            if entry.number <= self._feed.number:
                continue
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                batch = apply(entry, self._connection, self._tables)
                self._keep(batch)
                await self._worker.run(self._end)
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._feed.publish(batch)


def _account_of(write: Write) -> str:
    """The account that a write is for. Accounts take turns in a group, each with its writes in their order."""
    return write.origin.account


def _do_nothing(_: Tx) -> None:
    """What a caller runs that only wants to be up to date."""


def _unwritable(error: apsw.Error) -> Unavailable:
    failure = Unavailable(f"the database cannot be written: {error}; look at the data folder's disk")
    failure.__cause__ = error
    return failure
