"""Where a local backup storage keeps an image: paths made of its root and of uuids, nothing else."""

from __future__ import annotations

from pathlib import Path

from zstack_appliance.cloud.backup_storage.driver import ImageFormat
from zstack_appliance.hostkit.files import storage_root, uuid_part

FACTS = "image.json"
"""The file beside an image that holds its `StoredImage`."""


def images_folder(root: str) -> Path:
    """The folder of all images."""
    return storage_root(root) / "images"


def image_folder(root: str, image_uuid: str) -> Path:
    """The folder of one image."""
    return images_folder(root) / uuid_part(image_uuid)


def image_file(root: str, image_uuid: str, kind: ImageFormat) -> Path:
    """The image itself."""
    return image_folder(root, image_uuid) / f"{image_uuid}.{kind}"
