"""Subprocesses: `run` is the one door to a program that ends, `spawn_detached` to a daemon that outlives us.

No shell, a cleaned environment, a time limit that takes the whole process group, and bounded output: what
a host half starts can neither hang the appliance, fill its memory, nor stay behind after a cancel.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import trio

from zstack_appliance.kernel.remote import Completed, HostCommandFailed

OUTPUT_LIMIT = 16 * 2**20
"""Bytes that a program may write to one of its outputs; a qemu-img or nft listing stays far below."""

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where programs are looked up: fixed, because a service manager's PATH may lack the sbin folders."""

KEPT_VARIABLES = ("HOME", "TMPDIR", "TZ")
"""What a child inherits by name; everything else of our environment stays with us."""

_ERROR_TAIL = 2000
"""Characters of a failed program's error output that go into the operator's text."""


async def run(
    argv: Sequence[str],
    *,
    timeout: float = 60.0,
    stdin: str | None = None,
    check: bool = True,
    memory_limit: int | None = None,
    private_network: bool = False,
    output_limit: int = OUTPUT_LIMIT,
) -> Completed:
    """Run one program to its end, with a cleaned environment and no shell.

    The program gets a process group of its own. When it ends, times out or is cancelled, whatever is left
    of the group is killed; a daemon belongs to `spawn_detached`, or must leave the group by itself.

    Args:
        argv: program and arguments; the program is looked up in `SEARCH_PATH`.
        timeout: seconds until the process group is killed.
        stdin: text to feed; none means ``/dev/null``.
        check: raise when the exit status is not 0.
        memory_limit: address-space limit in bytes (RLIMIT_AS) for untrusted inputs.
        private_network: start it in an empty network namespace of its own (needs root).
        output_limit: bytes accepted from each of stdout and stderr.

    Returns:
        The exit status (negative: killed by that signal) and the output, decoded as UTF-8 with
        replacement characters for what is not.

    Raises:
        HostCommandFailed: the program is not installed, could not start, took too long, wrote too much,
            or failed while ``check`` is set.
    """
    command = _confined(argv, memory_limit=memory_limit, private_network=private_network)
    with trio.move_on_after(timeout) as deadline:
        completed = await _run(argv, command, stdin, output_limit)
    if deadline.cancelled_caught:
        raise HostCommandFailed(f"{shlex.join(argv)} did not finish within {timeout:g} s and was killed")
    if check and completed.returncode != 0:
        raise HostCommandFailed(_failure_text(completed))
    return completed


async def spawn_detached(argv: Sequence[str], *, log: Path) -> None:
    """Start a daemon in a session of its own that outlives this process and is never its child.

    The daemon records its own pid (dnsmasq, libvirtd and the like take an option for it). That it works is
    for the caller to see, by its socket or its pid file: a program that fails at once fails into `log`.

    Args:
        argv: program and arguments; the program is looked up in `SEARCH_PATH`.
        log: file that receives what the daemon writes; created readable by its owner only.

    Raises:
        HostCommandFailed: the program is not installed.
    """
    # `setsid --fork` returns once the daemon has been handed over to init (or to the nearest subreaper),
    # so there is never a zombie of ours to wait for.
    command = [_program("setsid"), "--fork", _program(argv[0]), *argv[1:]]
    log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        await trio.run_process(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log_fd,
            stderr=log_fd,
            cwd="/",
            env=clean_environment(os.environ),
        )
    finally:
        os.close(log_fd)


def clean_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of every child: fixed search path and locale, and the few variables kept by name.

    A one-file binary points LD_LIBRARY_PATH at the libraries it unpacked, which must not be loaded into
    the system's programs; its boot loader leaves the administrator's value in LD_LIBRARY_PATH_ORIG.
    """
    kept = {name: inherited[name] for name in KEPT_VARIABLES if name in inherited}
    original = inherited.get("LD_LIBRARY_PATH_ORIG")
    libraries = {"LD_LIBRARY_PATH": original} if original else {}
    return {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", **kept, **libraries}


def _confined(argv: Sequence[str], *, memory_limit: int | None, private_network: bool) -> list[str]:
    """The argument list behind wrappers that set limits: threads forbid own code between fork and exec."""
    command = [_program(argv[0]), *argv[1:]]
    if memory_limit is not None:
        command = [_program("prlimit"), f"--as={memory_limit}", "--", *command]
    if private_network:
        command = [_program("unshare"), "--net", "--", *command]
    return command


def _program(name: str) -> str:
    found = shutil.which(name, path=SEARCH_PATH)
    if found is None:
        raise HostCommandFailed(f"the program {name} is not installed; install it and try again")
    return found


async def _run(argv: Sequence[str], command: list[str], stdin: str | None, output_limit: int) -> Completed:
    process = await _open(argv, command, feed=stdin is not None)
    stdout, stderr = bytearray(), bytearray()
    try:
        async with trio.open_nursery() as nursery:
            stop = nursery.cancel_scope.cancel
            if process.stdin is not None:
                nursery.start_soon(_feed, process.stdin, (stdin or "").encode())
            nursery.start_soon(_drain, process.stdout, stdout, output_limit, stop)
            nursery.start_soon(_drain, process.stderr, stderr, output_limit, stop)
            await _exit_of(process.pid)
            # What the program left running in its group may hold the pipes open for ever.
            _kill_group(process.pid)
    finally:
        _kill_group(process.pid)
        with trio.CancelScope(shield=True):
            await process.wait()
            await _close(process)
    if max(len(stdout), len(stderr)) > output_limit:
        raise HostCommandFailed(f"{shlex.join(argv)} wrote more than {output_limit} bytes and was killed")
    assert process.returncode is not None
    return Completed(
        argv=tuple(argv),
        returncode=process.returncode,
        stdout=stdout.decode(errors="replace"),
        stderr=stderr.decode(errors="replace"),
    )


async def _open(argv: Sequence[str], command: list[str], *, feed: bool) -> trio.Process:
    try:
        return await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=clean_environment(os.environ),
        )
    except (OSError, ValueError) as error:  # ValueError: a null byte in an argument
        raise HostCommandFailed(f"{shlex.join(argv)} could not start: {error}") from error


async def _feed(stream: trio.abc.SendStream, content: bytes) -> None:
    async with stream:
        # A program may end, or close its input, before it has read everything.
        with suppress(trio.BrokenResourceError):
            await stream.send_all(content)


async def _drain(
    stream: trio.abc.ReceiveStream | None, into: bytearray, limit: int, overflow: Callable[[], None]
) -> None:
    assert stream is not None
    while chunk := await stream.receive_some():
        into += chunk
        if len(into) > limit:
            overflow()


async def _exit_of(pid: int) -> None:
    """Wait until a child has ended without reaping it: as long as it is a zombie, its group id is its own."""
    pidfd = os.pidfd_open(pid)
    try:
        await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


async def _close(process: trio.Process) -> None:
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            await stream.aclose()


def _failure_text(completed: Completed) -> str:
    said = completed.stderr.strip() or completed.stdout.strip() or "it wrote nothing"
    ended = (
        f"was killed by {signal.Signals(-completed.returncode).name}"
        if completed.returncode < 0
        else f"failed with exit status {completed.returncode}"
    )
    return f"{shlex.join(completed.argv)} {ended}: {said[-_ERROR_TAIL:]}"
