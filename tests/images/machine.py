"""Boots a disk in QEMU under TCG, without libvirt, and talks to it as an operator would.

Primitives: `boot`, which gives a `Machine` with its console, guest agent and monitor; seed makers.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pycdlib
import trio

from images.command import run
from tests.eventually import eventually

PATIENCE = 90.0
"""Seconds that a boot may take on a busy machine under TCG; a quiet one needs about five."""


class Channel:
    """Lines of JSON over a unix socket that QEMU connects to: the monitor and the guest agent."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._held = bytearray()
        self._number = 0

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command; its answer. Events between are skipped, an error is an AssertionError."""
        await self.tell(command, **arguments)
        while True:
            said = json.loads(await self._line())
            assert "error" not in said, said["error"]["desc"]
            if "return" in said:
                return said["return"]

    async def tell(self, command: str, **arguments: Any) -> None:
        """Send a command and wait for no answer; guest-shutdown has none when it works."""
        body = {"execute": command, "arguments": arguments}
        await self._stream.send_all(json.dumps(body).encode() + b"\n")

    async def synchronise(self) -> None:
        """Throw away what an agent still answers to questions of before it was there."""
        self._number += 1
        await self.tell("guest-sync", id=self._number)
        while json.loads(await self._line()).get("return") != self._number:
            pass

    async def _line(self) -> bytes:
        while b"\n" not in self._held:
            part = await self._stream.receive_some()
            assert part, "QEMU closed the channel"
            self._held += part
        line, _, rest = bytes(self._held).partition(b"\n")
        self._held = bytearray(rest)
        return line


@dataclass
class Machine:
    """A running QEMU."""

    process: trio.Process
    monitor: Channel
    agent: Channel
    serial: trio.SocketStream
    started: float
    console: bytearray = field(default_factory=bytearray)
    """All that the guest wrote to its serial port so far."""

    async def agent_ready(self) -> float:
        """Wait for the guest agent and for the end of the boot; seconds since QEMU was started."""

        async def answers() -> bool:
            # A question that a rebooting guest takes along is never answered: give up and ask anew.
            with trio.move_on_after(15):
                await self.agent.synchronise()
                return await self.booted()
            return False

        await eventually(answers, within=PATIENCE, every=0.1)
        return trio.current_time() - self.started

    async def booted(self) -> bool:
        """Whether the guest says that its boot is over, the seed's scripts included."""
        return (await self.shell("cat /run/ready 2>/dev/null || true")) != ""

    async def begin(self, script: str) -> int:
        """Have the guest run a shell script, and wait for nothing; for what takes the agent itself along."""
        begun = await self.agent.ask("guest-exec", **{"path": "/bin/sh", "arg": ["-c", script], "capture-output": True})
        pid: int = begun["pid"]
        return pid

    async def shell(self, script: str) -> str:
        """Run a shell script in the guest; what it wrote to standard output."""
        pid = await self.begin(script)

        async def ended() -> Any:
            answer = await self.agent.ask("guest-exec-status", pid=pid)
            return answer if answer["exited"] else None

        done = await eventually(ended, within=PATIENCE, every=0.05)
        said = base64.b64decode(done.get("out-data", "")).decode()
        assert done["exitcode"] == 0, (script, said, base64.b64decode(done.get("err-data", "")))
        return said

    async def forwarded(self, guest_port: int) -> int:
        """The port of 127.0.0.1 that QEMU forwards to a port of the guest."""
        table: str = await self.monitor.ask("human-monitor-command", **{"command-line": "info usernet"})
        for line in table.splitlines():
            words = line.split()
            if words and words[0] == "TCP[HOST_FORWARD]" and words[5] == str(guest_port):
                return int(words[3])
        raise AssertionError(f"no forwarding to port {guest_port} in {table}")

    async def page(self) -> str:
        """What the guest's web server says, once it says something."""
        port = await self.forwarded(80)

        async def answer() -> str:
            # QEMU takes the connection before the guest does, so a short patience finds the guest sooner.
            async with httpx.AsyncClient(trust_env=False, timeout=1) as client:
                try:
                    response = await client.get(f"http://127.0.0.1:{port}/")
                except httpx.TransportError as fault:
                    raise AssertionError(f"no answer yet: {fault!r}") from fault
            assert response.status_code == 200
            return response.text

        return await eventually(answer, within=PATIENCE, every=0.1)

    async def type(self, text: str) -> None:
        """Type on the serial console."""
        await self.serial.send_all(text.encode())

    async def ends(self, within: float) -> float:
        """Wait until QEMU has ended by itself; the seconds it took."""
        asked = trio.current_time()
        with trio.fail_after(within):
            assert await self.process.wait() == 0
        return trio.current_time() - asked


@asynccontextmanager
async def boot(folder: Path, *devices: str, machine: str = "q35", memory_mib: int = 128) -> AsyncIterator[Machine]:
    """Start QEMU with these device arguments, with a console, a guest agent channel and a random source.

    QEMU is ended when the block is left, whatever happened.
    """
    names = ("serial", "agent", "monitor")
    listeners = {name: _listen(folder / f"{name}.sock") for name in names}
    sockets = [
        part
        for name in names
        for part in ("-chardev", f"socket,id={name},path={folder / name}.sock")
    ]  # fmt: skip
    argv = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
        "-machine", f"{machine},accel=tcg", "-m", str(memory_mib), *sockets,
        "-serial", "chardev:serial", "-mon", "chardev=monitor,mode=control",
        "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
        "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0", *devices,
    ]  # fmt: skip
    started = trio.current_time()
    streams: dict[str, trio.SocketStream] = {}
    with (folder / "qemu.err").open("wb") as errors:
        process = await trio.lowlevel.open_process(argv, stdin=subprocess.DEVNULL, stderr=errors)
    try:
        with trio.fail_after(10):
            for name, listener in listeners.items():
                streams[name] = await _accept(listener)
        guest = Machine(process, Channel(streams["monitor"]), Channel(streams["agent"]), streams["serial"], started)
        await guest.monitor.ask("qmp_capabilities")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_record, streams["serial"], guest.console)
            yield guest
            nursery.cancel_scope.cancel()
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
            for stream in streams.values():
                await stream.aclose()
        for listener in listeners.values():
            listener.close()


def clone(image: Path, out: Path, size_mib: int = 0) -> Path:
    """A linked clone of an image, larger than it if a size is given."""
    size = [f"{size_mib}M"] if size_mib else []
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", out, *size)
    return out


def seed_iso(out: Path, meta_data: str, user_data: str) -> Path:
    """A NoCloud seed as a CD-ROM image."""
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="cidata")
    for name, text in (("meta-data", meta_data), ("user-data", user_data)):
        body = text.encode()
        plain = f"/{name.replace('-', '').upper()}.;1"
        iso.add_fp(io.BytesIO(body), len(body), plain, rr_name=name, joliet_path=f"/{name}")
    iso.write(str(out))
    iso.close()
    return out


def seed_fat(out: Path, meta_data: str, user_data: str) -> Path:
    """A NoCloud seed as a FAT disk."""
    with out.open("wb") as file:
        file.truncate(4 << 20)
    run("mkfs.fat", "-n", "CIDATA", out)
    for name, text in (("meta-data", meta_data), ("user-data", user_data)):
        run("mcopy", "-i", out, "-", f"::/{name}", stdin=text.encode())
    return out


def virtio_disk(path: Path, form: str = "qcow2") -> Sequence[str]:
    """A virtio-blk disk, bootable if it is the first."""
    name = path.stem.replace(".", "-")
    drive = f"if=none,id={name},file={path},format={form}"
    return ("-drive", drive, "-device", f"virtio-blk-pci,drive={name}")


def scsi_cd(path: Path) -> Sequence[str]:
    """A CD-ROM on virtio-scsi."""
    drive = f"if=none,id=cd,file={path},format=raw,readonly=on"
    return ("-device", "virtio-scsi-pci", "-drive", drive, "-device", "scsi-cd,drive=cd")


def scsi_disk(path: Path) -> Sequence[str]:
    """A disk on virtio-scsi that the machine boots from."""
    drive = f"if=none,id=hd,file={path},format=qcow2"
    return ("-device", "virtio-scsi-pci", "-drive", drive, "-device", "scsi-hd,drive=hd,bootindex=1")


def _listen(path: Path) -> trio.socket.SocketType:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(1)
    return trio.socket.from_stdlib_socket(listener)


async def _accept(listener: trio.socket.SocketType) -> trio.SocketStream:
    connection, _ = await listener.accept()
    return trio.SocketStream(connection)


async def _record(stream: trio.SocketStream, console: bytearray) -> None:
    while part := await stream.receive_some():
        console += part
