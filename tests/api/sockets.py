"""A WebSocket client for an ASGI application in the same process and under the test's clock: `websocket`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import trio
from starlette.types import ASGIApp, Message

_QUEUED = 1000


class Closed(Exception):
    """The application closed the connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}")
        self.code = code
        self.reason = reason


@dataclass
class Socket:
    """The client's end."""

    to_app: trio.MemorySendChannel[Message]
    from_app: trio.MemoryReceiveChannel[Message]
    subprotocol: str | None = None

    async def send_bytes(self, data: bytes) -> None:
        """One binary message."""
        await self.to_app.send({"type": "websocket.receive", "bytes": data})

    async def send_text(self, text: str) -> None:
        """One text message."""
        await self.to_app.send({"type": "websocket.receive", "text": text})

    async def receive(self) -> bytes | str:
        """The application's next message.

        Raises:
            Closed: it closes instead, or has refused the connection (code 1006 then).
        """
        try:
            message = await self.from_app.receive()
        except trio.EndOfChannel:
            raise Closed(1006, "the application ended without a word") from None
        if message["type"] == "websocket.close":
            raise Closed(message.get("code", 1000), message.get("reason") or "")
        data: bytes | str | None = message.get("bytes")
        return data if data is not None else str(message["text"])


@asynccontextmanager
async def websocket(
    app: ASGIApp,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    subprotocols: Iterable[str] = (),
) -> AsyncIterator[Socket]:
    """Open a WebSocket and leave it at the end of the block; the application's errors come out there.

    Args:
        app: the application.
        url: such as ``ws://127.0.0.1:8080/console/ws?token=x``.
        headers: besides ``host``.
        subprotocols: offered to the application.

    Raises:
        Closed: it refused the connection.
    """
    to_app, app_reads = trio.open_memory_channel[Message](_QUEUED)
    app_writes, from_app = trio.open_memory_channel[Message](_QUEUED)
    scope = _scope(url, headers or {}, subprotocols)

    async def serve() -> None:
        async with app_writes:
            await app(scope, app_reads.receive, app_writes.send)

    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await to_app.send({"type": "websocket.connect"})
        socket = Socket(to_app, from_app)
        answer: dict[str, Any] = dict(await from_app.receive())
        if answer["type"] != "websocket.accept":
            raise Closed(answer.get("code", 1000), answer.get("reason") or "")
        socket.subprotocol = answer.get("subprotocol")
        try:
            yield socket
        except Exception as error:  # noqa: BLE001 — raised again below, outside of the nursery's group
            failure = error
        finally:
            with trio.move_on_after(5) as patience:
                patience.shield = True
                await to_app.send({"type": "websocket.disconnect", "code": 1001})
    if failure is not None:
        raise failure


def _scope(url: str, headers: Mapping[str, str], subprotocols: Iterable[str]) -> dict[str, Any]:
    """What a server tells an application of a WebSocket."""
    parts = urlsplit(url)
    return {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "root_path": "",
        "query_string": parts.query.encode(),
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in {"host": parts.netloc, **headers}.items()
        ],
        "client": ("127.0.0.1", 50000),
        "server": (parts.hostname, parts.port),
        "subprotocols": list(subprotocols),
        "state": {},
    }
