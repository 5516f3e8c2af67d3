"""What can be asked about images."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.image.schema import Image, MediaType
from zstack_appliance.kernel.message import OWNER, Action, Create, Delete, Request, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_appliance.kernel.unserved import UNSERVED

Platform = Literal["Linux", "Windows", "Other", "Paravirtualization", "WindowsVirtio"]


@api("POST", "/images", access=OWNER, timeout=24 * 3600.0)
class AddImage(Create[Image], frozen=True, kw_only=True):
    """Fetch an image from a URL (``http:``, ``https:``, or ``file:`` below an allowed folder)."""

    name: Name
    url: Annotated[str, msgspec.Meta(max_length=1024)]
    backup_storage_uuids: Annotated[tuple[str, ...], Ref(BackupStorage), msgspec.Meta(min_length=1)]
    format: Literal["qcow2", "raw", "iso"] = "qcow2"
    media_type: MediaType = MediaType.ROOT_VOLUME_TEMPLATE
    platform: Platform = "Linux"
    guest_os_type: Name | None = None
    architecture: Literal["x86_64", "aarch64"] | None = None
    system: bool = False
    type: str = "zstack"
    virtio: bool = True
    description: Text | None = None


@api("PUT", "/images/{uuid}/actions", access=OWNER)
class UpdateImage(Update[Image], frozen=True, kw_only=True):
    """Change what is said of an image."""

    uuid: Annotated[Uuid, Ref(Image)]
    name: Name | None = None
    description: Text | None = None
    guest_os_type: Name | None = None
    platform: Platform | None = None
    architecture: Literal["x86_64", "aarch64"] | None = None
    system: bool | None = None
    virtio: bool | None = None
    media_type: Annotated[Literal["RootVolumeTemplate", "DataVolumeTemplate", "ISO"], UNSERVED] | None = None
    format: Annotated[Literal["raw", "qcow2", "iso"], UNSERVED] | None = None


@api("PUT", "/images/{uuid}/actions", access=OWNER)
class ChangeImageState(Action[Image], frozen=True, kw_only=True):
    """Enable an image, or keep new VMs from it."""

    uuid: Annotated[Uuid, Ref(Image)]
    state_event: StateEvent


@api("DELETE", "/images/{uuid}", access=OWNER, reply=None)
class DeleteImage(Delete, frozen=True, kw_only=True):
    """Delete an image. By the default policy it can be recovered until it is expunged."""

    uuid: Annotated[Uuid, Ref(Image)]
    backup_storage_uuids: Annotated[tuple[str, ...] | None, Ref(BackupStorage)] = None
    """Only these copies, in ZStack; here all of an image's copies go together."""


@api("PUT", "/images/{imageUuid}/actions", access=OWNER)
class RecoverImage(Action[Image], frozen=True, kw_only=True):
    """Bring a deleted image back."""

    image_uuid: Annotated[Uuid, Ref(Image)]
    backup_storage_uuids: Annotated[tuple[str, ...], UNSERVED] | None = None


@api("PUT", "/images/{imageUuid}/actions", access=OWNER, reply=None, target=Image)
class ExpungeImage(Action[None], frozen=True, kw_only=True):
    """Remove a deleted image for good; VMs that began as it keep their own copy."""

    image_uuid: Annotated[Uuid, Ref(Image)]
    backup_storage_uuids: Annotated[tuple[str, ...], UNSERVED] | None = None


class RemoveImage(Request[None], frozen=True, kw_only=True):
    """What the image belongs to goes: remove it for good, whatever the deletion policy."""

    image_uuid: Uuid
