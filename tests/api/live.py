"""Streams of a door inside one test: `EventStream` (server-sent events) and `Socket` (a WebSocket).

They speak ASGI to the application itself, so that they run under a virtual clock; httpx would wait for the end of
a response before it gave any of it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import trio
from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Told:
    """One server-sent event."""

    event: str
    id: str
    data: dict[str, Any]


class EventStream:
    """A response that has begun."""

    def __init__(self, status: int, headers: dict[str, str], body: trio.MemoryReceiveChannel[bytes]) -> None:
        self.status = status
        self.headers = headers
        self._body = body
        self._text = b""
        self.comments = 0

    async def next(self) -> Told | None:
        """The next event, comments left out; None at the end."""
        while True:
            while b"\n\n" not in self._text:
                try:
                    self._text += await self._body.receive()
                except trio.EndOfChannel:
                    return None
            block, self._text = self._text.split(b"\n\n", 1)
            if block.startswith(b":"):
                self.comments += 1
                continue
            fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
            return Told(fields["event"], fields["id"], json.loads(fields["data"]))

    async def text(self) -> str:
        """The whole body, of a response that ends."""
        async for part in self._body:
            self._text += part
        return self._text.decode()


@asynccontextmanager
async def event_stream(
    app: ASGIApp, *, headers: Mapping[str, str], params: Any = (), path: str = "/events"
) -> AsyncIterator[EventStream]:
    """GET it, and leave at the end of the block."""
    send, body = trio.open_memory_channel[bytes](1000)
    begun: list[EventStream] = []
    started = trio.Event()

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = {name.decode(): value.decode() for name, value in message["headers"]}
            begun.append(EventStream(message["status"], found, body))
            started.set()
        else:
            await send.send(message.get("body", b""))
            if not message.get("more_body"):
                send.close()

    scope = _scope("http", path, headers, params) | {"method": "GET"}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(app, scope, _Requests().receive, take)
        await started.wait()
        yield begun[0]
        nursery.cancel_scope.cancel()


class _Requests:
    def __init__(self) -> None:
        self._sent = False

    async def receive(self) -> Message:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await trio.sleep_forever()
        raise AssertionError


class Socket:
    """A WebSocket's client."""

    def __init__(self) -> None:
        self._to_app, self.inbox = trio.open_memory_channel[Message](1000)
        self._from_app, self._outbox = trio.open_memory_channel[Message](1000)

    async def send(self, message: object) -> None:
        """Send JSON, or a text as it is."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self._to_app.send({"type": "websocket.receive", "text": text})

    async def next(self) -> dict[str, Any]:
        """The next message; what closes it stands under ``closed``."""
        message = await self._outbox.receive()
        if message["type"] == "websocket.close":
            return {"closed": message["code"], "reason": message.get("reason", "")}
        found: dict[str, Any] = json.loads(message["text"])
        return found

    async def take(self, message: Message) -> None:
        """What the application sends."""
        if message["type"] != "websocket.accept":
            await self._from_app.send(message)

    async def leave(self) -> None:
        """Go away."""
        await self._to_app.send({"type": "websocket.disconnect", "code": 1001})


@asynccontextmanager
async def socket(app: ASGIApp, *, headers: Mapping[str, str], path: str = "/events/ws") -> AsyncIterator[Socket]:
    """Connect, and leave at the end of the block."""
    client = Socket()
    await client._to_app.send({"type": "websocket.connect"})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(app, _scope("websocket", path, headers, ()), client.inbox.receive, client.take)
        yield client
        await client.leave()


def _scope(kind: str, path: str, headers: Mapping[str, str], params: Any) -> dict[str, Any]:
    given = {"host": "127.0.0.1:8080", **headers}
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws" if kind == "websocket" else "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": urlencode(params).encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8080),
        "subprotocols": [],
        "state": {},
    }
