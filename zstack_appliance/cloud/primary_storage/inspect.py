"""Compare the files on primary storages with the records, as one host sees them."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, differences
from zstack_appliance.cloud.primary_storage.schema import ImageCache, PrimaryStorage, PrimaryStorageClusterRef
from zstack_appliance.cloud.primary_storage.service import driver_of
from zstack_appliance.cloud.volume.schema import Volume, VolumeStatus
from zstack_appliance.kernel.cloud import Cloud

_WITH_BITS = (VolumeStatus.READY, VolumeStatus.DELETED)
"""A deleted volume keeps its bits until it is expunged."""


async def inspect(hook: InspectHost, cloud: Cloud) -> tuple[HostLeftover, ...]:
    """Volumes and cached images too many and too few."""
    rows: list[HostLeftover] = []
    for ref in await cloud.find(PrimaryStorageClusterRef, cluster_uuid=hook.host.cluster_uuid):
        storage = await cloud.get(PrimaryStorage, ref.primary_storage_uuid)
        if not cloud.store.missing_plugin(storage):  # Only its plugin could say what is there.
            rows += await _of_storage(storage, hook.host.uuid, cloud)
    return tuple(rows)


async def _of_storage(storage: PrimaryStorage, host_uuid: str, cloud: Cloud) -> list[HostLeftover]:
    bits = await driver_of(storage, host_uuid, cloud).bits()
    place = {"primary_storage_uuid": storage.uuid, "host_uuid": host_uuid}
    volumes = await cloud.find(Volume, **place)
    found = {one.uuid for one in bits if one.kind != "Image"}
    whole = {one.uuid for one in bits if one.kind != "Image" and one.complete}
    known, complete = {row.uuid for row in volumes}, {row.uuid for row in volumes if row.status in _WITH_BITS}
    return [
        *differences("volume", found - known, complete - whole),
        *differences(
            "cached image",
            (one.uuid for one in bits if one.kind == "Image"),
            (row.image_uuid for row in await cloud.find(ImageCache, **place)),
        ),
    ]
