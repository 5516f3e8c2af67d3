"""Delete, recover and expunge an image, by the policy ``image.deletionPolicy``."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage.messages import RemoveFromBackupStorage
from zstack_appliance.cloud.image.messages import DeleteImage, ExpungeImage, RecoverImage, RemoveImage
from zstack_appliance.cloud.image.schema import Image, ImageBackupStorageRef, ImageStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.store import Tx


class DoomedImage(Context):
    """The image and its copies."""

    image: Image
    refs: tuple[ImageBackupStorageRef, ...]


EXPUNGE = Flow("image.expunge", DoomedImage, lambda: (
    Step("remove_copies", do=remove_copies, pivot=True),
    Step("forget", tx=forget),
))  # fmt: skip


async def delete(m: DeleteImage, cloud: Cloud) -> None:
    """Serve `DeleteImage`; one that is deleted already stays so."""
    copies = {ref.backup_storage_uuid for ref in await cloud.find(ImageBackupStorageRef, image_uuid=m.uuid)}
    if m.backup_storage_uuids and copies - set(m.backup_storage_uuids):
        raise Conflict("an image is deleted with all its copies; leave backupStorageUuids out", code="SYS.1004")
    await cloud.write(lambda tx: tx.update(tx.require(Image, m.uuid), status=ImageStatus.DELETED))
    if cloud.configs.text("image.deletionPolicy") == "Direct":
        await _expunge(m.uuid, cloud)


@handles(RecoverImage, queue=lambda m: Image.key(m.image_uuid))
async def recover(m: RecoverImage, cloud: Cloud) -> Image:
    """Serve `RecoverImage`."""
    _only_deleted(await cloud.get(Image, m.image_uuid))
    return await cloud.write(lambda tx: tx.update(tx.require(Image, m.image_uuid), status=ImageStatus.READY))


@handles(ExpungeImage, queue=lambda m: Image.key(m.image_uuid))
async def expunge(m: ExpungeImage, cloud: Cloud) -> None:
    """Serve `ExpungeImage`."""
    _only_deleted(await cloud.get(Image, m.image_uuid))
    await _expunge(m.image_uuid, cloud)


@handles(RemoveImage, queue=lambda m: Image.key(m.image_uuid))
async def remove_for_good(m: RemoveImage, cloud: Cloud) -> None:
    """Serve `RemoveImage`."""
    if cloud.store.get(Image, m.image_uuid) is not None:
        await _expunge(m.image_uuid, cloud)


async def _expunge(uuid: str, cloud: Cloud) -> None:
    refs = tuple(await cloud.find(ImageBackupStorageRef, image_uuid=uuid))
    await cloud.run(EXPUNGE, DoomedImage(image=await cloud.get(Image, uuid), refs=refs))


def _only_deleted(image: Image) -> None:
    if image.status is not ImageStatus.DELETED:
        raise Conflict(f"image[{image.name}] is {image.status.value}; only a Deleted one can be recovered or expunged")


async def remove_copies(d: DoomedImage, cloud: Cloud) -> None:
    """Have no copy of the image on any backup storage."""
    for ref in d.refs:
        await cloud.call(RemoveFromBackupStorage(backup_storage_uuid=ref.backup_storage_uuid, image_uuid=d.image.uuid))


def forget(tx: Tx, d: DoomedImage) -> None:
    """Delete the rows. What VMs and volumes say of their image is cleared; their disks stand on the cache."""
    remove(tx, Image, d.image.uuid)
