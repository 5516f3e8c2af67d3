"""Processes that are nobody's child, such as a dnsmasq that outlives us: held and ended without mistaking them.

Primitives: `held` (a process that stays itself while the block lasts), `arguments` (what it was started
with), `end`. A process id alone may be another program's by the time that it is signalled.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trio

PROCESSES = Path("/proc")
"""The kernel's table of processes."""

PATIENCE = 5.0
"""Seconds that a process has to end by itself."""


@contextmanager
def held(pid: int) -> Iterator[int | None]:
    """Hold on to whatever process has this id now.

    Yields:
        A pidfd for `end` and `signal.pidfd_send_signal`; None when there is no such process. Who the
        process is has to be looked at inside the block.
    """
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield pidfd
    finally:
        os.close(pidfd)


def pids(processes: Path = PROCESSES) -> list[int]:
    """The ids of all processes."""
    return sorted(int(entry.name) for entry in processes.iterdir() if entry.name.isdigit())


def arguments(pid: int, processes: Path = PROCESSES) -> tuple[str, ...]:
    """What a process was started with; empty when it has ended, reaped or not."""
    try:
        text = (processes / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ()
    return tuple(text.rstrip("\0").split("\0")) if text else ()


async def end(pidfd: int, *, patience: float = PATIENCE) -> None:
    """Ask a process to end, wait until it has, and kill it when it does not obey.

    Args:
        pidfd: from `held`.
        patience: seconds that it has to end by itself.
    """
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        with trio.move_on_after(patience) as waiting:
            await trio.lowlevel.wait_readable(pidfd)
        if waiting.cancelled_caught:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            await trio.lowlevel.wait_readable(pidfd)
