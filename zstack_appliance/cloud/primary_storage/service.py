"""Primary storages at work: which driver serves one, and what is there to be had."""

from __future__ import annotations

from typing import cast

from zstack_appliance.cloud.host.messages import HostChannel, HostLeaving, PrepareHost
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.primary_storage.driver import PrimaryStorageDriver
from zstack_appliance.cloud.primary_storage.messages import (
    AttachPrimaryStorageToCluster,
    ChangePrimaryStorageState,
    DetachPrimaryStorageFromCluster,
    DropHostShare,
    LeaveCluster,
    ReconnectPrimaryStorage,
)
from zstack_appliance.cloud.primary_storage.schema import (
    LocalStorageHostRef,
    PrimaryStorage,
    PrimaryStorageClusterRef,
    PrimaryStorageState,
    SpaceCharge,
    StorageStatus,
)
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.message import StateEvent
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx


def driver_of(storage: PrimaryStorage, host_uuid: str, cloud: Cloud) -> PrimaryStorageDriver:
    """The driver of a primary storage, as one host reaches it."""
    make = cloud.driver(PrimaryStorageDriver, storage.type)
    return cast("PrimaryStorageDriver", make(HostChannel(cloud, host_uuid), storage.url))


@handles(AttachPrimaryStorageToCluster, queue=lambda m: PrimaryStorage.key(m.primary_storage_uuid))
async def attach(m: AttachPrimaryStorageToCluster, cloud: Cloud) -> PrimaryStorage:
    """Serve `AttachPrimaryStorageToCluster`: every connected host of the cluster gets it ready."""
    storage = await cloud.get(PrimaryStorage, m.primary_storage_uuid)
    for host in await cloud.find(Host, cluster_uuid=m.cluster_uuid, status=HostStatus.CONNECTED):
        await connect_on(storage, host, cloud)

    def commit(tx: Tx) -> PrimaryStorage:
        found = {"primary_storage_uuid": storage.uuid, "cluster_uuid": m.cluster_uuid}
        if not tx.find(PrimaryStorageClusterRef, **found):
            ref = PrimaryStorageClusterRef(uuid=ref_uuid, create_date=tx.now, last_op_date=tx.now, **found)
            tx.insert(ref)
        return tx.update(tx.require(PrimaryStorage, storage.uuid), status=StorageStatus.CONNECTED)

    ref_uuid = cloud.entropy.uuid()
    return await cloud.write(commit)


@handles(DetachPrimaryStorageFromCluster, queue=lambda m: PrimaryStorage.key(m.primary_storage_uuid))
async def detach(m: DetachPrimaryStorageFromCluster, cloud: Cloud) -> PrimaryStorage:
    """Serve `DetachPrimaryStorageFromCluster`."""

    def commit(tx: Tx) -> PrimaryStorage:
        storage = tx.require(PrimaryStorage, m.primary_storage_uuid)
        hosts = {host.uuid for host in tx.find(Host, cluster_uuid=m.cluster_uuid)}
        used = [v for v in tx.find(Volume, primary_storage_uuid=storage.uuid) if v.host_uuid in hosts]
        if used:
            raise Conflict(
                f"primary storage[{storage.name}] still holds {len(used)} volumes of the cluster, "
                f"the first is volume[{used[0].name}]; delete or move them first",
                code="PS.1002",
            )
        for ref in tx.find(PrimaryStorageClusterRef, primary_storage_uuid=storage.uuid, cluster_uuid=m.cluster_uuid):
            tx.delete(PrimaryStorageClusterRef, ref.uuid)
        for host_uuid in hosts:
            _drop_share(tx, storage.uuid, host_uuid)
        return sum_up(tx, storage.uuid)

    return await cloud.write(commit)


@handles(LeaveCluster)
async def leave(m: LeaveCluster, cloud: Cloud) -> None:
    """Serve `LeaveCluster`. Volumes that lie there keep their storage; their hosts go with the cluster."""

    def commit(tx: Tx) -> None:
        found = {"primary_storage_uuid": m.primary_storage_uuid, "cluster_uuid": m.cluster_uuid}
        for ref in tx.find(PrimaryStorageClusterRef, **found):
            tx.delete(ref)

    await cloud.write(commit)


@handles(DropHostShare)
async def drop_share(m: DropHostShare, cloud: Cloud) -> None:
    """Serve `DropHostShare`."""

    def commit(tx: Tx) -> None:
        _drop_share(tx, m.primary_storage_uuid, m.host_uuid)
        sum_up(tx, m.primary_storage_uuid)

    await cloud.write(commit)


@handles(ReconnectPrimaryStorage, queue=lambda m: PrimaryStorage.key(m.uuid))
async def reconnect(m: ReconnectPrimaryStorage, cloud: Cloud) -> PrimaryStorage:
    """Serve `ReconnectPrimaryStorage`."""
    storage = await cloud.get(PrimaryStorage, m.uuid)
    for ref in await cloud.find(PrimaryStorageClusterRef, primary_storage_uuid=storage.uuid):
        for host in await cloud.find(Host, cluster_uuid=ref.cluster_uuid, status=HostStatus.CONNECTED):
            await connect_on(storage, host, cloud)
    return await cloud.get(PrimaryStorage, m.uuid)


@handles(ChangePrimaryStorageState, queue=lambda m: PrimaryStorage.key(m.uuid))
async def change_state(m: ChangePrimaryStorageState, cloud: Cloud) -> PrimaryStorage:
    """Serve `ChangePrimaryStorageState`."""
    enabled = m.state_event is StateEvent.ENABLE
    state = PrimaryStorageState.ENABLED if enabled else PrimaryStorageState.DISABLED
    return await cloud.write(lambda tx: tx.update(tx.require(PrimaryStorage, m.uuid), state=state))


async def on_prepare_host(hook: PrepareHost, cloud: Cloud) -> None:
    """A host is being connected: make ready the storages that serve its cluster."""
    for ref in await cloud.find(PrimaryStorageClusterRef, cluster_uuid=hook.host.cluster_uuid):
        storage = await cloud.get(PrimaryStorage, ref.primary_storage_uuid)
        # One whose plugin is missing waits for it; the host is ready for all others.
        if storage.state is not PrimaryStorageState.MAINTENANCE and not cloud.store.missing_plugin(storage):
            await connect_on(storage, hook.host, cloud)


async def on_host_leaving(hook: HostLeaving, cloud: Cloud) -> None:
    """A host is taken back: it has no share in any storage."""

    def commit(tx: Tx) -> None:
        for share in tx.find(LocalStorageHostRef, host_uuid=hook.host.uuid):
            tx.delete(LocalStorageHostRef, share.uuid)
            sum_up(tx, share.primary_storage_uuid)

    await cloud.write(commit)


async def connect_on(storage: PrimaryStorage, host: Host, cloud: Cloud) -> None:
    """Have a storage ready on a host, and write down the host's share."""
    space = await driver_of(storage, host.uuid, cloud).connect()
    ref_uuid = cloud.entropy.uuid()
    await cloud.write(lambda tx: measure(tx, ref_uuid, storage.uuid, host.uuid, space))


def measure(tx: Tx, ref_uuid: str, storage_uuid: str, host_uuid: str, space: Space) -> PrimaryStorage:
    """Write down a host's share and the storage's sums.

    What may still be promised is what the file system has free, less what is promised to volumes already.
    Bytes that those volumes take by now are so counted twice: the sum errs on the safe side.
    """
    charges = tx.find(SpaceCharge, primary_storage_uuid=storage_uuid, host_uuid=host_uuid)
    values = {
        "total_capacity": space.total,
        "available_capacity": space.available - sum(charge.size for charge in charges),
        "total_physical_capacity": space.total,
        "available_physical_capacity": space.available,
    }
    shares = tx.find(LocalStorageHostRef, primary_storage_uuid=storage_uuid, host_uuid=host_uuid)
    if shares:
        tx.update(shares[0], **values)
    else:
        tx.insert(
            LocalStorageHostRef(
                uuid=ref_uuid,
                create_date=tx.now,
                last_op_date=tx.now,
                primary_storage_uuid=storage_uuid,
                host_uuid=host_uuid,
                **values,
            )
        )
    return sum_up(tx, storage_uuid)


def sum_up(tx: Tx, storage_uuid: str) -> PrimaryStorage:
    """Have a storage's capacity be the sum of its hosts' shares."""
    shares = tx.find(LocalStorageHostRef, primary_storage_uuid=storage_uuid)
    return tx.update(
        tx.require(PrimaryStorage, storage_uuid),
        total_capacity=sum(share.total_capacity for share in shares),
        available_capacity=sum(share.available_capacity for share in shares),
        total_physical_capacity=sum(share.total_physical_capacity for share in shares),
        available_physical_capacity=sum(share.available_physical_capacity for share in shares),
    )


def _drop_share(tx: Tx, storage_uuid: str, host_uuid: str) -> None:
    for share in tx.find(LocalStorageHostRef, primary_storage_uuid=storage_uuid, host_uuid=host_uuid):
        tx.delete(LocalStorageHostRef, share.uuid)
