"""Images on a primary storage, which volumes are cloned from: `look_up` and `fill`.

A cached image appears complete and checked, is read-only, and never changes: every clone reads from it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import msgspec
import trio

from zstack_appliance.cloud.primary_storage.driver import CachedImage, ImageSource
from zstack_appliance.cloud.primary_storage.local import layout
from zstack_appliance.hostkit.copying import Checked, Progress, Sink, copy_in
from zstack_appliance.hostkit.files import building, explained
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import HostCommandFailed

_ALGORITHMS = ("sha256",)


async def look_up(root: str, image_uuid: str) -> CachedImage | None:
    """What is known of a cached image; None when it is not cached.

    Raises:
        HostCommandFailed: its facts cannot be read.
    """
    return await trio.to_thread.run_sync(_facts, layout.cached_folder(root, image_uuid))


async def fill(root: str, source: ImageSource, report: Report) -> CachedImage:
    """Copy an image into the cache, sharing its blocks where the file system can.

    Raises:
        HostCommandFailed: the source is gone or is not the image that was recorded, or there is no room.
    """
    final = layout.cached_file(root, source.image_uuid, source.format)
    async with building(final.parent) as part:
        copied = await _copy(source, part / final.name, report)
        if copied.digests["sha256"] != source.sha256:
            raise HostCommandFailed(
                f"{source.path} is not image {source.image_uuid} as it was fetched: its sha256 is "
                f"{copied.digests['sha256']}, not {source.sha256}; delete the image and add it again"
            )
        cached = CachedImage(
            image_uuid=source.image_uuid,
            format=source.format,
            install_path=str(final),
            virtual_size=source.virtual_size,
            actual_size=copied.size,
            sha256=source.sha256,
        )
        with explained("cannot write the image's facts"):
            await trio.to_thread.run_sync((part / layout.FACTS).write_bytes, msgspec.json.encode(cached))
    return cached


async def _copy(source: ImageSource, target: Path, report: Report) -> Checked:
    with explained(f"cannot open image {source.image_uuid}"):
        opened = await trio.to_thread.run_sync(_open, source.path)
    with opened:
        total = os.fstat(opened.fileno()).st_size
        with explained(f"cannot write {target}"):
            sink = await trio.to_thread.run_sync(Sink, target, _ALGORITHMS)
        try:
            return await copy_in(opened, sink, reached=Progress(report, total))
        finally:
            sink.close()


def _open(path: str) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb", buffering=0)


def _facts(folder: Path) -> CachedImage | None:
    with explained("cannot read the cached image's facts"):
        try:
            content = (folder / layout.FACTS).read_bytes()
        except FileNotFoundError:
            return None
    try:
        return msgspec.json.decode(content, type=CachedImage)
    except msgspec.DecodeError as error:
        raise HostCommandFailed(f"{folder / layout.FACTS} is damaged: {error}") from error
