"""firewalld, where it runs: have it let the packets of our bridges through, and take that back.

Its zone ``trusted`` is for that. Both what holds now and what holds after its next start are told, because a
reload would lose what its administrator has tried out and not yet kept. Other firewalls are opened by the
appliance itself, see `zstack_appliance.cloud.network_service.host_network.firewall`.
"""

from __future__ import annotations

import random
from pathlib import Path

import trio

from installer.machine import Machine
from installer.step import Step
from zstack_appliance.data_folder import prepare
from zstack_appliance.kernel.world import Entropy


async def _runs(machine: Machine) -> bool:
    return await machine.says("systemctl", "is-active", "firewalld") == "active"


def bridges(instance: str) -> str:
    """All bridges of an appliance, as firewalld writes it."""
    return f"zb{instance}+"


def firewalld_step(machine: Machine, data: Path) -> Step:
    """Have firewalld trust our bridges. The data folder is begun for that, as its id is in their names."""
    folder = machine.path(data)

    async def is_done() -> bool:
        if not await _runs(machine):
            return True
        instance = machine.text(data / "instance").strip()
        return bool(instance) and all([bridges(instance) in await _trusted(machine, *kept) for kept in _BOTH])

    async def do() -> None:
        await trio.to_thread.run_sync(prepare, folder, Entropy(random.SystemRandom()))
        instance = machine.text(data / "instance").strip()
        for kept in _BOTH:
            if bridges(instance) not in await _trusted(machine, *kept):
                await machine.run(["firewall-cmd", *kept, _ZONE, f"--add-interface={bridges(instance)}"])

    return Step("firewalld", "have firewalld trust the bridges of the appliance", is_done, do)


async def close_firewalld(machine: Machine, instance: str) -> bool:
    """Take that back; whether there was anything."""
    if not await _runs(machine):
        return False
    found = [kept for kept in _BOTH if bridges(instance) in await _trusted(machine, *kept)]
    for kept in found:
        await machine.run(["firewall-cmd", *kept, _ZONE, f"--remove-interface={bridges(instance)}"])
    return bool(found)


async def _trusted(machine: Machine, *kept: str) -> list[str]:
    return (await machine.says("firewall-cmd", *kept, _ZONE, "--list-interfaces")).split()


_ZONE = "--zone=trusted"
_BOTH: tuple[tuple[str, ...], ...] = ((), ("--permanent",))
