"""Where an installed appliance has its things: `Layout`, and `Wish`, what whoever installs it asked for."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path

from installer.archive import PROGRAM
from installer.facts import UNIT
from installer.machine import Machine
from zstack_appliance.doorway import Doorway

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be installed.

    Args:
        program: the one file.
        version: its version.
        data: the data folder.
        doors: where the appliance is to listen.
    """

    program: Path
    version: str
    data: Path = Path("/var/lib/zstack-appliance")
    doors: tuple[Doorway, ...] = (Doorway(), Doorway("0.0.0.0", 8443, tls=True))  # noqa: S104 - it is https


@dataclass(frozen=True)
class Layout:
    """Paths on a machine; each exists only once it is installed."""

    machine: Machine

    @property
    def home(self) -> Path:
        """Holds a folder for each version."""
        return self.machine.path("/opt/zstack-appliance")

    @property
    def current(self) -> Path:
        """A link to the folder of the version that is used."""
        return self.home / "current"

    @property
    def command(self) -> Path:
        """What a shell finds."""
        return self.machine.path(f"/usr/local/bin/{PROGRAM}")

    @property
    def unit(self) -> Path:
        """What systemd reads."""
        return self.machine.path(f"/etc/systemd/system/{UNIT}")

    @property
    def started(self) -> Path:
        """Says with which program and unit the service was started last."""
        return self.home / "started"

    def version(self, version: str) -> Path:
        """The folder of one."""
        return self.home / version


def unit_text(wish: Wish) -> str:
    """The systemd unit."""
    # systemd reads % and $ in a command line.
    data = shlex.quote(str(wish.data)).replace("%", "%%").replace("$", "$$")
    listen = "".join(f" --listen {door}" for door in wish.doors)
    template = (HERE / "zstack-appliance.service").read_text()
    return template.format(program=f"/opt/zstack-appliance/current/{PROGRAM}", data=data, listen=listen)


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits. Blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
