"""A KVM host over a libvirt without QEMU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.kvm.accel import Machine
from agents.kvm.connection import DomainListener
from agents.kvm.host import KvmHost
from agents.kvm.local import LocalLink
from tests.agents.kvm.fake_libvirt import FakeConnection, FakeLibvirt

INSTANCE = "a1b2c3"


@dataclass
class FakeHost:
    """A host with its parts in reach."""

    host: KvmHost
    link: LocalLink
    libvirt: FakeLibvirt
    data: Path
    machine: Machine

    @property
    def connection(self) -> FakeConnection:
        """The fake virConnect."""
        return self.libvirt.connection


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A host without KVM."""
    root = tmp_path / "machine"
    (root / "proc/sys/kernel/random").mkdir(parents=True)
    (root / "proc/sys/kernel/random/boot_id").write_text("boot-1\n")
    (root / "proc/meminfo").write_text("MemTotal:        1024 kB\nMemFree:  1 kB\n")
    (root / "proc/cpuinfo").write_text("flags : fpu sse2\n")
    return Machine(root)


@pytest.fixture
def fake(tmp_path: Path, machine: Machine) -> FakeHost:
    """A KVM host whose libvirt is a fake; its data folder is real."""
    made: list[FakeLibvirt] = []

    def reach(listener: DomainListener) -> FakeLibvirt:
        made.append(FakeLibvirt(listener))
        return made[0]

    data = tmp_path / "data"
    data.mkdir()
    host = KvmHost(instance=INSTANCE, data=data, machine=machine, libvirt=reach)
    return FakeHost(host, LocalLink(host), made[0], data, machine)
