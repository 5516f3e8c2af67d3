"""What any primary storage can do: the contract of its drivers, and the structs that cross the wire.

Primitives: `PrimaryStorageDriver` (the contract), `ImageSource` (an image to cache), `CachedImage`,
`VolumeBits`, `FoundBits` (what is there). Sizes are in bytes.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.schema import Uuid

ImageFormat = Literal["qcow2", "raw", "iso"]
VolumeKind = Literal["Root", "Data"]

SECTOR = 512
"""Disks are whole sectors; a size between two is rounded up."""


class ImageSource(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An image as its backup storage knows it: checked when it was fetched, and unchanged since."""

    image_uuid: Uuid
    format: ImageFormat
    path: str
    """Absolute, on the host that fills its cache."""
    virtual_size: int
    sha256: str


class CachedImage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An image on a primary storage, read-only for ever."""

    image_uuid: Uuid
    format: ImageFormat
    install_path: str
    virtual_size: int
    actual_size: int
    """Bytes of the file."""
    sha256: str


class VolumeBits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A volume on a primary storage."""

    volume_uuid: Uuid
    kind: VolumeKind
    format: Literal["qcow2"] = "qcow2"
    install_path: str
    virtual_size: int
    """Bytes that the guest sees."""
    actual_size: int
    """Bytes that it takes now."""
    backing: str | None = None
    """Path of the cached image that it is a linked clone of."""


class FoundBits(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What lies on a primary storage, whoever knows of it."""

    uuid: str
    """The name that it has there; what somebody else put there need not have a uuid's."""
    kind: Literal["Image", "Root", "Data"]
    install_path: str
    """The disk, or the folder that lacks one."""
    actual_size: int
    complete: bool = True
    """Whether the disk is there; without it, this is nobody's volume or image any more."""


class PrimaryStorageDriver(Protocol):
    """One primary storage, as one host reaches it.

    Every call may be repeated: making what exists in the same shape answers the same, making it in another
    shape is refused, and removing what is gone succeeds.

    Raises (all of them): `HostCommandFailed` with a text for the operator, or `HostUnreachable`.
    """

    async def connect(self) -> Space:
        """Make the storage ready, remove what a crash left half done, and measure it."""

    async def capacity(self) -> Space:
        """Measure the storage."""

    async def fill_cache(self, source: ImageSource, *, report: Report | None = None) -> CachedImage:
        """Have an image in the cache, its checksum proven."""

    async def evict(self, image_uuid: str) -> None:
        """Remove an image from the cache; refused while a volume is cloned from it."""

    async def create_root_volume(self, volume_uuid: str, image_uuid: str, size: int | None) -> VolumeBits:
        """Have a linked clone of a cached image.

        Args:
            volume_uuid: names the volume.
            image_uuid: cached, and not an ISO.
            size: what the guest sees, at least the image's; None means the image's.
        """

    async def create_empty_volume(self, volume_uuid: str, kind: VolumeKind, size: int) -> VolumeBits:
        """Have an empty volume."""

    async def delete_volume(self, volume_uuid: str, kind: VolumeKind) -> None:
        """Have a volume gone, with all that lies beside it."""

    async def measure_volume(self, volume_uuid: str, kind: VolumeKind) -> VolumeBits:
        """A volume as it is now, also while a VM uses it."""

    async def bits(self) -> tuple[FoundBits, ...]:
        """All that is here, images first, then by uuid, for comparing with the records."""
