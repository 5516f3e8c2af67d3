"""What can be wrong with the machine that an appliance runs on: `examine`, one `Finding` for each check.

Each check looks and changes nothing, and says how what it found is mended.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from agents.kvm.accel import Machine
from agents.kvm.libvirtd import SOCKET, SYSTEMD
from agents.process import SEARCH_PATH

GIB = 2**30
ENOUGH_BYTES, LITTLE_BYTES = 10 * GIB, 2 * GIB
"""Free space for a handful of small VMs, and what the primary storage's reserve and one disk take."""

TOOLS = ("qemu-system-x86_64", "qemu-img", "ip", "nft", "dnsmasq", "setsid")
PRIVATE_TOOLS = ("libvirtd", "bwrap", "tini")
"""Needed besides where no systemd starts libvirtd."""

RELEASED = 1_735_689_600
"""2025-01-01 UTC: a clock before it is wrong, and certificates and sessions with it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. `mend` is empty when nothing is wrong."""

    check: str
    state: str
    """``ok``, ``warning`` (it works, but worse than it could) or ``wrong``."""
    text: str
    mend: str = ""


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
    """

    data: Path
    listen: tuple[str, int] = ("127.0.0.1", 8080)
    root: Path = Path("/")
    libvirt: Path = SOCKET
    systemd: Path = SYSTEMD
    now: Callable[[], float] = time.time


def examine(patient: Patient) -> list[Finding]:
    """Every check, in the order in which things are to be mended. Blocks for a second at most."""
    return [check(patient) for check in CHECKS]


def tools(patient: Patient) -> Finding:
    """The programs that do the work."""
    wanted = TOOLS if patient.systemd.exists() else (*TOOLS, *PRIVATE_TOOLS)
    absent = [name for name in wanted if shutil.which(name, path=SEARCH_PATH) is None]
    if absent:
        mend = "install the packages of installer/packages.txt"
        return Finding(check="programs", state="wrong", text=f"not installed: {', '.join(absent)}", mend=mend)
    return Finding(check="programs", state="ok", text=f"{len(wanted)} of {len(wanted)} are installed")


def kvm(patient: Patient) -> Finding:
    """Whether guests run at full speed."""
    fault = Machine(patient.root).kvm_fault() or _refused(patient.data / "run" / "accelerator.json")
    if fault is None:
        return Finding(check="kvm", state="ok", text="KVM can be used")
    mend = "switch on virtualization in the firmware, or nested virtualization on the host; VMs work without"
    return Finding(check="kvm", state="warning", text=f"VMs are emulated, and slow: {fault}", mend=mend)


def _refused(kept: Path) -> str | None:
    """Why the appliance itself chose not to use KVM, if it did."""
    try:
        verdict = msgspec.json.decode(kept.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None
    return str(verdict.get("reason")) if verdict.get("accelerator") == "tcg" else None


def libvirtd(patient: Patient) -> Finding:
    """Whether libvirtd answers."""
    if _connects(socket.AF_UNIX, os.fspath(patient.libvirt)):
        return Finding(check="libvirtd", state="ok", text=f"it answers at {patient.libvirt}")
    mend = "systemctl start libvirtd" if patient.systemd.exists() else "start the appliance, which starts one"
    return Finding(check="libvirtd", state="warning", text=f"nothing answers at {patient.libvirt}", mend=mend)


def disk(patient: Patient) -> Finding:
    """Free space for disks and images."""
    at = patient.data
    while not at.exists():
        at = at.parent
    free = shutil.disk_usage(at).free
    text = f"{free / GIB:.1f} GiB are free at {at}"
    if free >= ENOUGH_BYTES:
        return Finding(check="disk", state="ok", text=text)
    mend = "expunge destroyed VMs and deleted images, or give the file system more room"
    return Finding(check="disk", state="wrong" if free < LITTLE_BYTES else "warning", text=text, mend=mend)


def forwarding(patient: Patient) -> Finding:
    """Whether the machine forwards packets, as guests need to reach the world."""
    setting = patient.root / "proc/sys/net/ipv4/ip_forward"
    try:
        on = setting.read_text().strip() == "1"
    except OSError as error:
        return Finding(check="ip_forward", state="wrong", text=str(error), mend="run on Linux with IPv4")
    if on:
        return Finding(check="ip_forward", state="ok", text="the machine forwards packets")
    if not (patient.data / "network").exists():
        return Finding(check="ip_forward", state="ok", text="off; 'up' switches it on")
    mend = "something switched it off; restart the appliance, or: sysctl -w net.ipv4.ip_forward=1"
    return Finding(check="ip_forward", state="wrong", text="off, so that guests reach nothing outside", mend=mend)


def port(patient: Patient) -> Finding:
    """Whether the appliance's address is its own, or free."""
    host, number = patient.listen
    running = _connects(socket.AF_UNIX, os.fspath(patient.data / "run" / "api.sock"))
    taken = _connects(socket.AF_INET6 if ":" in host else socket.AF_INET, patient.listen)
    if taken and not running:
        mend = f"stop what listens there (ss -ltnp), or start with another --listen than {host}:{number}"
        text = f"port {number} is taken by another program"
        return Finding(check="port", state="wrong", text=text, mend=mend)
    text = "the appliance runs" if running else f"port {number} is free; the appliance is stopped"
    return Finding(check="port", state="ok", text=text)


def clock(patient: Patient) -> Finding:
    """Whether the clock can be right: sessions, certificates and the order of events hang on it."""
    database = patient.data / "cloud.db"
    written = database.stat().st_mtime if database.exists() else 0.0
    mend = "set the clock, and keep it by NTP: timedatectl set-ntp true"
    if patient.now() < max(RELEASED, written - 60):
        return Finding(check="clock", state="wrong", text="the clock is behind what was written already", mend=mend)
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(patient.now()))
    return Finding(check="clock", state="ok", text=f"it is {shown}")


def rights(patient: Patient) -> Finding:
    """Whether the data folder is the administrator's alone to change, and its secrets to read."""
    if not patient.data.exists():
        return Finding(check="data folder", state="ok", text=f"{patient.data} is not there yet; 'up' makes it")
    if not os.access(patient.data, os.R_OK | os.W_OK | os.X_OK):
        text = f"{patient.data} cannot be written to"
        return Finding(check="data folder", state="wrong", text=text, mend="run as root")
    for path, forbidden in (
        (patient.data, stat.S_IWGRP | stat.S_IWOTH),
        *((patient.data / name, stat.S_IRWXG | stat.S_IRWXO) for name in ("key", "admin-password")),
    ):
        if path.exists() and path.stat().st_mode & forbidden:
            mend = f"chmod {'go-w' if path == patient.data else '600'} {path}"
            return Finding(check="data folder", state="wrong", text=f"others may get at {path}", mend=mend)
    return Finding(check="data folder", state="ok", text=f"{patient.data} is its owner's alone")


def _connects(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


CHECKS: tuple[Callable[[Patient], Finding], ...] = (tools, rights, disk, clock, port, libvirtd, kvm, forwarding)
