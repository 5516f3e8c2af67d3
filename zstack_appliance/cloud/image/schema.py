"""What is stored of an image, and where its copies are."""

from __future__ import annotations

import enum
from typing import Annotated

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.kernel.schema import (
    DELETE,
    HIDDEN,
    ByteSize,
    Embed,
    OnOff,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)


class ImageStatus(enum.Enum):
    """Where an image is on its way."""

    CREATING = "Creating"
    DOWNLOADING = "Downloading"
    READY = "Ready"
    DELETED = "Deleted"
    ERROR = "Error"


KEPT = tuple(status for status in ImageStatus if status is not ImageStatus.DELETED)
"""What counts against quotas."""


class MediaType(enum.Enum):
    """What an image holds."""

    ROOT_VOLUME_TEMPLATE = "RootVolumeTemplate"
    DATA_VOLUME_TEMPLATE = "DataVolumeTemplate"
    ISO = "ISO"


@resource(
    wire="org.zstack.header.image",
    path="/images",
    owned=True,
    shareable=True,
    aliases={"backupStorage": "backupStorageRef.backupStorage"},
)
class Image(Resource, frozen=True, kw_only=True):
    """A disk that VMs begin as. `size` is what a guest sees, `actual_size` what the file takes."""

    state: OnOff
    status: ImageStatus
    size: ByteSize
    actual_size: ByteSize
    media_type: MediaType
    platform: str
    format: str
    type: str
    url: str
    system: bool
    virtio: bool
    md5_sum: str | None = None
    guest_os_type: str | None = None
    architecture: str | None = None


@resource(
    wire="org.zstack.header.image",
    path="/images/backup-storage-refs",
    unique=(("image_uuid", "backup_storage_uuid"),),
)
class ImageBackupStorageRef(Record, frozen=True, kw_only=True):
    """An image's copy on one backup storage."""

    image_uuid: Annotated[
        Uuid,
        Ref(
            Image,
            back="backupStorageRef",
            on_delete=DELETE,
            hidden=True,
            owner=True,
            embed=Embed(name="backupStorageRefs"),
        ),
    ]
    backup_storage_uuid: Annotated[Uuid, Ref(BackupStorage, back="imageRef", on_delete=DELETE, hidden=True)]
    install_path: str
    status: ImageStatus
    sha256: Annotated[str | None, HIDDEN] = None
    """Of the file, measured when it was fetched; every copy of it is held against this."""
