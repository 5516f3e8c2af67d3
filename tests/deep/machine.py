"""A booted machine: `booted` starts one from a `Base`, `Deep` runs commands on it over SSH, reboots and ends it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agents.kvm.accel import Machine as Hardware
from tests.deep.base import Base

BOOT_SECONDS = 300.0
"""Until its SSH answers, under TCG on a busy machine; 45 s alone."""
MEMORY, PROCESSORS = 3072, 2
_PAUSE = 1.0


class DeepFailure(Exception):
    """A command on the machine failed, or something did not come about; the text has its words."""


@dataclass(frozen=True)
class Deep:
    """A machine that runs.

    Args:
        base: what it was booted from.
        folder: its own files: disk layer, console log, SSH's control socket.
        port: of this machine, which leads to its SSH.
        process: QEMU.
    """

    base: Base
    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    def run(self, command: str, *, seconds: float = 120.0, check: bool = True) -> str:
        """Run a shell command as root there; what it wrote to both its outputs.

        Raises:
            DeepFailure: it failed, or took too long.
        """
        try:
            done = subprocess.run(
                [*self._ssh(), command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode(errors="replace")
            raise DeepFailure(f"not done within {seconds:g} s: {command}\n{said}") from late
        text = done.stdout.decode(errors="replace").strip()
        if check and done.returncode:
            raise DeepFailure(f"{command} ended with {done.returncode}:\n{text}\n{self.console()}")
        return text

    def put(self, path: Path, to: str) -> None:
        """Copy a file there, with its permissions."""
        with path.open("rb") as content:
            mode = f"{path.stat().st_mode & 0o777:o}"
            subprocess.run([*self._ssh(), f"cat > {to} && chmod {mode} {to}"], stdin=content, check=True, timeout=300)

    def wait(self, command: str, *, seconds: float) -> str:
        """Repeat a command until it succeeds; what it wrote then.

        Raises:
            DeepFailure: it did not in time; with what it wrote last.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                return self.run(command, seconds=60)
            except DeepFailure:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
            time.sleep(_PAUSE)

    def reboot(self) -> None:
        """Have it go down in order and come up again."""
        before = self.run("cat /proc/sys/kernel/random/boot_id")
        self.run("systemctl reboot", check=False)
        self.hang_up()
        self.wait(f'test "$(cat /proc/sys/kernel/random/boot_id)" != {before}', seconds=BOOT_SECONDS)

    def hang_up(self) -> None:
        """Forget the SSH connection that commands share."""
        subprocess.run([*self._ssh(), "-O", "exit"], check=False, capture_output=True)

    def console(self) -> str:
        """The end of what it wrote to its serial port."""
        said = self.folder / "console"
        return said.read_text(errors="replace")[-2000:] if said.exists() else ""

    def _ssh(self) -> list[str]:
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "30",
            "ControlMaster": "auto",
            "ControlPath": f"{self.folder}/ssh",
            "ControlPersist": "60",
            "LogLevel": "ERROR",
            "ServerAliveInterval": "10",
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", *words, "-i", str(self.base.key), "-p", str(self.port), "root@127.0.0.1"]


@contextmanager
def booted(base: Base) -> Iterator[Deep]:
    """A machine of its own for the block; nothing of it is left afterwards, however the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="zs-deep-"))
    try:
        layer = folder / "disk.qcow2"
        create = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base.disk.resolve()), str(layer)]
        subprocess.run(create, check=True)
        port = _free_port()
        with subprocess.Popen(_qemu(base, folder, layer, port), stdin=subprocess.DEVNULL) as process:
            machine = Deep(base, folder, port, process)
            try:
                machine.wait("systemctl is-system-running --wait || true", seconds=BOOT_SECONDS)
                yield machine
            finally:
                machine.hang_up()
                process.kill()
    finally:
        shutil.rmtree(folder)


def _qemu(base: Base, folder: Path, layer: Path, port: int) -> list[str | Path]:
    accelerator = ["-accel", "tcg,thread=multi"] if Hardware().kvm_fault() else ["-accel", "kvm"]
    # -cpu max has SVM also where it is emulated, so that the machine has a KVM of its own.
    return [
        "qemu-system-x86_64", "-machine", "q35", *accelerator, "-cpu", "max",
        "-smp", str(PROCESSORS), "-m", str(MEMORY), "-nodefaults", "-display", "none",
        "-kernel", base.kernel, "-initrd", base.initrd,
        "-append", "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet",
        "-drive", f"file={layer},if=virtio,format=qcow2,discard=unmap,cache=unsafe",
        "-nic", f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", "virtio-rng-pci", "-serial", f"file:{folder}/console",
    ]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
