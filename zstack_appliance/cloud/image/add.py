"""Add an image: fetch it to each backup storage that was named; one copy suffices."""

from __future__ import annotations

import trio

from zstack_appliance.cloud.backup_storage.driver import StoredImage
from zstack_appliance.cloud.backup_storage.messages import FetchToBackupStorage, RemoveFromBackupStorage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.image.messages import AddImage
from zstack_appliance.cloud.image.schema import Image, ImageBackupStorageRef, ImageStatus, MediaType
from zstack_appliance.cloud.primary_storage.schema import StorageStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError, Conflict
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import Tagging, attach, draft_tags


class NewImage(Context):
    """The image as it will be, and what each backup storage got."""

    image: Image
    refs: tuple[ImageBackupStorageRef, ...]
    tags: Tagging
    stored: dict[str, StoredImage] = {}


ADD = Flow("image.add", NewImage, lambda: (
    Step("record", tx=record, undo_tx=forget),
    Step("fetch", do=fetch, undo=remove_copies),
    Step("settle", tx=settle, keeps="`record` takes the rows back"),
))  # fmt: skip


@handles(AddImage, queue=lambda m: Image.key(m.resource_uuid))
async def add(m: AddImage, cloud: Cloud) -> Image:
    """Serve `AddImage`."""
    storages = [await cloud.get(BackupStorage, uuid) for uuid in dict.fromkeys(m.backup_storage_uuids)]
    usable = [s for s in storages if s.state is OnOff.ENABLED and s.status is StorageStatus.CONNECTED]
    if not usable:
        names = ", ".join(f"{s.name} ({s.state.value}, {s.status.value})" for s in storages)
        raise Conflict(f"no backup storage specified in uuids is Enabled and Connected: {names}")
    image = cloud.draft(
        Image,
        m,
        url=m.url if "://" in m.url or m.url.startswith("file:") else f"file://{m.url}",
        media_type=MediaType.ISO if m.format == "iso" else m.media_type,
        state=OnOff.ENABLED,
        status=ImageStatus.DOWNLOADING,
        size=0,
        actual_size=0,
    )
    refs = tuple(
        ImageBackupStorageRef(
            uuid=cloud.entropy.uuid(),
            create_date=image.create_date,
            last_op_date=image.last_op_date,
            image_uuid=image.uuid,
            backup_storage_uuid=storage.uuid,
            install_path="",
            status=ImageStatus.DOWNLOADING,
        )
        for storage in usable
    )
    return (await cloud.run(ADD, NewImage(image=image, refs=refs, tags=draft_tags(m, image, cloud)))).image


def record(tx: Tx, d: NewImage) -> None:
    """Write the image down, with one copy per backup storage to come."""
    d.image = tx.insert(d.image)
    attach(tx, d.tags)
    for ref in d.refs:
        tx.insert(ref)


def forget(tx: Tx, d: NewImage) -> None:
    """Undo `record`."""
    for ref in d.refs:
        tx.delete(ImageBackupStorageRef, ref.uuid)
    remove(tx, Image, d.image.uuid)


async def fetch(d: NewImage, cloud: Cloud) -> None:
    """Fetch to all backup storages at once.

    Raises:
        CloudError: none got it; the first one's reason is told.
    """
    stored: dict[str, StoredImage] = {}
    failures: list[CloudError] = []

    async def fetch_to(backup_storage_uuid: str) -> None:
        try:
            stored[backup_storage_uuid] = await cloud.call(
                FetchToBackupStorage(
                    backup_storage_uuid=backup_storage_uuid,
                    image_uuid=d.image.uuid,
                    url=d.image.url,
                    format=d.image.format,
                )
            )
        except CloudError as error:
            failures.append(error)

    async with trio.open_nursery() as nursery:
        for ref in d.refs:
            nursery.start_soon(fetch_to, ref.backup_storage_uuid)
    if not stored:
        raise Conflict(f"image[{d.image.name}] cannot be fetched: {failures[0]}", code="BS.1000") from failures[0]
    d.stored = stored


async def remove_copies(d: NewImage, cloud: Cloud) -> None:
    """Undo `fetch`."""
    for ref in d.refs:
        await cloud.call(RemoveFromBackupStorage(backup_storage_uuid=ref.backup_storage_uuid, image_uuid=d.image.uuid))


def settle(tx: Tx, d: NewImage) -> None:
    """Write down what was fetched; copies that failed are forgotten."""
    for ref in d.refs:
        got = d.stored.get(ref.backup_storage_uuid)
        row = tx.require(ImageBackupStorageRef, ref.uuid)
        if got is None:
            tx.delete(ImageBackupStorageRef, ref.uuid)
        else:
            tx.update(row, status=ImageStatus.READY, install_path=got.install_path, sha256=got.sha256)
    first = next(iter(d.stored.values()))
    d.image = tx.update(
        tx.require(Image, d.image.uuid),
        status=ImageStatus.READY,
        size=first.virtual_size,
        actual_size=first.actual_size,
        md5_sum=first.md5,
    )
