"""Compare the files on backup storages with the records."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.backup_storage.service import driver_of
from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, differences
from zstack_appliance.cloud.image.schema import ImageBackupStorageRef, ImageStatus
from zstack_appliance.kernel.cloud import Cloud


async def inspect(hook: InspectHost, cloud: Cloud) -> tuple[HostLeftover, ...]:
    """Images too many and too few. One that is deleted, but not expunged yet, still has its row."""
    rows: list[HostLeftover] = []
    for storage in await cloud.find(BackupStorage, host_uuid=hook.host.uuid):
        if cloud.store.missing_plugin(storage):
            continue  # Only its plugin could say what is there.
        found = {image.image_uuid for image in await driver_of(storage, cloud).images()}
        refs = await cloud.find(ImageBackupStorageRef, backup_storage_uuid=storage.uuid)
        ready = {ref.image_uuid for ref in refs if ref.status is ImageStatus.READY}
        rows += differences("image", found - {ref.image_uuid for ref in refs}, ready - found)
    return tuple(rows)
