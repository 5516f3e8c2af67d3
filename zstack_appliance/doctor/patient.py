"""What is examined, and what an examination says: `Patient` and `Finding`."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apsw
import msgspec
import trio

from agents.kvm.libvirtd import SOCKET, SYSTEMD
from agents.process import run
from zstack_appliance.kernel.remote import HostCommandFailed

ASK_SECONDS = 10.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. `mend` is empty when nothing is wrong."""

    check: str
    state: str
    """``ok``, ``warning`` (it works, but worse than it could) or ``wrong``."""
    text: str
    mend: str = ""


def ok(check: str, text: str) -> Finding:
    """Nothing is wrong, or nothing can be said yet."""
    return Finding(check=check, state="ok", text=text)


def warning(check: str, text: str, mend: str) -> Finding:
    """It works, but worse than it could."""
    return Finding(check=check, state="warning", text=text, mend=mend)


def wrong(check: str, text: str, mend: str) -> Finding:
    """It does not work, or will not for long."""
    return Finding(check=check, state="wrong", text=text, mend=mend)


def ask(argv: Sequence[str]) -> str | None:
    """What a program writes; None when it is not there, fails, or takes too long."""
    try:
        return trio.run(partial(run, argv, timeout=ASK_SECONDS)).stdout
    except HostCommandFailed:
        return None


@dataclass(frozen=True)
class Patient:
    """What is examined.

    Args:
        data: the data folder.
        listen: address and port that the appliance listens on.
        root: of the file system, for ``/proc`` and ``/dev``.
        libvirt: libvirt's socket.
        systemd: exists where systemd runs.
        now: seconds since 1970.
        ask: runs a program; see `ask`.
    """

    data: Path
    listen: tuple[str, int] = ("127.0.0.1", 8080)
    root: Path = Path("/")
    libvirt: Path = SOCKET
    systemd: Path = SYSTEMD
    now: Callable[[], float] = time.time
    ask: Callable[[Sequence[str]], str | None] = ask

    @property
    def instance(self) -> str:
        """The six digits that mark all that the appliance makes; nothing before its first start."""
        return self.text(self.data / "instance").strip()

    @property
    def runs(self) -> bool:
        """Whether the appliance answers."""
        return connects(socket.AF_UNIX, os.fspath(self.data / "run" / "api.sock"))

    def text(self, path: Path) -> str:
        """What a file holds; nothing if it cannot be read."""
        try:
            return path.read_text(errors="replace")
        except OSError:
            return ""

    def kernel(self, name: str) -> str:
        """A setting of the kernel, such as ``net/ipv4/ip_forward``."""
        return self.text(self.root / "proc/sys" / name).strip()

    def rows(self, query: str) -> list[tuple[apsw.SQLiteValue, ...]]:
        """What the database answers, read only; nothing before the first start.

        Raises:
            apsw.Error: it is damaged, or of another version.
        """
        path = self.data / "cloud.db"
        if not path.exists():
            return []
        connection = apsw.Connection(os.fspath(path), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            connection.set_busy_timeout(2000)
            return list(connection.execute(query))
        finally:
            connection.close()


def connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    """Whether somebody listens at an address."""
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True
