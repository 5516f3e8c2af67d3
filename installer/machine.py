"""The machine that is installed on, as the steps see it: `Machine`, its files and its programs; `alone` on it.

A test gives another root and its own programs, so that every step runs for real on a machine that is not one.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agents.process import run
from zstack_appliance.kernel.remote import Completed, HostCommandFailed

Run = Callable[..., Awaitable[Completed]]
"""As `agents.process.run`."""


@dataclass(frozen=True)
class Machine:
    """Where things are, and how programs are run.

    Args:
        root: of the file system.
        run: runs a program to its end.
        is_root: whether we may change the machine.
    """

    root: Path = Path("/")
    run: Run = run
    is_root: bool = True

    def path(self, absolute: str | Path) -> Path:
        """A path of the machine."""
        return self.root / str(absolute).lstrip("/")

    def text(self, absolute: str | Path) -> str:
        """What a file holds; nothing if it is not there."""
        try:
            return self.path(absolute).read_text(errors="replace")
        except OSError:
            return ""

    async def says(self, *argv: str) -> str:
        """What a program writes, without its last line's end; nothing when it fails or is not there."""
        try:
            return (await self.run(argv)).stdout.strip()
        except HostCommandFailed:
            return ""


class AnotherRun(Exception):
    """Somebody installs or removes an appliance at this moment: wait, then look what is left to do."""


@contextmanager
def alone(machine: Machine) -> Iterator[None]:
    """Be the only one that changes the machine, for the length of the block.

    Raises:
        AnotherRun: another one is at work.
    """
    # The folder itself is locked: a file to lock would be left behind, or be removed under somebody who waits for it.
    folder = os.open(machine.path("/run"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AnotherRun("another install or uninstall is at work; wait until it has ended") from None
        yield
    finally:
        os.close(folder)


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Have a file with this text, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def link(path: Path, target: str | Path) -> None:
    """Have a symbolic link that says `target`, changed in one moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    part.symlink_to(target)
    part.replace(path)


def links_to(path: Path) -> str | None:
    """What a symbolic link says; None if it is none."""
    with suppress(OSError):
        return str(path.readlink())
    return None
