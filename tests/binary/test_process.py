"""The one file as a process: it is two, and must behave as one."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.eventually import eventually

STOP_SECONDS = 10.0


@dataclass
class Running:
    """A one-file appliance: its boot loader, and the process that it records."""

    loader: trio.Process
    data: Path
    errors: Path

    @property
    def pid(self) -> int:
        """Of the process that serves."""
        return int((self.data / "run" / "pid").read_text())


@asynccontextmanager
async def simulating(
    built: Path, scratch: Path, tmp_path: Path, *, terminal: int | None = None
) -> AsyncIterator[Running]:
    data, errors = tmp_path / "data", tmp_path / "log"
    argv = [str(built), "simulate", "--hosts", "2", "--data", str(data), "--listen", "127.0.0.1:0"]
    environment = {"TMPDIR": str(scratch), "HOME": str(tmp_path)}
    with errors.open("wb") as log:
        loader = await trio.lowlevel.open_process(
            argv,
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
    running = Running(loader, data, errors)
    try:
        assert loader.stdout is not None
        with trio.fail_after(60):
            said = await loader.stdout.receive_some()
        assert said.startswith(b"ready http://127.0.0.1:"), errors.read_text()
        yield running
    finally:
        with suppress(ProcessLookupError):
            loader.kill()
        with trio.CancelScope(shield=True):
            await loader.wait()
            assert loader.stdout is not None
            await loader.stdout.aclose()
            await eventually(lambda: not alive(running), within=STOP_SECONDS)


def alive(running: Running) -> bool:
    """Whether a process of it still serves."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(running.pid, 0)
        return True
    return False


def is_empty(folder: Path) -> bool:
    """Whether nothing that was unpacked is left."""
    return list(folder.iterdir()) == []


@pytest.mark.slow
async def test_sigterm_to_the_boot_loader_stops_the_appliance(built: Path, scratch: Path, tmp_path: Path) -> None:
    async with simulating(built, scratch, tmp_path) as running:
        assert running.pid != running.loader.pid
        assert await trio.Path(f"/proc/{running.pid}/exe").samefile(built)
        running.loader.send_signal(signal.SIGTERM)
        with trio.fail_after(STOP_SECONDS):
            assert await running.loader.wait() == 0, running.errors.read_text()
        assert not alive(running)
    assert is_empty(scratch)


@pytest.mark.slow
async def test_it_ends_with_its_boot_loader(built: Path, scratch: Path, tmp_path: Path) -> None:
    async with simulating(built, scratch, tmp_path) as running:
        running.loader.kill()
        await running.loader.wait()
        await eventually(lambda: not alive(running), within=STOP_SECONDS)
        assert "Traceback" not in running.errors.read_text()
        await eventually(lambda: is_empty(scratch), within=STOP_SECONDS)


@pytest.mark.slow
async def test_ctrl_c_is_heard_once(built: Path, scratch: Path, tmp_path: Path) -> None:
    """A second signal means haste: then requests in flight are cut off, and the exit status says so."""
    ours, theirs = pty.openpty()
    try:
        async with simulating(built, scratch, tmp_path, terminal=theirs) as running:
            # What the terminal does at Ctrl-C: the signal goes to its whole process group.
            os.killpg(running.loader.pid, signal.SIGINT)
            with trio.fail_after(STOP_SECONDS):
                assert await running.loader.wait() == 0, running.errors.read_text()
            assert "cancelled" not in running.errors.read_text()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.slow
async def test_restart_on_the_same_folder_finds_the_cloud(built: Path, scratch: Path, tmp_path: Path) -> None:
    for _ in range(2):
        async with simulating(built, scratch, tmp_path) as running:
            answer = await trio.run_process(
                [built, "zone", "list", "--json", "--data", running.data],
                capture_stdout=True,
                env={"TMPDIR": str(scratch)},
            )
            assert b"zone1" in answer.stdout
            running.loader.send_signal(signal.SIGTERM)
            assert await running.loader.wait() == 0
