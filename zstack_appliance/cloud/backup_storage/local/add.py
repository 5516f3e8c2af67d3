"""Add a local backup storage: a folder of one host."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage.messages import AddLocalBackupStorage, ReconnectBackupStorage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.primary_storage.schema import StorageStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import Tagging, attach, draft_tags

TYPE = "LocalBackupStorage"


class NewStorage(Context):
    """The storage as it will be."""

    storage: BackupStorage
    tags: Tagging


ADD = Flow("backup_storage.local.add", NewStorage, lambda: (
    Step("record", tx=record, undo_tx=forget),
    Step("connect", do=connect, keeps="an empty folder may stay; it belongs to whoever named it"),
))  # fmt: skip


@handles(AddLocalBackupStorage)
async def add_local(m: AddLocalBackupStorage, cloud: Cloud) -> BackupStorage:
    """Serve `AddLocalBackupStorage`."""
    storage = cloud.draft(
        BackupStorage,
        m,
        type=TYPE,
        state=OnOff.ENABLED,
        status=StorageStatus.CONNECTING,
        total_capacity=0,
        available_capacity=0,
    )
    done = await cloud.run(ADD, NewStorage(storage=storage, tags=draft_tags(m, storage, cloud)))
    return await cloud.get(BackupStorage, done.storage.uuid)


def record(tx: Tx, d: NewStorage) -> None:
    """Write the storage down."""
    d.storage = tx.insert(d.storage)
    attach(tx, d.tags)


def forget(tx: Tx, d: NewStorage) -> None:
    """Undo `record`."""
    remove(tx, BackupStorage, d.storage.uuid)


async def connect(d: NewStorage, cloud: Cloud) -> None:
    """Have the folder made and measured."""
    await cloud.call(ReconnectBackupStorage(uuid=d.storage.uuid))
