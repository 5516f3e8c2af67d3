"""Add a local primary storage."""

from __future__ import annotations

from pathlib import PurePosixPath

from zstack_appliance.cloud.primary_storage.messages import AddLocalPrimaryStorage
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage, PrimaryStorageState, StorageStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach, draft_tags

TYPE = "LocalStorage"


@handles(AddLocalPrimaryStorage)
async def add_local(m: AddLocalPrimaryStorage, cloud: Cloud) -> PrimaryStorage:
    """Serve `AddLocalPrimaryStorage`. It has no room until it is attached to a cluster with hosts."""
    refuse(folder_fault(m.url))
    storage = cloud.draft(
        PrimaryStorage,
        m,
        type=TYPE,
        mount_path=m.url,
        state=PrimaryStorageState.ENABLED,
        status=StorageStatus.CONNECTED,
        total_capacity=0,
        available_capacity=0,
        total_physical_capacity=0,
        available_physical_capacity=0,
        system_used_capacity=0,
    )
    tagging = draft_tags(m, storage, cloud)

    def commit(tx: Tx) -> PrimaryStorage:
        row = tx.insert(storage)
        attach(tx, tagging)
        return row

    return await cloud.write(commit)


def folder_fault(url: str) -> Fault | None:
    """A local storage is a folder: an absolute path without ``..``, and not the file system's root."""
    path = PurePosixPath(url)
    if path.is_absolute() and ".." not in path.parts and len(path.parts) > 1:
        return None
    return Fault("url", f"url[{url}] must be an absolute folder path such as /var/lib/zstack-appliance/primary")
