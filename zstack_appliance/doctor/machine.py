"""Checks of the machine itself: programs, disk, memory, clock, libvirt, KVM."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from agents.kvm.accel import Machine
from agents.process import SEARCH_PATH
from zstack_appliance.doctor.patient import Finding, Patient, connects, ok, warning, wrong

GIB = 2**30
ENOUGH_BYTES, LITTLE_BYTES = 10 * GIB, 2 * GIB
"""Free space for a handful of small VMs, and what the primary storage's reserve and one disk take."""
LITTLE_FILES = 10_000
"""Free inodes; a VM takes a dozen."""
LITTLE_MEMORY = 256 * 2**20
"""Available memory that one more tiny VM needs besides its own."""

TOOLS = ("qemu-system-x86_64", "qemu-img", "ip", "nft", "dnsmasq", "setsid")
PRIVATE_TOOLS = ("libvirtd", "bwrap", "tini")
"""Needed besides where no systemd starts libvirtd."""
OLDEST = {"qemu": (7, 0), "libvirt": (9, 0)}
"""Versions that the appliance was tried with."""

RELEASED = 1_735_689_600
"""2025-01-01 UTC: a clock before it is wrong, and certificates and sessions with it."""


def tools(patient: Patient) -> Finding:
    """The programs that do the work."""
    wanted = TOOLS if patient.systemd.exists() else (*TOOLS, *PRIVATE_TOOLS)
    absent = [name for name in wanted if shutil.which(name, path=SEARCH_PATH) is None]
    if absent:
        return wrong(
            "programs", f"not installed: {', '.join(absent)}", "install the packages of installer/packages.txt"
        )
    return ok("programs", f"{len(wanted)} of {len(wanted)} are installed")


def versions(patient: Patient) -> Finding:
    """Whether QEMU and libvirt are new enough."""
    said = {"qemu": patient.ask(["qemu-system-x86_64", "--version"]), "libvirt": patient.ask(["libvirtd", "--version"])}
    found = {name: version(text or "") for name, text in said.items()}
    shown = ", ".join(f"{name} {'.'.join(map(str, number)) or 'unknown'}" for name, number in found.items())
    old = [name for name, number in found.items() if number and number < OLDEST[name]]
    if old:
        return warning("versions", f"{shown}: older than was ever tried", "use Debian 12 or newer")
    return ok("versions", shown)


def version(text: str) -> tuple[int, ...]:
    """The first number with dots in a text, such as ``(7, 2, 22)``; empty if there is none."""
    number = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in number.group().split(".")) if number else ()


def kvm(patient: Patient) -> Finding:
    """Whether guests run at full speed."""
    fault = Machine(patient.root).kvm_fault() or _refused(patient.data / "run" / "accelerator.json")
    if fault is None:
        return ok("kvm", "KVM can be used")
    mend = "switch on virtualization in the firmware, or nested virtualization on the host; VMs work without"
    return warning("kvm", f"VMs are emulated, and slow: {fault}", mend)


def _refused(kept: Path) -> str | None:
    """Why the appliance itself chose not to use KVM, if it did."""
    try:
        verdict = msgspec.json.decode(kept.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    return str(verdict.get("reason")) if verdict.get("accelerator") == "tcg" else None


def libvirtd(patient: Patient) -> Finding:
    """Whether libvirtd answers."""
    if connects(socket.AF_UNIX, os.fspath(patient.libvirt)):
        return ok("libvirtd", f"it answers at {patient.libvirt}")
    mend = "systemctl start libvirtd" if patient.systemd.exists() else "start the appliance, which starts one"
    return warning("libvirtd", f"nothing answers at {patient.libvirt}", mend)


def disk(patient: Patient) -> Finding:
    """Free space for disks and images."""
    at = _existing(patient.data)
    free = shutil.disk_usage(at).free
    text = f"{free / GIB:.1f} GiB are free at {at}"
    if free >= ENOUGH_BYTES:
        return ok("disk", text)
    mend = "expunge destroyed VMs and deleted images, or give the file system more room"
    return wrong("disk", text, mend) if free < LITTLE_BYTES else warning("disk", text, mend)


def inodes(patient: Patient) -> Finding:
    """Whether the file system can hold more files."""
    at = _existing(patient.data)
    status = os.statvfs(at)
    if status.f_files and status.f_favail < LITTLE_FILES:
        mend = "remove what makes many small files on that file system (df -i shows it)"
        return wrong("inodes", f"only {status.f_favail} more files fit at {at}", mend)
    return ok("inodes", f"there is room for more files at {at}")


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def memory(patient: Patient) -> Finding:
    """Whether there is memory for VMs, and whether the kernel gives it out strictly."""
    if patient.kernel("vm/overcommit_memory") == "2":
        mend = "sysctl -w vm.overcommit_memory=0, and remove the setting from /etc/sysctl.d"
        return warning("memory", "the kernel promises no memory that it may lack, so VMs fail to start early", mend)
    found = re.search(r"^MemAvailable:\s+(\d+) kB", patient.text(patient.root / "proc/meminfo"), re.MULTILINE)
    if found is None:
        return ok("memory", "the kernel does not say how much is available")
    available = int(found.group(1)) * 1024
    text = f"{available / GIB:.1f} GiB are available"
    if available < LITTLE_MEMORY:
        return wrong("memory", text, "stop VMs or other programs, before the kernel kills one")
    return ok("memory", text)


def clock(patient: Patient) -> Finding:
    """Whether the clock can be right: sessions, certificates and the order of events hang on it."""
    database = patient.data / "cloud.db"
    written = database.stat().st_mtime if database.exists() else 0.0
    mend = "set the clock, and keep it by NTP: timedatectl set-ntp true"
    if patient.now() < max(RELEASED, written - 60):
        return wrong("clock", "the clock is behind what was written already", mend)
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(patient.now()))
    return ok("clock", f"it is {shown}")


def clock_is_kept(patient: Patient) -> Finding:
    """Whether something keeps the clock right."""
    if not patient.systemd.exists():
        return ok("clock kept", "without systemd it is for whoever runs this machine to keep the clock")
    said = patient.ask(["timedatectl", "show", "--property=NTP", "--property=NTPSynchronized"]) or ""
    if "NTPSynchronized=yes" in said:
        return ok("clock kept", "it follows a time server")
    mend = "install systemd-timesyncd or chrony, and see that it reaches a server: timedatectl timesync-status"
    return warning("clock kept", "the clock follows no time server", mend)


CHECKS: tuple[Callable[[Patient], Finding], ...] = (
    tools,
    versions,
    disk,
    inodes,
    memory,
    clock,
    clock_is_kept,
    libvirtd,
    kvm,
)
