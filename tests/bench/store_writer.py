"""Which thread should run the store's write functions? Measured with the event loop 80 % busy.

Three designs commit groups of transactions durably (WAL, ``synchronous=FULL``, a real fsync). One
transaction is a function of two inserts (``--rows`` for more) and one select inside its own SAVEPOINT.

``thread``   a dedicated writer thread runs the functions and the COMMIT.
``commit``   the loop thread runs the functions; only COMMIT runs in a thread, and what is submitted
             meanwhile is the next group.
``loop``     everything on the loop thread, fsync included; for comparison.

A *burner* task keeps the loop 80 % busy in slices of 4 ms of CPU. ``even``: 1 ms of sleep after each slice.
``bursts``: four slices with only a checkpoint between them, then 4 ms of sleep. Callers either think for
40 ms on average between two calls, or call again at once.

Run: ``python tests/bench/store_writer.py FOLDER``.
"""

import argparse
import itertools
import queue
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import apsw
import trio

SECONDS = 2.0
"""How long each cell of the table is measured."""

THINK_SECONDS = 0.04
"""Mean time between two calls of one caller, where callers do not simply call again at once."""

BURN_SECONDS, REST_SECONDS = 0.004, 0.001

SLICES = {"even": 1, "bursts": 4, "idle": 0}
"""Slices of work between two sleeps of the burner, by kind of load."""

Function = Callable[[apsw.Connection], object]
Submit = Callable[[Function], Awaitable[None]]


def open_database(path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE parent(uuid TEXT NOT NULL PRIMARY KEY, name TEXT) STRICT")
    connection.execute("CREATE TABLE child(uuid TEXT NOT NULL PRIMARY KEY, parent_uuid TEXT, size INT) STRICT")
    return connection


def transaction(rows: int, number: int, connection: apsw.Connection) -> object:
    """One parent, its children, and a look back: `rows` inserts in all."""
    key = f"{number:032x}"
    connection.execute("INSERT INTO parent VALUES(?, ?)", (key, f"vm-{number}"))
    for child in range(1, rows):
        connection.execute("INSERT INTO child VALUES(?, ?, ?)", (f"{key}-{child}", key, number))
    return connection.execute("SELECT name FROM parent WHERE uuid=?", (key,)).get


def run_group(connection: apsw.Connection, functions: list[Function]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for function in functions:
        connection.execute("SAVEPOINT one")
        function(connection)
        connection.execute("RELEASE one")


class ThreadWriter:
    """A writer thread takes whole groups from a queue; one wake-up of the loop per group."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.sizes: list[int] = []
        self._queue: queue.SimpleQueue[tuple[Function, trio.Event] | None] = queue.SimpleQueue()
        self._token = trio.lowlevel.current_trio_token()
        self.thread = threading.Thread(target=self._serve, name="writer")

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        self.thread.start()
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self._queue.put(None)

    async def submit(self, function: Function) -> None:
        done = trio.Event()
        self._queue.put((function, done))
        await done.wait()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            while not self._queue.empty():
                if (more := self._queue.get()) is None:
                    return
                group.append(more)
            run_group(self.connection, [function for function, _ in group])
            self.connection.execute("COMMIT")
            self.sizes.append(len(group))
            self._token.run_sync_soon(wake, [done for _, done in group])


def wake(events: list[trio.Event]) -> None:
    for event in events:
        event.set()


class CommitThread:
    """A thread that runs COMMIT when asked, and wakes the task that asked."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[trio.lowlevel.Task | None] = queue.SimpleQueue()
        self._token = trio.lowlevel.current_trio_token()
        self._thread = threading.Thread(target=self._serve, name="commit")
        self._thread.start()

    async def commit(self) -> None:
        self._queue.put(trio.lowlevel.current_task())
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)

    def stop(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (task := self._queue.get()) is not None:
            self._connection.execute("COMMIT")
            self._token.run_sync_soon(trio.lowlevel.reschedule, task)


class LoopWriter:
    """Functions run on the loop thread; a thread (or, with None, nobody else) runs COMMIT."""

    def __init__(self, connection: apsw.Connection, thread: CommitThread | None) -> None:
        self.connection = connection
        self.sizes: list[int] = []
        self._thread = thread
        self._pending: list[tuple[Function, trio.Event]] = []
        self._work = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            while True:
                await self._work.wait()
                await self._commit()
        finally:
            if self._thread is not None:
                self._thread.stop()

    async def _commit(self) -> None:
        self._work = trio.Event()
        group, self._pending = self._pending, []
        run_group(self.connection, [function for function, _ in group])
        if self._thread is None:
            self.connection.execute("COMMIT")
            await trio.lowlevel.checkpoint()
        else:
            await self._thread.commit()
        self.sizes.append(len(group))
        wake([done for _, done in group])

    async def submit(self, function: Function) -> None:
        done = trio.Event()
        self._pending.append((function, done))
        self._work.set()
        await done.wait()


async def burn(slices: int, delays: list[float]) -> None:
    """Keep the loop 80 % busy; note how late each slice began, in seconds."""
    while True:
        for number in range(1, slices + 1):
            end = time.thread_time() + BURN_SECONDS
            while time.thread_time() < end:
                pass
            rest = REST_SECONDS * slices if number == slices else 0
            ended = time.perf_counter()
            await trio.sleep(rest)
            delays.append(time.perf_counter() - ended - rest)


async def call_repeatedly(
    submit: Submit, numbers: Callable[[], int], latencies: list[float], think: Callable[[], float], rows: int
) -> None:
    """Submit one transaction after another; thinking between them keeps callers from marching in step."""
    while True:
        await trio.sleep(think())
        begun = time.perf_counter()
        await submit(partial(transaction, rows, numbers()))
        latencies.append(time.perf_counter() - begun)


async def measure(design: str, callers: int, folder: Path, load: str, think_seconds: float, rows: int) -> str:
    """One row of the table: throughput, latency, group size, and what the loop had left for others."""
    connection = open_database(folder / f"{design}-{callers}-{load}-{think_seconds}.db")
    writer: ThreadWriter | LoopWriter
    if design == "thread":
        writer = ThreadWriter(connection)
    else:
        writer = LoopWriter(connection, CommitThread(connection) if design == "commit" else None)
    latencies: list[float] = []
    delays: list[float] = []
    numbers = iter(range(10**9)).__next__
    think = partial(random.Random(0).uniform, 0, 2 * think_seconds)
    async with trio.open_nursery() as nursery:
        await nursery.start(writer.run)
        if SLICES[load]:
            nursery.start_soon(burn, SLICES[load], delays)
        for _ in range(callers):
            nursery.start_soon(call_repeatedly, writer.submit, numbers, latencies, think, rows)
        await trio.sleep(SECONDS)
        nursery.cancel_scope.cancel()
    if isinstance(writer, ThreadWriter):
        writer.thread.join()
    connection.close()
    latencies = latencies or [0.0, 0.0]
    spread = statistics.quantiles(latencies, n=100)
    late = statistics.quantiles(delays, n=100) if delays else [0.0] * 99
    return (
        f"| {design} | {load} | {think_seconds * 1e3:.0f} | {callers} | {len(latencies) / SECONDS:,.0f} "
        f"| {spread[49] * 1e3:.2f} | {spread[98] * 1e3:.2f} | {statistics.fmean(writer.sizes):.1f} "
        f"| {len(delays) / SECONDS:.0f} | {late[49] * 1e3:.2f} | {late[98] * 1e3:.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an existing folder on the disk to measure")
    parser.add_argument("--rows", type=int, default=2, help="inserts per transaction")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="store-writer-", dir=options.folder))
    print(
        "| design | loop | think ms | callers | tx/s | p50 ms | p99 ms | batch | slices/s | late p50 ms | late p99 ms |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for think_seconds, load in itertools.product((THINK_SECONDS, 0.0), SLICES):
        for callers, design in itertools.product((1, 10, 100), ("thread", "commit", "loop")):
            print(trio.run(measure, design, callers, folder, load, think_seconds, options.rows), flush=True)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


if __name__ == "__main__":
    main()
