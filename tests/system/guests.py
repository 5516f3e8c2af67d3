"""Guests to start in system tests: linked clones of the tiny image, on a bridge without an uplink."""

from __future__ import annotations

import subprocess
import uuid
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from zstack_appliance.cloud.host.driver import DiskSpec, DomainSpec, NicSpec, SeedSpec

BRIDGE = "zbtest"
MEMORY = 128 * 2**20


@dataclass
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
    numbers: count[int] = field(default_factory=count)

    def spec(self, name: str = "guest") -> DomainSpec:
        """A new guest with a root disk, a NIC and a seed; blocks while the disk is made."""
        number, identity = next(self.numbers), uuid.uuid4().hex
        disk = self.folder / f"{identity}.qcow2"
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", self.image, disk], check=True
        )
        return DomainSpec(
            uuid=identity,
            name=name,
            vcpus=1,
            memory=MEMORY,
            disks=(DiskSpec(device_id=uuid.uuid4().hex, path=str(disk), format="qcow2", boot_order=1),),
            nics=(NicSpec(mac=f"fa:16:3e:00:00:{number:02x}", bridge=BRIDGE, tap=f"zt{self.instance}{number}"),),
            seed=SeedSpec(hostname=f"guest{number}"),
        )


def make_bridge() -> None:
    """The bridge that the guests' NICs are on."""
    subprocess.run(["ip", "link", "add", BRIDGE, "type", "bridge"], check=True)
    subprocess.run(["ip", "link", "set", BRIDGE, "up"], check=True)
