"""What hosts have promised: charged once, given back once, and never more than there is."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cloud import rows
from zstack_appliance.cloud.host.ledger import hold, place, vacate
from zstack_appliance.cloud.host.messages import HostWish
from zstack_appliance.cloud.host.schema import Host, HostCharge
from zstack_appliance.kernel.errors import InsufficientCapacity

GIB = rows.GIB


def wish(vm: str, memory: int = GIB, **changes: Any) -> HostWish:
    """A VM of one CPU."""
    return HostWish(**{"vm_uuid": rows.uuid(vm), "cpu": 1, "memory": memory, "reserved_memory": GIB, **changes})


async def test_placing_charges_the_host_and_repeating_it_changes_nothing(tmp_path: Path) -> None:
    """A flow's step may run again."""
    async with rows.store_with(tmp_path, rows.zone(), rows.cluster(), rows.host()) as store:
        for _ in range(2):
            placed = await store.write(lambda tx: place(tx, wish("web")))
            assert (placed.available_cpu_capacity, placed.available_memory_capacity, placed.vm_count) == (
                39,
                7 * GIB,
                1,
            )
        assert store.count(HostCharge) == 1


async def test_vacating_gives_everything_back_once(tmp_path: Path) -> None:
    """An undo may run again, too."""
    first = rows.host()
    async with rows.store_with(tmp_path, rows.zone(), rows.cluster(), first) as store:
        await store.write(lambda tx: place(tx, wish("web")))
        for _ in range(2):
            await store.write(lambda tx: vacate(tx, rows.uuid("web")))
            after = store.require(Host, first.uuid)
            assert (after.available_cpu_capacity, after.available_memory_capacity, after.vm_count) == (
                40,
                8 * GIB,
                0,
            )


async def test_a_host_never_promises_more_than_it_has(tmp_path: Path) -> None:
    """Eight GiB less the reserved one hold three VMs of two; the fourth is told the numbers."""
    async with rows.store_with(tmp_path, rows.zone(), rows.cluster(), rows.host()) as store:
        for name in ("a", "b", "c"):
            await store.write(partial(place, wish=wish(name, 2 * GIB)))
        with pytest.raises(InsufficientCapacity, match=f"{GIB} bytes of memory are free, {2 * GIB} are needed"):
            await store.write(lambda tx: place(tx, wish("d", 2 * GIB)))
        assert store.count(HostCharge) == 3


async def test_vms_spread_over_hosts(tmp_path: Path) -> None:
    """The emptiest host comes first."""
    hosts = [rows.host(f"host{n}") for n in range(3)]
    async with rows.store_with(tmp_path, rows.zone(), rows.cluster(), *hosts) as store:
        for n in range(6):
            await store.write(partial(place, wish=wish(f"vm{n}")))
        assert [store.require(Host, host.uuid).vm_count for host in hosts] == [2, 2, 2]


async def test_what_runs_is_charged_even_without_room(tmp_path: Path) -> None:
    """A host that came back with a running VM has it, whatever the sums say."""
    first = rows.host(available_memory_capacity=0)
    async with rows.store_with(tmp_path, rows.zone(), rows.cluster(), first) as store:
        held = await store.write(lambda tx: hold(tx, rows.uuid("web"), first.uuid, cpu=1, memory=GIB))
        assert held.available_memory_capacity == -GIB
