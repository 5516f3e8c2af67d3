"""A KVM host with real guests keeps the host driver contract."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import msgspec
import pytest

from agents.kvm.local import LocalLink
from tests.contracts.host_driver import Bench, HostDriverContract
from tests.system.guests import Guests


@pytest.fixture
async def bench(link: LocalLink, guests: Guests) -> Bench:
    domain = await guests.new()
    gone = msgspec.structs.replace(domain.disks[0], path="/nowhere/disk.qcow2")
    return Bench(
        link,
        domain,
        missing_disk=msgspec.structs.replace(domain, disks=(gone,)),
        power_off=_end_qemu,
    )


def _end_qemu(uuid: str) -> None:
    """QEMU takes SIGTERM for the power switch; the host is told nothing."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        words = command.read_bytes().split(b"\0")
        if b"qemu-system" in words[0] and any(uuid.encode() in word for word in words):
            os.kill(int(command.parent.name), signal.SIGTERM)


class TestContract(HostDriverContract):
    """The contract, kept by this machine's hypervisor."""
