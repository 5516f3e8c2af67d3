"""A libvirtd to talk to: the system's where there is one, else one of our own that outlives us.

A machine with systemd gets its own libvirtd started, with its own configuration, which we never touch.
A machine without systemd (a container, a test's namespaces) has nobody to start it, and libvirtd's defaults
do not fit there: no cgroups to manage, no virtlogd, no unprivileged user that could reach the data folder.
So ours runs with a configuration below the data folder, shown to it alone by bind mounts in a mount
namespace of its own; its socket is where every client looks for it. What is mounted on such a machine after
its start, it sees only where mounts propagate, as they do under systemd and do not in most containers.
"""

from __future__ import annotations

import os
import signal
import uuid as uuids
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from agents.process import spawn_detached
from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable, Runtime

SOCKET = Path("/run/libvirt/libvirt-sock")
SYSTEMD = Path("/run/systemd/system")

START_SECONDS = 15.0
"""How long a libvirtd may take to answer; it takes 0.1 s on an idle machine."""

PRIVATE_FOLDERS = {"etc": "/etc/libvirt", "lib": "/var/lib/libvirt", "log": "/var/log/libvirt"}
"""Folders of ours, by what our libvirtd sees them as. The cache of what QEMU can do stays shared."""

LOCKS = Path("/run/lock")
"""What ``/var/lock`` stands for."""

_QEMU_CONF = """\
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
"""


@dataclass(frozen=True, slots=True)
class Libvirtd:
    """How to find and start the libvirtd of one host.

    Attributes:
        runtime: of the host; our own libvirtd lives below ``<data>/libvirt``.
        socket: where a libvirtd answers.
        systemd: exists where systemd runs.
    """

    runtime: Runtime
    socket: Path = SOCKET
    systemd: Path = SYSTEMD

    async def ensure(self) -> None:
        """Return once a libvirtd answers, starting one if none does.

        Raises:
            HostUnreachable: none could be started; the text says why.
        """
        if await self._answers():
            return
        try:
            if await trio.Path(self.systemd).exists():
                await self.runtime.run(["systemctl", "start", "libvirtd.service"], timeout=START_SECONDS)
            else:
                await self._start_private()
        except HostCommandFailed as error:
            raise HostUnreachable(f"libvirtd could not be started: {error}") from error
        await self._wait()

    async def stop_private(self) -> None:
        """End the libvirtd that we started, if it runs; its domains go on. For purging a host."""
        pid = await trio.to_thread.run_sync(self._private_pid)
        if pid is None:
            return
        ended = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(ended, signal.SIGTERM)
            with trio.fail_after(START_SECONDS):
                await trio.lowlevel.wait_readable(ended)
        finally:
            os.close(ended)

    async def _answers(self) -> bool:
        # With socket activation this connection is what starts it.
        try:
            with trio.fail_after(START_SECONDS):
                stream = await trio.open_unix_socket(str(self.socket))
        except (OSError, trio.TooSlowError):
            return False
        await stream.aclose()
        return True

    async def _wait(self) -> None:
        with trio.move_on_after(START_SECONDS):
            while True:
                if await self._answers():
                    return
                await trio.sleep(0.02)
        raise HostUnreachable(
            f"libvirtd does not answer at {self.socket} {START_SECONDS:g} s after its start; see {self._log}"
        )

    async def _start_private(self) -> None:
        await trio.to_thread.run_sync(self._write_configuration)
        await spawn_detached(private_argv(self._home, self._pid_file), log=self._log)

    @property
    def _home(self) -> Path:
        return self.runtime.data / "libvirt"

    @property
    def _pid_file(self) -> Path:
        return self._home / "libvirtd.pid"

    @property
    def _log(self) -> Path:
        return self._home / "libvirtd.log"

    def _write_configuration(self) -> None:
        for folder in PRIVATE_FOLDERS:
            (self._home / folder).mkdir(parents=True, exist_ok=True)
        # Whoever opens a serial port is noted there; systemd makes the folder at boot, and nobody else does.
        LOCKS.mkdir(exist_ok=True)
        (self._home / "etc" / "qemu.conf").write_text(_QEMU_CONF)
        (self._home / "etc" / "libvirtd.conf").write_text(libvirtd_conf(self.runtime.instance))

    def _private_pid(self) -> int | None:
        try:
            pid = int(self._pid_file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ValueError):
            return None
        # The number may belong to somebody else by now; our libvirtd was told of this very file.
        return pid if os.fsencode(self._pid_file) in command else None


def private_argv(home: Path, pid_file: Path) -> Sequence[str]:
    """The command line of our own libvirtd.

    `bwrap` gives it its folders; everything else, the network included, it shares with the host. `tini -s`
    collects the QEMUs that end, where PID 1 is slow to: without it libvirt waits for their zombies, and a
    destroy takes 1.4-2 s in place of 0.2 s (measured in a container).
    """
    binds = [word for name, seen in PRIVATE_FOLDERS.items() for word in ("--bind", f"{home}/{name}", seen)]
    daemon = ["libvirtd", "--config", "/etc/libvirt/libvirtd.conf", "--pid-file", str(pid_file)]
    return ["bwrap", "--dev-bind", "/", "/", *binds, "--cap-add", "ALL", "--", "tini", "-s", "--", *daemon]


def libvirtd_conf(instance: str) -> str:
    """The configuration of our own libvirtd: root only, and a host UUID that no other one shares."""
    host_uuid = uuids.uuid5(uuids.NAMESPACE_URL, f"urn:zstack-appliance:host:{instance}")
    return (
        'auth_unix_rw = "none"\n'
        'unix_sock_ro_perms = "0700"\n'
        'unix_sock_rw_perms = "0700"\n'
        f'host_uuid = "{host_uuid}"\n'
        "log_level = 4\n"
    )
