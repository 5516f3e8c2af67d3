"""Install an appliance: `steps`, each of which can be interrupted and repeated, in their order.

What an earlier run left half done, the next one makes whole: a step looks at the machine and not at a record.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from installer.archive import PROGRAM, unpack
from installer.facts import UNIT, missing
from installer.firewalld import firewalld_step
from installer.layout import Layout, Wish, digest, unit_text
from installer.machine import Machine, link, links_to, write
from installer.step import Step
from zstack_appliance.kernel.remote import HostCommandFailed

APT_SECONDS = 1800.0
COMMAND = f"/opt/zstack-appliance/current/{PROGRAM}"
START_SECONDS = 320.0
"""A little more than the unit's own TimeoutStartSec."""


def steps(wish: Wish, machine: Machine, packages: Sequence[str]) -> list[Step]:
    """Everything that is to be had, in order."""
    one = _Installation(wish, Layout(machine), digest(wish.program))
    layout, target = one.layout, one.target
    linked = f"make {layout.current} mean it, and {layout.command} run it"
    started = f"start {UNIT}, now and at every boot, and wait until it is ready"
    return [
        packages_step(machine, packages),
        Step("program", f"unpack the program to {target}", one.is_unpacked, one.unpack),
        Step("current", linked, one.is_linked, one.link),
        Step("unit", f"have systemd know it: {layout.unit}", one.has_unit, one.write_unit),
        firewalld_step(machine, wish.data),
        Step("start", started, one.is_started, one.start),
        Step("tidy", "remove the programs of other versions", one.is_tidy, one.tidy),
    ]


def packages_step(machine: Machine, packages: Sequence[str]) -> Step:
    """Have Debian packages."""

    async def is_done() -> bool:
        return not await missing(machine, packages)

    async def do() -> None:
        quiet = ("env", "DEBIAN_FRONTEND=noninteractive", *_proxies())
        apt = (*quiet, "apt-get", "--quiet", "-o", "DPkg::Lock::Timeout=300")
        # An installation that was cut off has to be finished first; otherwise this does nothing.
        await machine.run([*quiet, "dpkg", "--configure", "-a"], timeout=APT_SECONDS)
        # Nobody reads the descriptions of packages here, and they are half of what an update fetches.
        await machine.run([*apt, "-o", "Acquire::Languages=none", "update"], timeout=APT_SECONDS)
        wanted = await missing(machine, packages)
        # --no-install-recommends: nothing with a desktop, and no network of libvirt's own.
        await machine.run([*apt, "install", "--yes", "--no-install-recommends", *wanted], timeout=APT_SECONDS)

    return Step("packages", f"have the {len(packages)} Debian packages that running it needs", is_done, do)


def _proxies() -> list[str]:
    """What the administrator's shell says of the way to the mirror; the rest of its environment stays away."""
    return [f"{name}={value}" for name, value in os.environ.items() if name.lower() in ("http_proxy", "https_proxy")]


@dataclass(frozen=True)
class _Installation:
    """One program on one machine; each pair of methods is a step.

    Args:
        wish: what is to be had.
        layout: where.
        sha: of the program.
    """

    wish: Wish
    layout: Layout
    sha: str

    @property
    def target(self) -> Path:
        """Where the program is unpacked to."""
        return self.layout.version(self.wish.version)

    async def is_unpacked(self) -> bool:
        return await _read(self.target / "source") == self.sha

    async def unpack(self) -> None:
        await trio.to_thread.run_sync(_unpack, self.wish.program, self.target, self.sha)

    async def is_linked(self) -> bool:
        return links_to(self.layout.current) == self.wish.version and links_to(self.layout.command) == COMMAND

    async def link(self) -> None:
        link(self.layout.current, self.wish.version)
        link(self.layout.command, COMMAND)

    async def has_unit(self) -> bool:
        return await _read(self.layout.unit) == unit_text(self.wish).strip()

    async def write_unit(self) -> None:
        write(self.layout.unit, unit_text(self.wish))

    async def is_started(self) -> bool:
        active = await self.layout.machine.says("systemctl", "is-active", UNIT) == "active"
        return active and await _read(self.layout.started) == self._fingerprint()

    async def start(self) -> None:
        run, says = self.layout.machine.run, self.layout.machine.says
        await run(["systemctl", "daemon-reload"])
        await run(["systemctl", "enable", "--quiet", UNIT])
        try:
            # It returns once the appliance is ready, or has failed.
            await run(["systemctl", "restart", UNIT], timeout=START_SECONDS)
        except HostCommandFailed as error:
            said = await says("journalctl", "--unit", UNIT, "--lines", "15", "--output", "cat", "--no-pager")
            raise HostCommandFailed(f"{error}\nIts last words (journalctl -u {UNIT}):\n{said}") from error
        write(self.layout.started, f"{self._fingerprint()}\n")

    async def is_tidy(self) -> bool:
        return not self._others()

    async def tidy(self) -> None:
        for folder in self._others():
            await trio.to_thread.run_sync(shutil.rmtree, folder)

    def _fingerprint(self) -> str:
        """Changes with whatever makes a restart necessary."""
        return hashlib.sha256(f"{self.sha} {unit_text(self.wish)}".encode()).hexdigest()

    def _others(self) -> list[Path]:
        """The folders of other versions, and those that an interrupted run has left."""
        folders = (path for path in self.layout.home.glob("*") if path.is_dir() and not path.is_symlink())
        return sorted(path for path in folders if path.name != self.wish.version)


def _unpack(program: Path, target: Path, sha: str) -> None:
    """Have the program in its folder, whole or not at all. Blocks."""
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    unpack(program, fresh)
    # Files before the names that make them the program: a power cut must not leave a version that is hollow.
    os.sync()
    write(fresh / "source", f"{sha}\n")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


async def _read(path: Path) -> str | None:
    try:
        return (await trio.Path(path).read_text()).strip()
    except OSError:
        return None
