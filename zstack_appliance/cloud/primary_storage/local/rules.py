"""What a local primary storage says no to: pure, and the same on real and on simulated hosts.

Each function answers why something is refused, in words for the operator, or None.
"""

from __future__ import annotations

from zstack_appliance.cloud.primary_storage.driver import SECTOR, CachedImage, ImageSource, VolumeBits


def whole_sectors(size: int) -> int:
    """A size rounded up to what a disk can have."""
    return -(-size // SECTOR) * SECTOR


def size_fault(size: int) -> str | None:
    """A volume has at least one sector."""
    return None if size > 0 else f"a volume cannot have {size} bytes: ask for at least {SECTOR}"


def clone_fault(image: CachedImage, size: int) -> str | None:
    """An ISO is no disk, and a clone smaller than its image would lose the end of its file system."""
    if image.format == "iso":
        return f"image {image.image_uuid} is an ISO and has no disk to clone: create an empty root volume"
    if size < image.virtual_size:
        return f"the root volume has {size} bytes; its image needs at least {image.virtual_size}"
    return None


def cached_fault(image: CachedImage, source: ImageSource) -> str | None:
    """A cached image never changes, so another content under its uuid is another image."""
    if (image.format, image.sha256) == (source.format, source.sha256):
        return None
    return f"image {image.image_uuid} is cached already with another format or content"


def volume_fault(volume: VolumeBits, size: int, backing: str | None) -> str | None:
    """A volume that exists answers a repeated command only if it is what that command would make."""
    if (volume.virtual_size, volume.backing) == (size, backing):
        return None
    return (
        f"volume {volume.volume_uuid} exists already with {volume.virtual_size} bytes on "
        f"{volume.backing or 'no image'}, not with {size} bytes on {backing or 'no image'}"
    )


def eviction_fault(image_uuid: str, users: int) -> str | None:
    """Without its image a clone is lost."""
    if not users:
        return None
    return f"image {image_uuid} stays in the cache: {users} files on this storage are cloned from it"
