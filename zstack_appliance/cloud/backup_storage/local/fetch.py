"""Fetching an image from wherever its URL says: `fetch`, which chooses between the web and local files."""

from __future__ import annotations

import ssl
from pathlib import Path

import trio

from zstack_appliance.cloud.backup_storage.driver import FetchPolicy
from zstack_appliance.cloud.backup_storage.local import source as sources
from zstack_appliance.cloud.backup_storage.local.file_source import open_source
from zstack_appliance.hostkit.copying import Checked, Progress, Sink, copy_in
from zstack_appliance.hostkit.egress import Egress, is_own_address
from zstack_appliance.hostkit.files import explained, space
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import HostCommandFailed

ALGORITHMS = ("md5", "sha256")
"""ZStack's API shows the MD5; the SHA-256 is what is relied on."""


async def fetch(url: str, target: Path, policy: FetchPolicy, report: Report) -> Checked:
    """Bring what a URL names into a new file.

    Args:
        url: ``http:``, ``https:`` or ``file:``.
        target: must not exist; its content is only good when this returns.
        policy: where it may come from, and how much.
        report: receives progress.

    Returns:
        The size and the digests of `ALGORITHMS`.

    Raises:
        HostCommandFailed: a rule, the source or the file system said no.
    """
    source = sources.parse(url, policy.directories)
    room = (await space(target.parent)).available
    with explained(f"cannot write {target}"):
        sink = await trio.to_thread.run_sync(Sink, target, ALGORITHMS)
    try:
        if isinstance(source, sources.FileSource):
            return await _copy(source, sink, policy, room, report)
        return await _download(source, sink, policy, room, report)
    finally:
        sink.close()


async def _copy(source: sources.FileSource, sink: Sink, policy: FetchPolicy, room: int, report: Report) -> Checked:
    opened = await trio.to_thread.run_sync(open_source, source)
    with opened:
        size = await trio.to_thread.run_sync(lambda: opened.seek(0, 2))
        opened.seek(0)
        if size > min(policy.max_bytes, room):
            raise HostCommandFailed(f"the file has {size} bytes; {policy.max_bytes} are allowed and {room} are free")
        progress = Progress(report, size)
        return await copy_in(opened, sink, reached=progress, limit=policy.max_bytes)


async def _download(source: sources.WebSource, sink: Sink, policy: FetchPolicy, room: int, report: Report) -> Checked:
    # Imported on use: httpx takes over 100 ms and 10 MB, and most hosts never fetch an image.
    from zstack_appliance.cloud.backup_storage.local.web_source import download
    from zstack_appliance.hostkit.pinned import PinnedBackend, resolve

    backend = PinnedBackend(Egress.of(policy, is_own_address), resolve)
    return await download(source, sink, policy=policy, room=room, backend=backend, tls=await trusted(), report=report)


async def trusted() -> ssl.SSLContext:
    """What the machine's administrator trusts, and the public authorities that httpx comes with."""
    import httpx

    def load() -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        return context

    return await trio.to_thread.run_sync(load)
