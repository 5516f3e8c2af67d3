"""Finding and starting libvirtd; that the started one works, the system tests show."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trio

from agents.kvm import libvirtd
from agents.kvm.libvirtd import Libvirtd, libvirtd_conf, private_argv
from tests.eventually import eventually
from zstack_appliance.kernel.remote import Completed, HostCommandFailed, HostUnreachable


@dataclass
class Systemd:
    """A runtime on which systemctl starts a libvirtd, or fails to."""

    data: Path
    starts: trio.SocketListener | None = None
    instance: str = "a1b2c3"
    ran: list[Sequence[str]] = field(default_factory=list)
    socket: Path = Path()
    nursery: trio.Nursery | None = None

    async def run(self, argv: Sequence[str], **options: Any) -> Completed:
        """Start it."""
        self.ran.append(argv)
        if self.nursery is None:
            raise HostCommandFailed("Unit libvirtd.service not found.")
        await self.nursery.start(serve, self.socket)
        return Completed(tuple(argv), 0, "", "")


async def serve(socket: Path, task_status: trio.TaskStatus[None]) -> None:
    """Answer at a socket as libvirtd does: take the call."""
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    with listener:
        await listener.bind(str(socket))
        listener.listen()
        task_status.started()
        while True:
            (await listener.accept())[0].close()


@pytest.fixture
def systemd(tmp_path: Path) -> Path:
    """What shows that systemd runs."""
    (tmp_path / "systemd").mkdir()
    return tmp_path / "systemd"


async def test_a_libvirtd_that_runs_is_left_as_it_is(tmp_path: Path, systemd: Path) -> None:
    socket = tmp_path / "sock"
    runtime = Systemd(tmp_path)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, socket)
        await Libvirtd(runtime, socket=socket, systemd=systemd).ensure()
        nursery.cancel_scope.cancel()
    assert not runtime.ran
    assert not (tmp_path / "libvirt").exists()


async def test_systemd_is_asked_to_start_its_own(tmp_path: Path, systemd: Path) -> None:
    socket = tmp_path / "sock"
    async with trio.open_nursery() as nursery:
        runtime = Systemd(tmp_path, socket=socket, nursery=nursery)
        await Libvirtd(runtime, socket=socket, systemd=systemd).ensure()
        nursery.cancel_scope.cancel()
    assert runtime.ran == [["systemctl", "start", "libvirtd.service"]]
    assert not (tmp_path / "libvirt").exists()


async def test_a_libvirtd_that_cannot_be_started_is_unreachable(tmp_path: Path, systemd: Path) -> None:
    with pytest.raises(HostUnreachable, match=r"could not be started: Unit libvirtd.service not found"):
        await Libvirtd(Systemd(tmp_path), socket=tmp_path / "sock", systemd=systemd).ensure()


async def test_without_systemd_ours_is_started_with_its_own_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket, started = tmp_path / "sock", []
    runtime = Systemd(tmp_path / "data")
    async with trio.open_nursery() as nursery:

        async def start(argv: Sequence[str], *, log: Path) -> None:
            started.append((argv, log))
            await nursery.start(serve, socket)

        monkeypatch.setattr(libvirtd, "spawn_detached", start)
        await Libvirtd(runtime, socket=socket, systemd=tmp_path / "none").ensure()
        nursery.cancel_scope.cancel()
    home = tmp_path / "data" / "libvirt"
    assert started == [(private_argv(home, home / "libvirtd.pid"), home / "libvirtd.log")]
    assert 'user = "root"' in (home / "etc/qemu.conf").read_text()
    assert (home / "etc/libvirtd.conf").read_text() == libvirtd_conf("a1b2c3")
    assert not runtime.ran


def test_our_libvirtd_sees_its_own_folders_and_reaps_what_ends() -> None:
    argv = list(private_argv(Path("/data/libvirt"), Path("/data/libvirt/pid")))
    inside = argv[: argv.index("--")]
    for name, seen in (("etc", "/etc/libvirt"), ("lib", "/var/lib/libvirt"), ("log", "/var/log/libvirt")):
        at = inside.index(seen)
        assert inside[at - 2 : at] == ["--bind", f"/data/libvirt/{name}"]
    assert argv[argv.index("--") + 1 :][:4] == ["tini", "-s", "--", "libvirtd"]


def test_every_instance_has_a_host_uuid_of_its_own() -> None:
    assert libvirtd_conf("a1b2c3") == libvirtd_conf("a1b2c3")
    assert libvirtd_conf("a1b2c3") != libvirtd_conf("a1b2c4")


@pytest.mark.parametrize("record", [None, "", "not a number", "4194305"])
async def test_stopping_what_does_not_run_does_nothing(tmp_path: Path, record: str | None) -> None:
    (tmp_path / "libvirt").mkdir()
    if record is not None:
        (tmp_path / "libvirt/libvirtd.pid").write_text(record)
    await Libvirtd(Systemd(tmp_path)).stop_private()


async def test_a_process_that_has_taken_over_the_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "libvirt").mkdir()
    stranger = await trio.lowlevel.open_process(["sleep", "1000"], stdin=subprocess.DEVNULL)
    try:
        (tmp_path / "libvirt/libvirtd.pid").write_text(str(stranger.pid))
        await Libvirtd(Systemd(tmp_path)).stop_private()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        await stranger.wait()


async def test_ours_is_ended_and_waited_for(tmp_path: Path) -> None:
    (tmp_path / "libvirt").mkdir()
    record = tmp_path / "libvirt/libvirtd.pid"
    # A program that, like ours, was told of the pid file.
    record.touch()
    process = await trio.lowlevel.open_process(["tail", "-f", "/dev/null", str(record)])
    record.write_text(str(process.pid))
    command = Path(f"/proc/{process.pid}/cmdline")
    await eventually(lambda: str(record).encode() in command.read_bytes(), within=10.0)
    await Libvirtd(Systemd(tmp_path)).stop_private()
    with trio.fail_after(10):
        assert await process.wait() == -15
