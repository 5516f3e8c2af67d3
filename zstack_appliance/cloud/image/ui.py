"""How images are shown."""

from __future__ import annotations

from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Image,
        many="Images",
        place=("Compute", 2),
        icon="layers",
        key="i",
        columns=("name", "status", "state", "mediaType", "platform", "format", "size", "createDate"),
        inputs=("name", "url", "backupStorageUuids", "format", "mediaType", "platform", "description"),
        when={
            "RecoverImage": ("Deleted",),
            "ExpungeImage": ("Deleted",),
        },
        note="An image is the disk that a VM begins as. Give a URL to fetch one from.",
        step=6,
    ),
)
