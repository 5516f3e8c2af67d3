"""A host of its own for one test: run a function in fresh namespaces and bring its answer back.

Primitives: `on_own_host`, `HostMaker` and `HostDied`. On the new host everything is new: processes, mounts
(``/run`` and ``/sys`` with them), network, host name. Its PID 1 collects what ends there, and whatever still
runs or is mounted when the function returns goes with it, so that a test can leave nothing behind.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import NoReturn

_NEW_NAMESPACES = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
"""CLONE_NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET."""
_PR_SET_PDEATHSIG = 1


class HostDied(Exception):
    """The child ended, or was ended for taking too long, before it gave its answer."""


def on_own_host(work: Callable[[], bytes], *, name: str, seconds: float) -> bytes:
    """Run `work` in a forked child that is a host of its own, and return what it returns.

    Args:
        work: sees the state of this process as it is now; its changes stay in the child.
        name: of the host; it resolves to 127.0.1.1 there.
        seconds: until the child and all that it started are killed.

    Raises:
        HostDied: `work` raised (the text is its traceback), the child died, or time ran out.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _outer(work, name, writer)
    os.close(writer)
    ended = False
    try:
        answer = _read_all(reader, seconds)
        ended = True
    finally:
        os.close(reader)
        if not ended:
            os.kill(child, signal.SIGKILL)
        # Once PID 1 of the host is gone, so is everything that ran on it.
        os.waitpid(child, 0)
    if answer[:1] != b"+":
        raise HostDied(answer[1:].decode() or f"{name} died without a word")
    return answer[1:]


class HostMaker:
    """A process forked early that makes hosts later.

    A test inherits the state of the process that it is forked from. Threads do not come along, and a
    library that had one (libvirt's event loop, say) is broken in the child. So what makes the hosts is
    forked before the first test runs.

    Args:
        work: called on each new host with what was asked.
        name: of the hosts.
        seconds: until a host is ended.
    """

    def __init__(self, work: Callable[[bytes], bytes], *, name: str, seconds: float) -> None:
        self._ours, theirs = Pipe()
        self._process = os.fork()
        if self._process == 0:
            self._ours.close()
            with _telling(os.dup(2)):
                _die_with_parent()
                # Ctrl-C reaches the whole group; it is for the parent to end what runs here.
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                _make_hosts(theirs, work, name, seconds)
            os._exit(0)
        theirs.close()

    def ask(self, question: bytes) -> bytes:
        """Have `work(question)` done on a new host.

        Raises:
            HostDied: as `on_own_host` does.
        """
        self._ours.send_bytes(question)
        try:
            answer = self._ours.recv_bytes()
        except EOFError:
            raise HostDied("what makes the hosts has died itself") from None
        if answer[:1] != b"+":
            raise HostDied(answer[1:].decode())
        return answer[1:]

    def close(self) -> None:
        """End it, and the host that runs should there be one."""
        self._ours.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)


def _make_hosts(asked: Connection, work: Callable[[bytes], bytes], name: str, seconds: float) -> None:
    with suppress(EOFError):
        while True:
            question = asked.recv_bytes()
            try:
                answer = b"+" + on_own_host(partial(work, question), name=name, seconds=seconds)
            except HostDied as error:
                answer = b"-" + str(error).encode()
            asked.send_bytes(answer)


def _read_all(reader: int, seconds: float) -> bytes:
    answer, deadline = b"", monotonic() + seconds
    while select.select([reader], [], [], max(0.0, deadline - monotonic()))[0]:
        chunk = os.read(reader, 65536)
        if not chunk:
            return answer
        answer += chunk
    raise HostDied(f"it took more than {seconds:g} s and was ended")


def _outer(work: Callable[[], bytes], name: str, writer: int) -> NoReturn:
    """Make the namespaces; a new PID namespace takes effect for the next child only."""
    with _telling(writer):
        _die_with_parent()
        _libc_call("unshare", _NEW_NAMESPACES)
        init = os.fork()
        if init == 0:
            _init(work, name, writer)
        os.close(writer)
        os.waitpid(init, 0)
    os._exit(0)


def _init(work: Callable[[], bytes], name: str, writer: int) -> NoReturn:
    """PID 1 of the host: prepare it, start the worker, and collect every process until that one ends."""
    with _telling(writer):
        _die_with_parent()
        _prepare(name)
        worker = os.fork()
        if worker == 0:
            with _telling(writer):
                _write_all(writer, b"+" + work())
            os._exit(0)
        os.close(writer)
        while os.wait()[0] != worker:
            pass
    os._exit(0)


@contextmanager
def _telling(writer: int) -> Iterator[None]:
    """Send whatever goes wrong to the parent and end: a forked child must never return into pytest."""
    try:
        yield
    except BaseException:  # noqa: BLE001 - nothing at all may get past here, see above
        with suppress(OSError):
            _write_all(writer, b"-" + traceback.format_exc().encode())
        os._exit(1)


def _prepare(name: str) -> None:
    socket.sethostname(name)
    _mount("--make-rprivate", "/")
    _mount("-t", "proc", "proc", "/proc")
    # The sysfs of the new network: the old one would show the real host's interfaces.
    _mount("-t", "sysfs", "sysfs", "/sys")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    hosts = Path("/run/hosts")
    hosts.write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n")
    _mount("--bind", str(hosts), "/etc/hosts")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, capture_output=True)


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def _write_all(writer: int, answer: bytes) -> None:
    with os.fdopen(writer, "wb") as stream:
        stream.write(answer)


def _die_with_parent() -> None:
    _libc_call("prctl", _PR_SET_PDEATHSIG, signal.SIGKILL)


def _libc_call(function: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")
