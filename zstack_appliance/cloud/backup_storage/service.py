"""Backup storages at work: attach, connect, fetch into them, remove from them."""

from __future__ import annotations

from typing import cast

from zstack_appliance.cloud.backup_storage.driver import BackupStorageDriver, FetchPolicy, StoredImage
from zstack_appliance.cloud.backup_storage.messages import (
    AttachBackupStorageToZone,
    DetachBackupStorageFromZone,
    FetchToBackupStorage,
    ReconnectBackupStorage,
    RemoveFromBackupStorage,
)
from zstack_appliance.cloud.backup_storage.schema import BackupStorage, BackupStorageZoneRef
from zstack_appliance.cloud.host.messages import HostChannel, HostConnected, HostLost
from zstack_appliance.cloud.l3_network.schema import IpRange
from zstack_appliance.cloud.primary_storage.schema import StorageStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.errors import CloudError, Conflict, InsufficientCapacity
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx


def driver_of(storage: BackupStorage, cloud: Cloud) -> BackupStorageDriver:
    """The driver of a backup storage.

    Raises:
        Conflict: its host has been deleted by force.
    """
    if storage.host_uuid is None:
        raise Conflict(f"backup storage[{storage.name}] lay on a host that has been deleted; delete the storage too")
    make = cloud.driver(BackupStorageDriver, storage.type)
    return cast("BackupStorageDriver", make(HostChannel(cloud, storage.host_uuid), storage.url))


@handles(AttachBackupStorageToZone, queue=lambda m: BackupStorage.key(m.backup_storage_uuid))
async def attach(m: AttachBackupStorageToZone, cloud: Cloud) -> BackupStorage:
    """Serve `AttachBackupStorageToZone`."""
    uuid = cloud.entropy.uuid()
    found = {"backup_storage_uuid": m.backup_storage_uuid, "zone_uuid": m.zone_uuid}

    def commit(tx: Tx) -> BackupStorage:
        if not tx.find(BackupStorageZoneRef, **found):
            tx.insert(BackupStorageZoneRef(uuid=uuid, create_date=tx.now, last_op_date=tx.now, **found))
        return tx.require(BackupStorage, m.backup_storage_uuid)

    return await cloud.write(commit)


@handles(DetachBackupStorageFromZone, queue=lambda m: BackupStorage.key(m.backup_storage_uuid))
async def detach(m: DetachBackupStorageFromZone, cloud: Cloud) -> BackupStorage:
    """Serve `DetachBackupStorageFromZone`."""

    def commit(tx: Tx) -> BackupStorage:
        for ref in tx.find(BackupStorageZoneRef, backup_storage_uuid=m.backup_storage_uuid, zone_uuid=m.zone_uuid):
            tx.delete(BackupStorageZoneRef, ref.uuid)
        return tx.require(BackupStorage, m.backup_storage_uuid)

    return await cloud.write(commit)


@handles(ReconnectBackupStorage, queue=lambda m: BackupStorage.key(m.uuid))
async def reconnect(m: ReconnectBackupStorage, cloud: Cloud) -> BackupStorage:
    """Serve `ReconnectBackupStorage`."""
    storage = await cloud.get(BackupStorage, m.uuid)
    try:
        space = await driver_of(storage, cloud).connect()
    except CloudError:
        await _set_status(storage.uuid, StorageStatus.DISCONNECTED, cloud)
        raise
    return await cloud.write(
        lambda tx: tx.update(
            tx.require(BackupStorage, storage.uuid),
            status=StorageStatus.CONNECTED,
            total_capacity=space.total,
            available_capacity=space.available,
        )
    )


async def on_host_connected(event: HostConnected, cloud: Cloud) -> None:
    """The host that reaches a storage is back."""
    for storage in await cloud.find(BackupStorage, host_uuid=event.host.uuid):
        if cloud.store.missing_plugin(storage):
            await _set_status(storage.uuid, StorageStatus.DISCONNECTED, cloud)
            continue
        await cloud.call(ReconnectBackupStorage(uuid=storage.uuid))


async def on_host_lost(event: HostLost, cloud: Cloud) -> None:
    """The host that reaches a storage does not answer."""
    for storage in await cloud.find(BackupStorage, host_uuid=event.host.uuid):
        await _set_status(storage.uuid, StorageStatus.DISCONNECTED, cloud)


@handles(FetchToBackupStorage)
async def fetch(m: FetchToBackupStorage, cloud: Cloud) -> StoredImage:
    """Serve `FetchToBackupStorage`."""
    storage = await cloud.get(BackupStorage, m.backup_storage_uuid)
    if storage.status is not StorageStatus.CONNECTED:
        raise Conflict(
            f"backup storage[{storage.name}] is {storage.status.value}; it must be Connected", code="BS.1000"
        )
    free = (await driver_of(storage, cloud).connect()).available
    reserved = cloud.configs_of(storage).number("backupStorage.reservedCapacity")
    if free <= reserved:
        raise InsufficientCapacity(
            f"backup storage[{storage.name}] has {free} bytes free and keeps {reserved} of them;"
            " expunge deleted images, or use another one",
            code="BS.1000",
        )
    networks = [ip_range.network_cidr for ip_range in await cloud.find(IpRange)]
    return await driver_of(storage, cloud).fetch(
        m.image_uuid,
        m.url,
        m.format,  # type: ignore[arg-type]
        policy=policy_of(cloud.configs, networks),
        report=m.report,
    )


def policy_of(configs: Configs, networks: list[str]) -> FetchPolicy:
    """What images may be fetched from, as the administrator has it."""
    return FetchPolicy(
        directories=tuple(_items(configs.text("image.download.localPath.directories"))),
        allowed=tuple(_items(configs.text("image.download.allowed"))),
        own_networks=tuple(sorted(set(networks))),
    )


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(";") if item.strip()]


@handles(RemoveFromBackupStorage)
async def remove(m: RemoveFromBackupStorage, cloud: Cloud) -> None:
    """Serve `RemoveFromBackupStorage`."""
    storage = cloud.store.get(BackupStorage, m.backup_storage_uuid)
    # Whoever removes an image cannot turn back: a copy that is out of reach for good must not hold the image.
    if storage is not None and storage.host_uuid is not None:
        await driver_of(storage, cloud).delete(m.image_uuid)


async def _set_status(uuid: str, status: StorageStatus, cloud: Cloud) -> None:
    await cloud.write(lambda tx: tx.update(tx.require(BackupStorage, uuid), status=status))
