"""README keeps its word: its commands are run in their order, against an appliance as a newcomer has it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import trio

from tests.eventually import eventually
from tests.system.live import live

README = Path(__file__).parent.parent.parent / "README.md"
PROGRAMS = Path(sys.executable).parent
DOOR = "http://127.0.0.1:8080/"

NOT_HERE = {
    "make setup": "it changes the machine; every run of CI begins with it, and `make run` is `up --first-vm` after it",
    "zstack-appliance tui": "these want a person at a terminal; `tests/cli` and `tests/tui` sit at one in their place",
    "make binary": "`make test` begins with it, and `make test-deep` installs what it makes on a fresh machine",
}
"""First line of a block that is not run, and why."""

ANSWER_SECONDS = 120.0
"""For the first VM, under TCG on a busy machine; 4-9 s on an idle one."""


def blocks() -> list[str]:
    """The shell blocks, but for those `NOT_HERE`, in order."""
    found = re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    left_out = [block for block in found if block.splitlines()[0] in NOT_HERE]
    assert len(left_out) == len(NOT_HERE), "a reason stands for a block that is no more"
    return [block for block in found if block not in left_out]


async def test_every_command_works(tmp_path: Path) -> None:
    """Every block runs: those for a running cloud in one shell, `simulate` by itself, and `purge` at the end."""
    simulate, purge = (
        next(block for block in blocks() if block.startswith(f"zstack-appliance {command} "))
        for command in ("simulate", "purge")
    )
    async with live(tmp_path / ".data", "--accel", "tcg", "--first-vm") as appliance:
        await eventually(lambda: " answers at " in appliance.tail(), within=ANSWER_SECONDS, every=0.2)
        session = "".join(block for block in blocks() if block not in (simulate, purge))
        assert DOOR in session
        shown = await shell(session.replace(DOOR, appliance.url), tmp_path)
        assert "hostname: first-vm" in shown, "its page is seen from its network"
        assert re.search(r"^vnc://127\.0\.0\.1:\d+$", shown, re.MULTILINE)
        assert [vm["name"] for vm in await appliance.query("/vm-instances")] == ["first-vm"]
        assert '{"name":"zone2","state":"Enabled"}' in shown.replace(", ", ",")
        assert await appliance.stop() == 0
    await simulated(simulate, tmp_path)
    await shell(purge, tmp_path)
    assert not (tmp_path / ".data").exists()


async def simulated(block: str, folder: Path) -> None:
    """Run the block that serves in the foreground until it is ready, and end it."""
    arguments = block.split()
    process = await trio.lowlevel.open_process(
        [str(PROGRAMS / arguments[0]), *arguments[1:], "--data", str(folder / "simulated")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        with trio.fail_after(ANSWER_SECONDS):
            assert (await process.stdout.receive_some()).startswith(b"ready http://127.0.0.1:8081/")
            process.terminate()
            assert await process.wait() == 0
    finally:
        process.kill()
        await process.stdout.aclose()


async def shell(script: str, folder: Path) -> str:
    """Run lines in a shell that ends at the first that fails; what they printed."""
    # Nothing of the machine's own appliance, or of a former login, may be found in place of the test's.
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
    done = await trio.run_process(
        ["bash", "-euxo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout.decode()}\n{done.stderr.decode()}"
    return done.stdout.decode()
