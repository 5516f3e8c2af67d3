"""The harness itself: what a test does on its own host stays there, and what it says comes back."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.system.host import HostDied, HostMaker, on_own_host


def test_everything_is_new_here() -> None:
    assert os.getpid() < 10
    assert socket.gethostname() == "testhost"
    assert socket.gethostbyname("testhost") == "127.0.1.1"
    # Some kernels put their own tunnel devices into every network; none of them has a bus, hence no card.
    assert not list(Path("/sys/class/net").glob("*/device"))
    # The name of this host, and the notes of mount(8).
    assert {path.name for path in Path("/run").iterdir()} <= {"hosts", "mount"}


def test_a_failure_is_told_with_its_traceback() -> None:
    with pytest.raises(HostDied, match="ZeroDivisionError"):
        on_own_host(lambda: bytes(1 // 0), name="a", seconds=10)


async def test_a_host_that_takes_too_long_is_ended_with_all_that_runs_on_it(tmp_path: Path) -> None:
    record = tmp_path / "pid"

    def linger() -> bytes:
        subprocess.run(["sh", "-c", f"echo $$ > {record}; sleep 1000"], check=True)
        return b""

    with pytest.raises(HostDied, match=r"more than 0.5 s"):
        on_own_host(linger, name="a", seconds=0.5)
    assert record.stat().st_size > 0
    # Its PID 1 follows its parent into death, and takes the rest along.
    await eventually(lambda: not any(b"sleep\x001000" in command for command in _commands()), within=5)


def test_what_runs_on_when_the_work_is_done_is_ended() -> None:
    def leave() -> bytes:
        process = subprocess.Popen(["sleep", "1001"], start_new_session=True)
        return str(process.pid).encode()

    assert on_own_host(leave, name="a", seconds=10)
    assert not any(b"sleep\x001001" in command for command in _commands())


def test_hosts_may_be_made_on_hosts() -> None:
    assert on_own_host(lambda: socket.gethostname().encode(), name="inner", seconds=10) == b"inner"
    assert socket.gethostname() == "testhost"


def _commands() -> list[bytes]:
    return [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]


def test_a_maker_makes_hosts_from_the_state_that_it_was_forked_with() -> None:
    state = ["early"]
    maker = HostMaker(lambda asked: asked + state[0].encode(), name="made", seconds=10)
    try:
        state[0] = "late"
        assert maker.ask(b"as ") == b"as early"
        assert maker.ask(b"still ") == b"still early"
    finally:
        maker.close()


def test_a_maker_tells_what_went_wrong_and_goes_on() -> None:
    maker = HostMaker(lambda asked: bytes(1 // len(asked)), name="made", seconds=10)
    try:
        with pytest.raises(HostDied, match="ZeroDivisionError"):
            maker.ask(b"")
        assert maker.ask(b"x") == b"\0"
    finally:
        maker.close()
