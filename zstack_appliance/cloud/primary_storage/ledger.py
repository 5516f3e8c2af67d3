"""What primary storages have promised to volumes. Functions on a transaction, for other folders' commits.

Primitives: `promise_space` (choose a primary storage that reaches a host, and charge it) and `return_space`.
Storage that is local to hosts is charged twice: in its sum, and in the share of the host.
"""

from __future__ import annotations

import math

import msgspec

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.primary_storage.schema import (
    LocalStorageHostRef,
    PrimaryStorage,
    PrimaryStorageClusterRef,
    PrimaryStorageState,
    SpaceCharge,
    StorageStatus,
)
from zstack_appliance.kernel.config import parse_fraction
from zstack_appliance.kernel.errors import InsufficientCapacity
from zstack_appliance.kernel.resource_config import ResourceConfig
from zstack_appliance.kernel.store import Reader, Tx
from zstack_appliance.kernel.tag import UserTag


class VolumeWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a volume needs: bytes, and perhaps one certain primary storage."""

    volume_uuid: str
    size: int
    reserved: int
    """Bytes that a primary storage keeps free (``primaryStorage.reservedCapacity``)."""
    ratio: float = 1.0
    """Bytes that a primary storage promises for each that it has (``mevoco.overProvisioning.primaryStorage``),
    unless it or its zone has a ratio of its own."""
    primary_storage_uuid: str | None = None
    user_tag: str | None = None
    """Primary storages that carry this user tag come first."""
    user_tag_required: bool = False
    """The others do not come at all."""


def promise_space(tx: Tx, wish: VolumeWish, host_uuid: str) -> PrimaryStorage:
    """Choose the primary storage with most room that serves the host's cluster, and charge it.

    Raises:
        InsufficientCapacity: none has room; the error lists each with the reason.
    """
    held = tx.get(SpaceCharge, wish.volume_uuid)
    if held is not None:
        return tx.require(PrimaryStorage, held.primary_storage_uuid)
    host = tx.require(Host, host_uuid)
    rejections: list[dict[str, str]] = []
    fitting: list[PrimaryStorage] = []
    for storage in tx.find(PrimaryStorage):
        reason = _bereft(tx, storage) or _rejection(tx, storage, wish, host)
        if reason is None:
            fitting.append(storage)
        else:
            rejections.append({"primaryStorage": storage.uuid, "name": storage.name, "reason": reason})
    if not fitting:
        first = rejections[0]["reason"] if rejections else "no primary storage exists; add one"
        raise InsufficientCapacity(
            f"no primary storage takes the volume of {wish.size} bytes: {first}",
            rejections=tuple(rejections),
            code="PS.1000",
        )
    storage = max(fitting, key=lambda each: (_has_tag(tx, each, wish), each.available_capacity))
    size = _cost(tx, storage, wish)
    _charge(tx, storage.uuid, host.uuid, size)
    tx.insert(
        SpaceCharge(
            uuid=wish.volume_uuid,
            create_date=tx.now,
            last_op_date=tx.now,
            primary_storage_uuid=storage.uuid,
            host_uuid=host.uuid,
            size=size,
        )
    )
    return storage


def survey_space(rows: Reader, wish: VolumeWish, host_uuid: str) -> list[tuple[PrimaryStorage, str]]:
    """Every primary storage with the reason why it does not take the volume, empty where it does; none is charged."""
    host = rows.require(Host, host_uuid)
    return [
        (storage, _bereft(rows, storage) or _rejection(rows, storage, wish, host) or "")
        for storage in rows.find(PrimaryStorage)
    ]


def return_space(tx: Tx, volume_uuid: str) -> None:
    """Give back what a volume holds; one that holds nothing is no error."""
    held = tx.get(SpaceCharge, volume_uuid)
    if held is not None:
        _charge(tx, held.primary_storage_uuid, held.host_uuid, -held.size)
        tx.delete(SpaceCharge, held.uuid)


def _bereft(tx: Reader, storage: PrimaryStorage) -> str | None:
    plugin = tx.missing_plugin(storage)
    return None if plugin is None else f"the plugin {plugin}, which brought its type, is missing"


def _rejection(tx: Reader, storage: PrimaryStorage, wish: VolumeWish, host: Host) -> str | None:
    if wish.primary_storage_uuid not in (None, storage.uuid):
        return "it is not the one that was asked for"
    if wish.user_tag_required and not _has_tag(tx, storage, wish):
        return f"it has no user tag[{wish.user_tag}]"
    if (storage.state, storage.status) != (PrimaryStorageState.ENABLED, StorageStatus.CONNECTED):
        return f"it is {storage.state.value} and {storage.status.value}; it must be Enabled and Connected"
    if not tx.find(PrimaryStorageClusterRef, primary_storage_uuid=storage.uuid, cluster_uuid=host.cluster_uuid):
        return f"it is not attached to the cluster of host[{host.name}]"
    share = _share(tx, storage.uuid, host.uuid)
    free = storage.available_capacity if share is None else share.available_capacity
    needed = _cost(tx, storage, wish)
    if free - wish.reserved < needed:
        return f"{max(free - wish.reserved, 0)} bytes are free, {needed} are needed"
    return None


def _has_tag(tx: Reader, storage: PrimaryStorage, wish: VolumeWish) -> bool:
    return wish.user_tag is not None and bool(tx.find(UserTag, resource_uuid=storage.uuid, tag=wish.user_tag))


def _cost(tx: Reader, storage: PrimaryStorage, wish: VolumeWish) -> int:
    """Bytes of its capacity that a storage spends on the volume."""
    ratio = wish.ratio
    for uuid in (storage.zone_uuid, storage.uuid):
        for row in tx.find(
            ResourceConfig, resource_uuid=uuid, category="mevoco", name="overProvisioning.primaryStorage"
        ):
            ratio = parse_fraction(row.value) or ratio
    return wish.size if ratio == 1 else math.ceil(wish.size / ratio)


def _share(tx: Reader, storage_uuid: str, host_uuid: str) -> LocalStorageHostRef | None:
    found = tx.find(LocalStorageHostRef, primary_storage_uuid=storage_uuid, host_uuid=host_uuid)
    return found[0] if found else None


def _charge(tx: Tx, storage_uuid: str, host_uuid: str, size: int) -> None:
    storage = tx.get(PrimaryStorage, storage_uuid)
    if storage is not None:
        tx.update(storage, available_capacity=storage.available_capacity - size)
    share = _share(tx, storage_uuid, host_uuid)
    if share is not None:
        tx.update(share, available_capacity=share.available_capacity - size)
