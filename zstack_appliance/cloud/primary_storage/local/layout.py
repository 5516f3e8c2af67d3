"""Where a local primary storage keeps things: paths made of its root and of uuids, nothing else."""

from __future__ import annotations

from pathlib import Path

from zstack_appliance.cloud.primary_storage.driver import ImageFormat, VolumeKind
from zstack_appliance.hostkit.files import storage_root, uuid_part

FACTS = "image.json"
"""The file beside a cached image that holds its `CachedImage`."""

_VOLUMES: dict[VolumeKind, str] = {"Root": "rootVolumes", "Data": "dataVolumes"}


def cache(root: str) -> Path:
    """The folder of all cached images."""
    return storage_root(root) / "imagecache"


def cached_folder(root: str, image_uuid: str) -> Path:
    """The folder of one cached image."""
    return cache(root) / uuid_part(image_uuid)


def cached_file(root: str, image_uuid: str, kind: ImageFormat) -> Path:
    """The cached image itself."""
    return cached_folder(root, image_uuid) / f"{image_uuid}.{kind}"


def volumes(root: str, kind: VolumeKind) -> Path:
    """The folder of all volumes of a kind."""
    return storage_root(root) / _VOLUMES[kind]


def volume_folder(root: str, volume_uuid: str, kind: VolumeKind) -> Path:
    """The folder of one volume, which its snapshots share."""
    return volumes(root, kind) / uuid_part(volume_uuid)


def volume_file(root: str, volume_uuid: str, kind: VolumeKind) -> Path:
    """The volume itself."""
    return volume_folder(root, volume_uuid, kind) / f"{volume_uuid}.qcow2"
