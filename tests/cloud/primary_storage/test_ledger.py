"""What primary storages have promised: in the sum and in the host's share, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cloud import rows
from zstack_appliance.cloud.primary_storage.ledger import VolumeWish, promise_space, return_space
from zstack_appliance.cloud.primary_storage.schema import LocalStorageHostRef, PrimaryStorage, SpaceCharge
from zstack_appliance.kernel.errors import InsufficientCapacity
from zstack_appliance.kernel.schema import Record

GIB = rows.GIB
HOST = rows.uuid("host1")


def cloud(*more: Record) -> tuple[Record, ...]:
    """A host with one storage."""
    base = (
        rows.zone(),
        rows.cluster(),
        rows.host(),
        rows.primary_storage(),
        rows.storage_on_cluster(),
        rows.share(),
    )
    return (*base, *more)


def wish(volume: str = "root", size: int = 10 * GIB, **changes: Any) -> VolumeWish:
    """A volume; the storage keeps 1 GiB free."""
    return VolumeWish(**{"volume_uuid": rows.uuid(volume), "size": size, "reserved": GIB, **changes})


async def test_space_is_promised_and_returned_once(tmp_path: Path) -> None:
    """Both the storage and the host's share are charged, and both get it back."""
    async with rows.store_with(tmp_path, *cloud()) as store:
        for _ in range(2):
            storage = await store.write(lambda tx: promise_space(tx, wish(), HOST))
            (share,) = store.find(LocalStorageHostRef)
            assert (store.require(PrimaryStorage, storage.uuid).available_capacity, share.available_capacity) == (
                90 * GIB,
                40 * GIB,
            )
        for _ in range(2):
            await store.write(lambda tx: return_space(tx, rows.uuid("root")))
            (share,) = store.find(LocalStorageHostRef)
            assert (store.require(PrimaryStorage, storage.uuid).available_capacity, share.available_capacity) == (
                100 * GIB,
                50 * GIB,
            )
        assert store.count(SpaceCharge) == 0


async def test_the_hosts_share_is_what_counts(tmp_path: Path) -> None:
    """100 GiB in all do not help a host that has 50 of them, one of which stays free."""
    async with rows.store_with(tmp_path, *cloud()) as store:
        with pytest.raises(InsufficientCapacity, match=f"{49 * GIB} bytes are free, {50 * GIB} are needed"):
            await store.write(lambda tx: promise_space(tx, wish(size=50 * GIB), HOST))


async def test_a_storage_that_is_not_attached_is_refused_by_name(tmp_path: Path) -> None:
    """Nobody has to guess which of the storages was meant to serve the host."""
    other = rows.primary_storage("ps2")
    async with rows.store_with(tmp_path, *cloud(other)) as store:
        with pytest.raises(InsufficientCapacity) as caught:
            await store.write(lambda tx: promise_space(tx, wish(primary_storage_uuid=other.uuid), HOST))
        reasons = {row["name"]: row["reason"] for row in caught.value.rejections}
        assert "not the one that was asked for" in reasons["ps1"]
        assert "not attached to the cluster" in reasons["ps2"]
