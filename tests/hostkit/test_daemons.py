"""Processes are held and ended without mistaking one for another."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from tests.eventually import eventually
from zstack_appliance.hostkit.daemons import arguments, end, held, pids

DEAF = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"


@contextmanager
def program(*argv: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as started:
        try:
            yield started
        finally:
            started.kill()


async def test_a_process_is_asked_to_end() -> None:
    with program("sleep", "600") as started, held(started.pid) as pidfd:
        assert pidfd is not None
        await end(pidfd, patience=60)
        assert started.wait() == -signal.SIGTERM
        # Once more, now that it has ended.
        await end(pidfd, patience=60)


@pytest.mark.slow
async def test_a_process_that_does_not_obey_is_killed() -> None:
    with program("python3", "-c", DEAF) as started, held(started.pid) as pidfd:
        assert pidfd is not None
        assert started.stdout is not None
        assert started.stdout.readline() == b"\n"
        await end(pidfd, patience=0.05)
        assert started.wait() == -signal.SIGKILL


async def test_arguments_are_those_of_a_living_process() -> None:
    with program("sleep", "600") as started:
        # Until the kernel has loaded the program, the process still has no arguments of its own.
        await eventually(lambda: arguments(started.pid) == ("sleep", "600"))
        assert started.pid in pids()
        started.kill()
        await trio.to_thread.run_sync(os.waitid, os.P_PID, started.pid, os.WEXITED | os.WNOWAIT)
        # A zombie still has its number, and nothing else.
        assert arguments(started.pid) == ()
    assert arguments(started.pid) == ()


def test_nobody_is_held_under_a_number_that_nobody_has() -> None:
    with program("true") as started:
        started.wait()
    with held(started.pid) as pidfd:
        assert pidfd is None
