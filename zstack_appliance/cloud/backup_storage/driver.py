"""What any backup storage can do: the contract of its drivers, and the structs that cross the wire.

Primitives: `BackupStorageDriver` (the contract), `FetchPolicy` (what an image may be fetched from, and how
much of it), `StoredImage` (an image that a backup storage holds).
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from zstack_appliance.hostkit.files import Space
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.schema import Uuid

ImageFormat = Literal["qcow2", "raw", "iso"]

GIB = 2**30


class FetchPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What images may be fetched from. The defaults open nothing but the public web.

    An image's URL comes from whoever adds it, and this host can reach what that person cannot: its own
    services, its networks, a cloud's metadata. So only administrators set these fields.
    """

    directories: tuple[str, ...] = ()
    """Absolute paths, without links in them, below which ``file:`` URLs may point."""

    allowed: tuple[str, ...] = ()
    """Hosts opened in spite of the rules: a host name opens any address of it but link-local, multicast and
    metadata ones; an address or a network such as ``192.168.7.0/24`` opens exactly that."""

    own_networks: tuple[str, ...] = ()
    """The appliance's and its guests' networks, which no fetch may reach."""

    max_bytes: int = 512 * GIB
    """Largest file."""

    max_virtual_bytes: int = 64 * 1024 * GIB
    """Largest disk that an image may pretend to be."""

    max_redirects: int = 5
    connect_seconds: float = 10.0
    idle_seconds: float = 30.0
    """How long a server may say nothing."""

    total_seconds: float = 6 * 3600.0


class StoredImage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An image that a backup storage holds, complete and checked."""

    image_uuid: Uuid
    format: ImageFormat
    install_path: str
    virtual_size: int
    """Bytes that a guest sees."""
    actual_size: int
    """Bytes of the file."""
    md5: str
    sha256: str


class BackupStorageDriver(Protocol):
    """One backup storage, reached through a host. Every call may be repeated.

    Raises (all of them): `HostCommandFailed` with a text for the operator, or `HostUnreachable`.
    """

    async def connect(self) -> Space:
        """Make the storage ready, remove what a crash left half done, and measure it."""

    async def capacity(self) -> Space:
        """Measure the storage."""

    async def fetch(
        self,
        image_uuid: str,
        url: str,
        format: ImageFormat,  # noqa: A002 - ZStack's name for it
        *,
        policy: FetchPolicy,
        checksum: str | None = None,
        report: Report | None = None,
    ) -> StoredImage:
        """Bring an image in, or answer at once if it is here already.

        Args:
            image_uuid: names the file.
            url: ``http:``, ``https:`` or ``file:``.
            format: what the image is declared to be; content of another kind is refused.
            policy: where it may come from.
            checksum: ``sha256:…`` or ``md5:…`` in hexadecimal, with or without the prefix.
            report: receives progress.
        """

    async def delete(self, image_uuid: str) -> None:
        """Remove an image; one that is gone already is no error."""

    async def images(self) -> tuple[StoredImage, ...]:
        """Every image that is here, ordered by uuid, for comparing with the records."""
