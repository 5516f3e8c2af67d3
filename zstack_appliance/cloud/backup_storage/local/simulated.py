"""A local backup storage on a simulated host: the same commands over a dictionary, by the same rules."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import urlsplit

from zstack_appliance.cloud.backup_storage.driver import ImageFormat, StoredImage
from zstack_appliance.cloud.backup_storage.local import layout, source
from zstack_appliance.cloud.backup_storage.local.checksum import Expected
from zstack_appliance.cloud.backup_storage.local.wire import (
    BackupCapacity,
    ConnectBackupStorage,
    DeleteImage,
    FetchImage,
    ListImages,
)
from zstack_appliance.hostkit.egress import Egress
from zstack_appliance.hostkit.files import Space
from zstack_appliance.hostkit.simulated import SimulatedRuntime
from zstack_appliance.hostkit.simulated_files import SimulatedFile, SimulatedFiles
from zstack_appliance.kernel.remote import Command, HostCommandFailed, HostHandler


async def connect(command: ConnectBackupStorage, runtime: SimulatedRuntime) -> Space:
    """Nothing half done can be left here; measure."""
    layout.images_folder(command.root)
    return runtime.files.space()


async def capacity(_: BackupCapacity, runtime: SimulatedRuntime) -> Space:
    """Measure."""
    return runtime.files.space()


async def fetch_image(command: FetchImage, runtime: SimulatedRuntime) -> StoredImage:
    """Take in what the URL is said to serve, by the rules of the real fetch that need no network."""
    expected = Expected.of(command.checksum) if command.checksum else None
    path = str(layout.image_file(command.root, command.image_uuid, command.format))
    stored = _stored(command.root, command.image_uuid, runtime.files)
    if stored is not None and stored.format != command.format:
        raise HostCommandFailed(
            f"image {stored.image_uuid} is stored as {stored.format} already, not as {command.format}"
        )
    if stored is None:
        served = _served(command, runtime.files)
        runtime.report(1.0, f"{served.actual_size >> 20} of {served.actual_size >> 20} MiB")
        stored = _facts(path, served)
    fault = expected.fault({"md5": stored.md5, "sha256": stored.sha256}) if expected else None
    if fault:
        raise HostCommandFailed(fault)
    runtime.files.put(path, _as_file(stored))
    return stored


async def delete_image(command: DeleteImage, runtime: SimulatedRuntime) -> None:
    """Forget an image."""
    folder = str(layout.image_folder(command.root, command.image_uuid))
    runtime.files.remove(folder)


async def list_images(command: ListImages, runtime: SimulatedRuntime) -> tuple[StoredImage, ...]:
    """Every image."""
    folder = str(layout.images_folder(command.root))
    return tuple(_facts(path, file) for path, file in runtime.files.below(folder))


HANDLERS: Mapping[type[Command[Any]], HostHandler] = {
    ConnectBackupStorage: connect,
    BackupCapacity: capacity,
    FetchImage: fetch_image,
    DeleteImage: delete_image,
    ListImages: list_images,
}


def _served(command: FetchImage, files: SimulatedFiles) -> SimulatedFile:
    _obey_rules(command)
    served = files.sources.get(command.url)
    if served is None and files.elsewhere is not None:
        served = replace(files.elsewhere, format=command.format)
    if served is None:
        raise HostCommandFailed("the server answered 404")
    if command.format not in ("raw", served.format):
        raise HostCommandFailed(f"the image is declared {command.format}, but it is {served.format}")
    if served.actual_size > files.space().available:
        raise HostCommandFailed(
            f"the image has {served.actual_size} bytes, and the backup storage has room for {files.space().available}"
        )
    seed = command.url.encode()
    return replace(
        served,
        sha256=served.sha256 or hashlib.sha256(seed).hexdigest(),
        md5=served.md5 or hashlib.md5(seed, usedforsecurity=False).hexdigest(),
    )


def _obey_rules(command: FetchImage) -> None:
    """The rules of a real fetch as far as they need no network: schemes, directories, literal addresses."""
    egress = Egress.of(command.policy, lambda _: False)
    found = source.parse(command.url, command.policy.directories)
    host = urlsplit(command.url).hostname or ""
    if isinstance(found, source.WebSource):
        with suppress(ValueError):
            fault = egress.fault(host, ip_address(host))
            if fault:
                raise HostCommandFailed(f"{host} is refused: it is {fault}")


def _stored(root: str, image_uuid: str, files: SimulatedFiles) -> StoredImage | None:
    found = files.inside(str(layout.image_folder(root, image_uuid)))
    return _facts(*found[0]) if found else None


def _facts(path: str, file: SimulatedFile) -> StoredImage:
    name = PurePosixPath(path)
    return StoredImage(
        image_uuid=name.stem,
        format=cast("ImageFormat", name.suffix[1:]),
        install_path=path,
        virtual_size=file.virtual_size,
        actual_size=file.actual_size,
        md5=file.md5,
        sha256=file.sha256,
    )


def _as_file(stored: StoredImage) -> SimulatedFile:
    return SimulatedFile(
        format=stored.format,
        virtual_size=stored.virtual_size,
        actual_size=stored.actual_size,
        sha256=stored.sha256,
        md5=stored.md5,
    )
