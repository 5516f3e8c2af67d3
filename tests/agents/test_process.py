"""One door to subprocesses: limits hold, nothing stays behind, and errors say what to do."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
import trio

from agents.process import SEARCH_PATH, clean_environment, run, spawn_detached
from tests.eventually import eventually
from zstack_appliance.kernel.remote import HostCommandFailed


async def test_output_and_status_come_back() -> None:
    done = await run(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


async def test_a_failure_names_the_program_its_status_and_what_it_said() -> None:
    with pytest.raises(HostCommandFailed, match=r"exit 7' failed with exit status 7: no such disk"):
        await run(["sh", "-c", "echo no such disk >&2; exit 7"])


async def test_a_program_that_died_by_a_signal_is_named_so() -> None:
    with pytest.raises(HostCommandFailed, match="was killed by SIGKILL"):
        await run(["sh", "-c", "kill -9 $$"])


async def test_a_missing_program_is_said_to_be_missing() -> None:
    with pytest.raises(HostCommandFailed, match="no-such-program is not installed"):
        await run(["no-such-program"])


async def test_an_argument_that_no_process_can_take_is_refused() -> None:
    with pytest.raises(HostCommandFailed, match="could not start"):
        await run(["echo", "a\0b"])


async def test_input_is_fed_and_is_otherwise_empty() -> None:
    text = "grüße\n" * 50_000  # more than a pipe holds
    assert (await run(["cat"], stdin=text)).stdout == text
    assert (await run(["cat"])).stdout == ""


async def test_a_program_may_leave_its_input_unread() -> None:
    assert (await run(["true"], stdin="x" * 10_000_000)).returncode == 0


async def test_a_timeout_kills_the_whole_group(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match=r"did not finish within 0.2 s"):
        await run(["sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid; wait"], timeout=0.2)
    await _gone(tmp_path / "pid")


async def test_a_cancel_kills_the_whole_group(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(run, ["sh", "-c", f"sleep 1000 & echo $! > {pid}; wait"])
        await eventually(lambda: pid.exists() and pid.read_text() != "", within=5)
        nursery.cancel_scope.cancel()
    await _gone(pid)


async def test_what_a_program_leaves_in_its_group_neither_stays_nor_holds_us(tmp_path: Path) -> None:
    with trio.fail_after(5):
        await run(["sh", "-c", f"sleep 1000 & echo $! > {tmp_path}/pid"])
    await _gone(tmp_path / "pid")


async def test_output_is_bounded() -> None:
    with pytest.raises(HostCommandFailed, match="wrote more than 1000 bytes"):
        await run(["yes"], output_limit=1000)


async def test_output_up_to_the_bound_is_whole() -> None:
    assert len((await run(["head", "-c", "1000", "/dev/zero"], output_limit=1000)).stdout) == 1000


async def test_memory_is_limited_on_request() -> None:
    done = await run(["sh", "-c", "ulimit -v"], memory_limit=512 * 2**20)
    assert done.stdout.strip() == str(512 * 2**10)


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
async def test_a_private_network_has_no_way_out() -> None:
    done = await run(["cat", "/proc/net/dev"], private_network=True)
    interfaces = [line.split(":")[0].strip() for line in done.stdout.splitlines() if ":" in line]
    # Some kernels put their tunnel devices into every namespace; none of them is up.
    assert "lo" in interfaces
    assert (await run(["cat", "/proc/net/route"], private_network=True)).stdout.count("\n") <= 1


async def test_children_get_a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setenv("PYTHONPATH", "/tmp")
    variables = dict(line.split("=", 1) for line in (await run(["env"])).stdout.splitlines())
    assert variables["PATH"] == SEARCH_PATH
    assert not {"SECRET", "PYTHONPATH"} & variables.keys()


def test_a_one_file_binary_gives_children_the_administrators_libraries() -> None:
    ours = {"LD_LIBRARY_PATH": "/tmp/_MEI1", "LD_LIBRARY_PATH_ORIG": "/opt/lib", "HOME": "/root"}
    assert clean_environment(ours)["LD_LIBRARY_PATH"] == "/opt/lib"
    assert clean_environment(ours)["HOME"] == "/root"
    assert "LD_LIBRARY_PATH" not in clean_environment({"LD_LIBRARY_PATH": "/tmp/_MEI1"})


async def test_a_detached_daemon_is_no_child_of_ours_and_logs_to_its_file(tmp_path: Path) -> None:
    log, record = tmp_path / "log", tmp_path / "pid"
    await spawn_detached(["sh", "-c", f"echo $$ $PPID > {record}; echo hello; exec sleep 1000"], log=log)
    await eventually(lambda: log.exists() and log.read_text() == "hello\n", within=5)
    pid = int(record.read_text().split()[0])
    try:
        assert os.getsid(pid) == pid
        assert os.getpid() != _parent(pid)
        assert log.stat().st_mode & 0o777 == 0o600
    finally:
        os.kill(pid, signal.SIGKILL)


async def test_a_missing_daemon_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match="no-such-daemon is not installed"):
        await spawn_detached(["no-such-daemon"], log=tmp_path / "log")


def _recorded(pid_file: Path) -> int:
    return int(pid_file.read_text())


def _parent(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


async def _gone(pid_file: Path) -> None:
    pid = _recorded(pid_file)
    await eventually(lambda: _state(pid) in {None, "Z"}, within=5)


def _state(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None
