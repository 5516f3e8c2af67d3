"""Reading an image from the web: `download`, which follows redirects itself and trusts no header.

HTTP, TLS and URLs are httpx's and httpcore's work; what is ours is where they may connect (`egress`), which
redirects count, and how much may come.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpcore
import httpx
import trio

from zstack_appliance.cloud.backup_storage.driver import FetchPolicy
from zstack_appliance.cloud.backup_storage.local.source import WebSource
from zstack_appliance.hostkit.copying import Checked, Progress, Sink
from zstack_appliance.hostkit.files import explained
from zstack_appliance.hostkit.pinned import EgressRefused, PinnedBackend
from zstack_appliance.hostkit.pinned_transport import PinnedTransport
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.remote import HostCommandFailed

_HEADERS = {"User-Agent": "zstack-appliance", "Accept": "*/*", "Accept-Encoding": "identity"}
_CHUNK = 2**20
"""Bytes gathered before a thread writes and hashes them; also how often progress can show."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may come, in bytes: by the policy, and by what the file system has room for."""

    largest: int
    room: int

    def fault(self, size: int) -> str | None:
        """Why a file of this size is too large, in words; None when it is not."""
        if size > self.largest:
            return f"the image has {size} bytes or more; at most {self.largest} are allowed"
        if size > self.room:
            return f"the image has {size} bytes or more, and the backup storage has room for {self.room}"
        return None


async def download(
    source: WebSource,
    sink: Sink,
    *,
    policy: FetchPolicy,
    room: int,
    backend: PinnedBackend,
    tls: ssl.SSLContext,
    report: Report,
) -> Checked:
    """Read a URL into a sink.

    Raises:
        HostCommandFailed: the server, the network or a rule said no; nothing of the URL but its host is
            named, since the rest may be a secret.
    """
    client = httpx.AsyncClient(
        transport=PinnedTransport(backend, tls),
        timeout=httpx.Timeout(policy.idle_seconds, connect=policy.connect_seconds),
        headers=_HEADERS,
        trust_env=False,
    )
    limits = Limits(policy.max_bytes, room)
    try:
        with trio.fail_after(policy.total_seconds):
            async with client, _answer(client, source, policy.max_redirects) as response:
                return await _body(response, sink, limits, report)
    except trio.TooSlowError as error:
        raise HostCommandFailed(f"{source.shown} took longer than {policy.total_seconds:g} s") from error
    except EgressRefused as error:
        raise HostCommandFailed(str(error)) from error
    except (httpcore.TimeoutException, httpcore.NetworkError) as error:
        kind = "did not answer in time" if isinstance(error, httpcore.TimeoutException) else "failed"
        raise HostCommandFailed(f"{source.shown} {kind}: {_innermost(error)}") from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise HostCommandFailed(f"{source.shown} leads to a malformed URL: {error}") from error
    except (httpcore.ProtocolError, httpx.HTTPError) as error:
        raise HostCommandFailed(f"{source.shown} broke off or does not speak HTTP: {error}") from error


@asynccontextmanager
async def _answer(client: httpx.AsyncClient, source: WebSource, redirects: int) -> AsyncIterator[httpx.Response]:
    """The final response. httpx would read a redirect's body whole, however long; this closes it unread."""
    request = client.build_request("GET", source.url)
    for _ in range(redirects + 1):
        response = await client.send(request, stream=True, follow_redirects=False)
        try:
            if response.next_request is None:
                yield response
                return
        finally:
            await response.aclose()
        request = _redirected(response.next_request, response.url.scheme, source)
    raise HostCommandFailed(f"{source.shown} redirects more than {redirects} times")


def _redirected(request: httpx.Request, before: str, source: WebSource) -> httpx.Request:
    scheme = request.url.scheme
    if scheme not in ("http", "https"):
        raise HostCommandFailed(f"{source.shown} redirects to {scheme}:, which images are not fetched by")
    if before == "https" and scheme == "http":
        raise HostCommandFailed(
            f"{source.shown} redirects from https to plain http at {request.url.host}, where anyone on the "
            "way could change the image; use that URL itself if you trust the network"
        )
    return request


async def _body(response: httpx.Response, sink: Sink, limits: Limits, report: Report) -> Checked:
    if response.status_code != httpx.codes.OK:
        raise HostCommandFailed(f"the server {response.url.host} answered {response.status_code}")
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise HostCommandFailed(f"the server sends the image encoded as {encoding}, though asked not to")
    announced = response.headers.get("content-length", "")
    total = int(announced) if announced.isascii() and announced.isdigit() else None
    _obey(limits, total or 0)
    progress = Progress(report, total)
    with explained("cannot write the image"):
        async with _chunks(response) as chunks:
            async for chunk in chunks:
                _obey(limits, sink.size + len(chunk))
                await trio.to_thread.run_sync(sink.write, chunk)
                progress(sink.size)
        if total is not None and sink.size != total:
            raise HostCommandFailed(f"the server announced {total} bytes and sent {sink.size}; try again")
        return await trio.to_thread.run_sync(sink.finish)


@asynccontextmanager
async def _chunks(response: httpx.Response) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body as it comes, ended properly also when it is left in the middle.

    It passes through half a dozen nested generators of httpx and httpcore, which none of them closes for the
    next. Reading on after the response was closed fails in the innermost, and that ends them all.
    """
    chunks = response.aiter_raw(_CHUNK)
    try:
        yield chunks
    finally:
        await response.aclose()
        with suppress(httpcore.NetworkError, httpcore.ProtocolError):
            async for _ in chunks:
                pass


def _obey(limits: Limits, size: int) -> None:
    fault = limits.fault(size)
    if fault:
        raise HostCommandFailed(fault)


def _innermost(error: BaseException) -> str:
    """The first cause's words: httpcore and trio wrap a TLS or socket error without repeating its text."""
    said = ""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):
            return str(cause.exceptions[0])
        said = str(cause) or said
        # httpcore's pool raises "from None", which leaves only the context.
        cause = cause.__cause__ or cause.__context__
    return said or type(error).__name__
