"""An appliance on simulated hosts for the command line to talk to, as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest

PASSWORD = "correct horse"
HOSTS = 3

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="the socket lets root in, and nobody else")

Start = Callable[[list[str]], "pexpect.spawn[str]"]

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Simulated:
    """The process, as the command line reaches it."""

    url: str
    data: Path


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """One for all tests of the command line; they keep to names of their own."""
    data = tmp_path_factory.mktemp("simulated") / "data"
    argv = [sys.executable, "-m", "zstack_appliance", "simulate", "--data", str(data), "--hosts", str(HOSTS)]
    log = data.with_name("log")
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*argv, "--listen", "127.0.0.1:0", "--admin-password", PASSWORD],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("ready "), log.read_text()
        yield Simulated(ready.split()[1].rstrip("/"), data)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where this test's user keeps a session."""
    return tmp_path / "state"


@pytest.fixture
def command(state: Path, tmp_path: Path) -> Run:
    """Run the command line with arguments, as a user without a session."""

    def run(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zstack_appliance", *argv],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "XDG_STATE_HOME": str(state), **environment},
        )

    return run


@pytest.fixture
def zs(command: Run, simulated: Simulated) -> Run:
    """Run the command line as the administrator of the simulated appliance, over its socket."""

    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        return command(*argv, ZSTACK_APPLIANCE_DATA=str(simulated.data))

    return run


@pytest.fixture
def start(simulated: Simulated, tmp_path: Path) -> Iterator[Start]:
    """Run a program at a terminal, with our command on its path."""
    programs: list[pexpect.spawn[str]] = []
    where = Path(sys.executable).parent
    environment = {
        "PATH": f"{where}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "ZSTACK_APPLIANCE_DATA": str(simulated.data),
        "TERM": "dumb",
    }

    def run(argv: list[str]) -> pexpect.spawn[str]:
        program = pexpect.spawn(
            argv[0], argv[1:], env=environment, encoding="utf-8", timeout=30, dimensions=(50, 200), cwd=str(tmp_path)
        )
        programs.append(program)
        return program

    yield run
    for program in programs:
        program.close(force=True)
