"""Guests to start in system tests: linked clones of the tiny image, on a bridge without an uplink."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from agents.process import run
from zstack_appliance.cloud.host.driver import DiskSpec, DomainSpec, NicSpec, SeedSpec

BRIDGE = "zbtest"
MEMORY = 128 * 2**20
BOOT_SECONDS = 60.0
"""A tiny guest under TCG is ready in 4-9 s; the rest is for a machine that is busy."""


@dataclass(frozen=True)
class Guests:
    """Makes the disks and the descriptions of guests.

    Attributes:
        image: what their root disks are clones of.
        folder: where these lie.
        instance: marks their taps.
    """

    image: Path
    folder: Path
    instance: str
    _numbers: Iterator[int] = field(default_factory=count)

    async def new(self, name: str = "guest", *, user_data: str | None = None) -> DomainSpec:
        """A new guest with a root disk, a NIC on the bridge and a seed."""
        number, identity = next(self._numbers), uuid.uuid4().hex
        disk = str(self.folder / f"{identity}.qcow2")
        await run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(self.image), disk])
        return DomainSpec(
            uuid=identity,
            name=name,
            vcpus=1,
            memory=MEMORY,
            disks=(DiskSpec(device_id=uuid.uuid4().hex, path=disk, format="qcow2", boot_order=1),),
            nics=(NicSpec(mac=f"fa:16:3e:00:00:{number:02x}", bridge=BRIDGE, tap=f"zt{self.instance}{number}"),),
            seed=SeedSpec(hostname=f"guest{number}", user_data=user_data),
        )


async def make_bridge() -> None:
    """Make the bridge that the guests' NICs are on."""
    await run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    await run(["ip", "link", "set", BRIDGE, "up"])
