"""Take an installed appliance from a machine: `steps`, in their order. The data stays unless it is purged."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from installer.facts import UNIT
from installer.firewalld import close_firewalld
from installer.layout import Layout
from installer.machine import Machine
from installer.step import Step

Purge = Callable[[Path], Awaitable[list[str]]]


def steps(machine: Machine, data: Path, *, purge: Purge | None) -> list[Step]:
    """What is to be gone.

    Args:
        machine: from where.
        data: the data folder.
        purge: removes the data folder, its VMs and its networks; None leaves them.
    """
    layout = Layout(machine)
    folder = machine.path(data)

    async def is_stopped() -> bool:
        return not layout.unit.exists() and await machine.says("systemctl", "is-active", UNIT) != "active"

    async def stop() -> None:
        if layout.unit.exists():
            await machine.run(["systemctl", "disable", "--now", "--quiet", UNIT], timeout=60)
            layout.unit.unlink()
        await machine.run(["systemctl", "daemon-reload"])
        await machine.run(["systemctl", "reset-failed", UNIT], check=False)

    async def is_closed() -> bool:
        return not (folder / "instance").exists()

    async def close() -> None:
        await close_firewalld(machine, (folder / "instance").read_text().strip())

    async def is_purged() -> bool:
        return purge is None or not folder.exists()

    async def remove_data() -> None:
        assert purge is not None
        await purge(folder)

    async def is_removed() -> bool:
        return not layout.command.is_symlink() and not layout.home.exists()

    async def remove() -> None:
        layout.command.unlink(missing_ok=True)
        await trio.to_thread.run_sync(shutil.rmtree, layout.home, True)

    purging = Step(
        "data", f"remove every VM and network of the appliance, and {folder} for ever", is_purged, remove_data
    )
    return [
        Step("unit", f"stop {UNIT} and remove it", is_stopped, stop),
        Step("firewalld", "have firewalld forget the bridges of the appliance", is_closed, close),
        *([] if purge is None else [purging]),
        # Last, because this is the program that does all this.
        Step("program", f"remove {layout.command} and {layout.home}", is_removed, remove),
    ]
