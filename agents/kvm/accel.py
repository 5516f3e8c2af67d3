"""Which accelerator a host's guests run under: KVM only where it truly works, else TCG.

A /dev/kvm that opens, and what libvirt says, both mislead under a KVM that is itself software. The truth is
in the CPU's flags, the kernel's modules, and a QEMU that runs with the host's own CPU model and ends clean.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import trio

from zstack_appliance.cloud.host.driver import Accelerator, AcceleratorChoice
from zstack_appliance.kernel.remote import HostCommandFailed, Runtime

PROBE_SECONDS = 5.0

_PROBE = (
    "qemu-system-x86_64", "-accel", "kvm", "-cpu", "host", "-machine", "q35", "-S",
    "-nodefaults", "-display", "none", "-qmp", "stdio",
)  # fmt: skip
_PROBE_INPUT = '{"execute":"qmp_capabilities"}\n{"execute":"cont"}\n{"execute":"quit"}\n'


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The accelerator, why it is this one, and during which boot of the host that was found out."""

    accelerator: Accelerator
    reason: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a host tells about itself; a test gives another root."""

    root: Path = Path("/")

    def boot_id(self) -> str:
        """Changes whenever the host is started anew."""
        return (self.root / "proc/sys/kernel/random/boot_id").read_text().strip()

    def memory(self) -> int:
        """Bytes of memory. libvirt's own figure is wrong on machines whose memory was hot-plugged."""
        for line in (self.root / "proc/meminfo").read_text().splitlines():
            name, _, amount = line.partition(":")
            if name == "MemTotal":
                return int(amount.split()[0]) * 1024
        raise HostCommandFailed("/proc/meminfo does not tell how much memory this host has")

    def kvm_fault(self) -> str | None:
        """Why KVM cannot be used, as far as files tell; None when a probe is worth it."""
        device = self.root / "dev/kvm"
        try:
            with device.open("r+b"):
                pass
        except OSError as error:
            return f"/dev/kvm cannot be opened: {error.strerror}"
        flags = {
            flag
            for line in (self.root / "proc/cpuinfo").read_text().splitlines()
            if line.startswith("flags")
            for flag in line.split()
        }
        if not flags & {"vmx", "svm"}:
            return "the CPU has neither the vmx nor the svm flag"
        if (self.root / "sys/module/kvm_pvm").exists():
            return "the kernel's KVM is a software one (module kvm_pvm)"
        return None


async def choose(choice: AcceleratorChoice, runtime: Runtime, machine: Machine) -> Verdict:
    """The accelerator to use.

    What AUTO finds out is kept in ``<data>/run/accelerator.json`` until the host is started anew.

    Args:
        choice: the administrator's; anything but AUTO is obeyed without looking.
        runtime: runs the probe.
        machine: the host.
    """
    boot_id = await trio.to_thread.run_sync(machine.boot_id)
    if choice is not AcceleratorChoice.AUTO:
        return Verdict(accelerator=Accelerator(choice), reason="set by the administrator", boot_id=boot_id)
    kept = runtime.data / "run" / "accelerator.json"
    known = await trio.to_thread.run_sync(_read, kept)
    if known is not None and known.boot_id == boot_id:
        return known
    fault = await trio.to_thread.run_sync(machine.kvm_fault) or await _probe_fault(runtime)
    verdict = Verdict(
        accelerator=Accelerator.KVM if fault is None else Accelerator.TCG,
        reason=fault or "KVM works: QEMU ran with the host's CPU",
        boot_id=boot_id,
    )
    await trio.to_thread.run_sync(_write, kept, verdict)
    return verdict


async def _probe_fault(runtime: Runtime) -> str | None:
    try:
        await runtime.run(_PROBE, stdin=_PROBE_INPUT, timeout=PROBE_SECONDS)
    except HostCommandFailed as error:
        return f"QEMU does not run under KVM: {error}"
    return None


def _read(kept: Path) -> Verdict | None:
    try:
        return msgspec.json.decode(kept.read_bytes(), type=Verdict)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _write(kept: Path, verdict: Verdict) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_name(f"{kept.name}.part")
    unfinished.write_bytes(msgspec.json.encode(verdict))
    unfinished.replace(kept)
