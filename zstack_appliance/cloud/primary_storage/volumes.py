"""Volumes' bits on primary storages, and the cached images that linked clones stand on."""

from __future__ import annotations

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.image.schema import Image, ImageBackupStorageRef, ImageStatus
from zstack_appliance.cloud.primary_storage.driver import CachedImage, ImageSource, VolumeBits
from zstack_appliance.cloud.primary_storage.messages import CacheImage, InstantiateRootVolume, RemoveVolumeBits
from zstack_appliance.cloud.primary_storage.schema import ImageCache, PrimaryStorage
from zstack_appliance.cloud.primary_storage.service import driver_of
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.store import Tx


@handles(InstantiateRootVolume)
async def instantiate_root(m: InstantiateRootVolume, cloud: Cloud) -> VolumeBits:
    """Serve `InstantiateRootVolume`."""
    volume = await cloud.get(Volume, m.volume_uuid)
    storage_uuid, host_uuid = place_of(volume)
    image_uuid = volume.root_image_uuid or ""
    await cloud.call(CacheImage(primary_storage_uuid=storage_uuid, host_uuid=host_uuid, image_uuid=image_uuid))
    driver = driver_of(await cloud.get(PrimaryStorage, storage_uuid), host_uuid, cloud)
    return await driver.create_root_volume(volume.uuid, image_uuid, volume.size)


@handles(RemoveVolumeBits)
async def remove_bits(m: RemoveVolumeBits, cloud: Cloud) -> None:
    """Serve `RemoveVolumeBits`."""
    volume = await cloud.get(Volume, m.volume_uuid)
    if volume.host_uuid is None:
        return  # It was never placed, or the host that it lay on has been deleted.
    storage_uuid, host_uuid = place_of(volume)
    driver = driver_of(await cloud.get(PrimaryStorage, storage_uuid), host_uuid, cloud)
    await driver.delete_volume(volume.uuid, volume.type.value)


def place_of(volume: Volume) -> tuple[str, str]:
    """The primary storage and the host that a volume has been placed on.

    Raises:
        Conflict: it has not been placed yet.
    """
    if volume.primary_storage_uuid is None or volume.host_uuid is None:
        raise Conflict(f"volume[{volume.name}] has no place on any primary storage yet")
    return volume.primary_storage_uuid, volume.host_uuid


def _cache_key(m: CacheImage) -> Key:
    return Key("image_cache", f"{m.primary_storage_uuid}/{m.host_uuid}/{m.image_uuid}")


@handles(CacheImage, queue=_cache_key)
async def cache_image(m: CacheImage, cloud: Cloud) -> None:
    """Serve `CacheImage`. The first VM of an image fetches it; those that come meanwhile wait for it."""
    place = {"primary_storage_uuid": m.primary_storage_uuid, "host_uuid": m.host_uuid, "image_uuid": m.image_uuid}
    if cloud.store.find(ImageCache, **place):
        return
    image = await cloud.get(Image, m.image_uuid)
    storage = await cloud.get(PrimaryStorage, m.primary_storage_uuid)
    source = await source_of(image, cloud)
    cached = await driver_of(storage, m.host_uuid, cloud).fill_cache(source)
    uuid = cloud.entropy.uuid()
    await cloud.write(lambda tx: _record_cache(tx, uuid, m, image, cached))


async def source_of(image: Image, cloud: Cloud) -> ImageSource:
    """A Ready copy of the image on a backup storage.

    Raises:
        Conflict: there is none.
    """
    for ref in await cloud.find(ImageBackupStorageRef, image_uuid=image.uuid, status=ImageStatus.READY):
        storage = cloud.store.get(BackupStorage, ref.backup_storage_uuid)
        if storage is not None and ref.sha256:
            return ImageSource(
                image_uuid=image.uuid,
                format=image.format,  # type: ignore[arg-type]
                path=ref.install_path,
                virtual_size=image.size,
                sha256=ref.sha256,
            )
    raise Conflict(f"image[{image.name}] has no copy on any backup storage; add it again", code="BS.1003")


def _record_cache(tx: Tx, uuid: str, m: CacheImage, image: Image, cached: CachedImage) -> None:
    tx.insert(
        ImageCache(
            uuid=uuid,
            create_date=tx.now,
            last_op_date=tx.now,
            primary_storage_uuid=m.primary_storage_uuid,
            host_uuid=m.host_uuid,
            image_uuid=m.image_uuid,
            install_url=cached.install_path,
            media_type=image.media_type.value,
            size=cached.actual_size,
            md5sum=image.md5_sum or "",
            state="ready",
        )
    )
