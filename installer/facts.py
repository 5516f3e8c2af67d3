"""What matters of a machine before anything is changed: `Facts`, and `look`, which changes nothing."""

from __future__ import annotations

import os
import platform
import re
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agents.kvm.accel import Machine as Hardware
from installer.machine import Machine
from zstack_appliance.cloud.l3_network.subnets import NoFreeSubnetError
from zstack_appliance.doorway import Doorway
from zstack_appliance.kernel.remote import HostCommandFailed
from zstack_appliance.surroundings import look_around

UNIT = "zstack-appliance.service"
MANAGERS = {
    "cloudstack-agent": "CloudStack",
    "nova-compute": "OpenStack",
    "pve-manager": "Proxmox VE",
    "vdsm": "oVirt",
    "xen-hypervisor-common": "Xen",
}
"""Packages of what wants a host for itself, and what it is called."""
NEIGHBOURS = ("cockpit-machines", "incus", "lxd", "virt-manager", "virtualbox")
"""Packages of what makes VMs too, and leaves room for others."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What was found.

    Args:
        system: of ``/etc/os-release``, such as ``debian 12``.
        is_root: whether we may change anything.
        systemd: whether it runs here.
        architecture: as ``uname -m`` says it.
        free: bytes for the program and the data, the lesser of the two.
        memory: bytes.
        kvm_fault: why guests would be emulated; None where KVM can be tried.
        taken: addresses to listen on that another program has.
        running: whether the appliance is installed and runs.
        managers: of `MANAGERS`, those that are installed.
        neighbours: of `NEIGHBOURS`, those that are installed.
        firewalls: ``docker``, ``firewalld`` or ``ufw``, as they run.
        missing: Debian packages.
        subnets: those that networks would get; None where that has been decided.
        subnet_fault: why there is none.
    """

    system: str
    is_root: bool
    systemd: bool
    architecture: str
    free: int
    memory: int
    kvm_fault: str | None
    taken: tuple[str, ...]
    running: bool
    managers: tuple[str, ...]
    neighbours: tuple[str, ...]
    firewalls: tuple[str, ...]
    missing: tuple[str, ...]
    subnets: tuple[str, str] | None = None
    subnet_fault: str | None = None


async def look(machine: Machine, *, data: Path, doors: Sequence[Doorway], packages: Sequence[str]) -> Facts:
    """Look at a machine.

    Args:
        machine: which.
        data: where the data folder is to be, or is.
        doors: where the appliance is to listen.
        packages: the Debian packages that it needs.
    """
    running = await machine.says("systemctl", "is-active", UNIT) == "active"
    absent = await missing(machine, (*packages, *MANAGERS, *NEIGHBOURS))
    services = ("docker", "firewalld", "ufw")
    subnets, fault = (None, None) if machine.path(data / "first-cloud-made").exists() else await _subnets()
    hardware = Hardware(machine.root)
    return Facts(
        system=_system(machine.text("/etc/os-release")),
        is_root=machine.is_root,
        systemd=machine.path("/run/systemd/system").exists(),
        architecture=platform.machine(),
        free=min(_free(machine.path(folder)) for folder in (Path("/opt"), data)),
        memory=hardware.memory(),
        kvm_fault=hardware.kvm_fault(),
        taken=() if running else tuple(str(door) for door in doors if _is_taken(door)),
        running=running,
        managers=tuple(name for package, name in MANAGERS.items() if package not in absent),
        neighbours=tuple(name for name in NEIGHBOURS if name not in absent),
        firewalls=tuple([name for name in services if await machine.says("systemctl", "is-active", name) == "active"]),
        missing=tuple(name for name in packages if name in absent),
        subnets=subnets,
        subnet_fault=fault,
    )


async def missing(machine: Machine, packages: Sequence[str]) -> tuple[str, ...]:
    """Those of some Debian packages that are not installed."""
    form = "${Package} ${db:Status-Status}\n"
    listed = await machine.run(["dpkg-query", "--show", f"--showformat={form}", *packages], check=False)
    installed = {row.split()[0] for row in listed.stdout.splitlines() if row.endswith(" installed")}
    return tuple(name for name in packages if name not in installed)


def wanted(text: str) -> tuple[str, ...]:
    """The packages that running needs: the first part of ``packages.txt``."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    first = lines[1 : lines.index("", 1)]
    return tuple(line for line in first if line)


async def _subnets() -> tuple[tuple[str, str] | None, str | None]:
    try:
        around = await look_around()
    except NoFreeSubnetError as error:
        return None, str(error)
    except HostCommandFailed:
        # A machine without `ip` gets it with the packages, and the first start looks again.
        return None, None
    return (str(around.public), str(around.private)), None


def _system(os_release: str) -> str:
    found = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    return f"{found.get('ID', 'unknown')} {found.get('VERSION_ID', '')}".strip()


def _free(path: Path) -> int:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(os.fspath(path)).free


def _is_taken(door: Doorway) -> bool:
    """Whether somebody else listens there; trying to bind tells, and leaves nothing."""
    family = socket.AF_INET6 if ":" in door.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((door.host, door.port))
        except OSError:
            return True
    return False
