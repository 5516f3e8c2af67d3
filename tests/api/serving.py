"""A running server for a test, either in a thread (`serving`) or in a process of its own (`serving_process`)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import trio
from httpx_ws import AsyncWebSocketSession, aconnect_ws
from starlette.types import ASGIApp

from tests.api.door_program import Handlers
from tests.eventually import eventually
from zstack_appliance.api.listen import Address, Listen, ListenUnix
from zstack_appliance.api.server import Doors, StopTimes, run

ROOT = Path(__file__).parent.parent.parent

AT_MOST = 20.0
"""Seconds until a test whose server hangs fails instead of hanging too."""


async def read_until(stream: trio.SocketStream, end: bytes) -> bytes:
    """Read until what came ends with `end`."""
    received = b""
    while not received.endswith(end):
        data = await stream.receive_some()
        assert data, f"{received!r} and no more"
        received += data
    return received


class Client:
    """A test's view of a server: HTTP, bare sockets, gates and notes."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.url = url
        self.http = http
        self.streams: list[trio.SocketStream] = []

    async def connect(self) -> trio.SocketStream:
        """A bare connection, closed with the client at the latest."""
        url = httpx.URL(self.url)
        stream = await trio.open_tcp_stream(url.host, url.port or 80)
        self.streams.append(stream)
        return stream

    async def socket(self, head: str) -> trio.SocketStream:
        """Connect and send the head of a request."""
        stream = await self.connect()
        await stream.send_all(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        return stream

    async def bare_websocket(self, path: str) -> trio.SocketStream:
        """A connection that has become a WebSocket, with nobody who reads its frames."""
        upgrade = "connection: upgrade\nupgrade: websocket\nsec-websocket-version: 13"
        stream = await self.socket(f"GET {path} HTTP/1.1\nhost: x\n{upgrade}\nsec-websocket-key: {'a' * 22}==")
        assert b" 101 " in await read_until(stream, b"\r\n\r\n")
        return stream

    def websocket(self, path: str) -> AbstractAsyncContextManager[AsyncWebSocketSession]:
        return aconnect_ws(f"{self.url.rstrip('/')}{path}", self.http)

    async def open_gate(self, name: str) -> None:
        (await self.http.post(f"/gate/{name}")).raise_for_status()

    async def notes(self) -> list[str]:
        return list((await self.http.get("/notes")).json()["notes"])

    async def moved(self, direction: str) -> int:
        return int((await self.http.get("/notes")).json()[direction])

    async def noted(self, note: str, within: float = 5.0) -> None:
        """Wait until a handler has noted something."""

        async def check() -> bool:
            notes = await self.notes()
            assert note in notes, notes
            return True

        await eventually(check, within=within)


@asynccontextmanager
async def client(url: str) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=url, timeout=AT_MOST) as http:
        made = Client(url, http)
        try:
            yield made
        finally:
            for stream in made.streams:
                stream.socket.close()


@dataclass
class Server:
    """A server in a thread of the test: how it can be reached, and how it is stopped."""

    addresses: tuple[Address, ...]
    doors: Doors
    token: trio.lowlevel.TrioToken
    ended: trio.Event
    status: int | None = None

    @property
    def url(self) -> str:
        return self.addresses[0].url

    def stop(self) -> None:
        with suppress(trio.RunFinishedError):
            self.token.run_sync_soon(self.doors.stop)


@asynccontextmanager
async def serving_app(
    app: ASGIApp, *listeners: Listen | ListenUnix, times: StopTimes | None = None
) -> AsyncIterator[Server]:
    """Serve an application from a thread while the block runs, by default at a port of 127.0.0.1."""
    here = trio.lowlevel.current_trio_token()
    send, receive = trio.open_memory_channel[Server](1)
    ended = trio.Event()
    servers: list[Server] = []

    async def main(doors: Doors) -> int:
        async with doors.open(app, *(listeners or (Listen("127.0.0.1", 0),))) as addresses:
            server = Server(addresses, doors, trio.lowlevel.current_trio_token(), ended)
            here.run_sync_soon(send.send_nowait, server)
            await doors.stopping.wait()
        return 0

    async def host() -> None:
        start = partial(run, main, times=times or StopTimes(), signals=())
        try:
            status = await trio.to_thread.run_sync(start, abandon_on_cancel=True)
            servers[0].status = status
        finally:
            ended.set()

    with trio.fail_after(AT_MOST):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host)
            servers.append(await receive.receive())
            try:
                yield servers[0]
            finally:
                servers[0].stop()


@asynccontextmanager
async def serving(
    *listeners: Listen | ListenUnix, times: StopTimes | None = None
) -> AsyncIterator[tuple[Server, Client]]:
    """Serve the handlers of `door_program`; yield the server and a client of its first address."""
    async with serving_app(Handlers().app(), *listeners, times=times) as server:
        url = server.url if server.url.startswith("http") else "http://none/"
        async with client(url) as made:
            yield server, made


@asynccontextmanager
async def serving_process(ending: str = "stop") -> AsyncIterator[tuple[trio.Process, Client]]:
    """Run `door_program` as a process; yield it and a client of it. It is killed if it still runs at the end."""
    command = [sys.executable, "-m", "tests.api.door_program", ending]
    with trio.fail_after(AT_MOST):
        process = await trio.lowlevel.open_process(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            assert process.stdout is not None
            line = await process.stdout.receive_some()
            async with client(line.decode().strip()) as made:
                yield process, made
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    await pipe.aclose()
