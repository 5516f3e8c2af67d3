"""A server for the tests of the bridge: an application with one handler per behaviour, behind real doors.

Tests talk to it over sockets only. A handler waits at a gate until ``POST /gate/NAME`` opens it, and notes
what happened to it for ``GET /notes``. Run as a program it prints its URL as one line and serves until it
is told to stop by a signal: ``python -m tests.api.door_program {stop,linger,hang}``.
"""

from __future__ import annotations

import hashlib
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from zstack_appliance.api.listen import Listen
from zstack_appliance.api.protocol import peer_credentials
from zstack_appliance.api.server import Doors, StopTimes, run
from zstack_appliance.api.streaming import StreamedResponse

CHUNK = bytes(range(256)) * 256
"""64 KiB."""

CHUNKS = 1600
"""100 MiB in all."""


class Handlers:
    """The handlers, with the gates and the notes that they share."""

    def __init__(self) -> None:
        self.gates: dict[str, trio.Event] = defaultdict(trio.Event)
        self.notes: list[str] = []
        self.moved = {"sent": 0, "received": 0}

    @contextmanager
    def noting(self, name: str) -> Iterator[None]:
        self.notes.append(f"{name} began")
        try:
            yield
        except (trio.Cancelled, GeneratorExit):
            self.notes.append(f"{name} cancelled")
            raise
        except WebSocketDisconnect as left:
            self.notes.append(f"{name} left {left.code}")
        else:
            self.notes.append(f"{name} ended")

    async def open_gate(self, request: Request) -> Response:
        await request.body()
        self.gates[request.path_params["name"]].set()
        return Response()

    async def show_notes(self, _: Request) -> Response:
        return JSONResponse({"notes": self.notes} | self.moved)

    async def wait(self, request: Request) -> Response:
        """Wait at a gate, as a long read (GET) or a long change (POST)."""
        name = request.path_params["name"]
        with self.noting(name):
            await self.gates[name].wait()
        return JSONResponse({"scheme": request.url.scheme})

    async def events(self, _: Request) -> Response:
        async def produce() -> AsyncGenerator[str, None]:
            with self.noting("events"):
                for number in range(3):
                    await self.gates[f"event{number}"].wait()
                    yield f"data: {number}\n\n"
                await trio.sleep_forever()

        return StreamedResponse(produce(), "text/event-stream")

    async def download(self, _: Request) -> Response:
        async def produce() -> AsyncGenerator[bytes, None]:
            with self.noting("download"):
                for _ in range(CHUNKS):
                    yield CHUNK
                    self.moved["sent"] += len(CHUNK)

        return StreamedResponse(produce(), "application/octet-stream")

    async def upload(self, request: Request) -> Response:
        await self.gates["upload"].wait()
        digest = hashlib.sha256()
        async for chunk in request.stream():
            digest.update(chunk)
            self.moved["received"] += len(chunk)
        return PlainTextResponse(digest.hexdigest())

    async def refuse(self, _: Request) -> Response:
        return Response(status_code=403)

    async def take(self, request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def fail(self, request: Request) -> Response:
        async def produce() -> AsyncGenerator[str, None]:
            yield "begun"
            raise RuntimeError("broken half-way")

        if "late" in request.query_params:
            return StreamedResponse(produce(), "text/plain")
        if "group" in request.query_params:
            raise ExceptionGroup("several", [RuntimeError("one"), RuntimeError("two")])
        raise RuntimeError("broken")

    async def peer(self, request: Request) -> Response:
        return JSONResponse(peer_credentials(request.scope))

    async def peer_socket(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_json(peer_credentials(socket.scope))
        await socket.close()

    async def echo(self, socket: WebSocket) -> None:
        """Send back what comes; end by the disconnect, after everything that came before it."""
        await socket.accept()
        with self.noting("echo"):
            while True:
                text = await socket.receive_text()
                self.notes.append(text)
                await socket.send_text(text)

    async def deaf(self, socket: WebSocket) -> None:
        """Never receive, as a console does that only shows."""
        await socket.accept()
        with self.noting("deaf"):
            await trio.sleep_forever()

    async def busy(self, socket: WebSocket) -> None:
        """Be away at a gate while messages come, then read them all, then have something left to do."""
        await socket.accept()
        with self.noting("busy"):
            await self.gates["busy"].wait()
            try:
                while True:
                    self.notes.append(await socket.receive_text())
            except WebSocketDisconnect as left:
                self.notes.append(f"busy left {left.code}")
                await self.gates["parting"].wait()

    async def parting(self, socket: WebSocket) -> None:
        """Close the WebSocket, then have something left to do."""
        await socket.accept()
        with self.noting("parting"):
            await socket.close()
            await self.gates["parting"].wait()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/gate/{name}", self.open_gate, methods=["POST"]),
                Route("/notes", self.show_notes),
                Route("/wait/{name}", self.wait, methods=["GET", "POST"]),
                Route("/events", self.events),
                Route("/download", self.download),
                Route("/upload", self.upload, methods=["POST"]),
                Route("/refuse", self.refuse, methods=["POST"]),
                Route("/take", self.take, methods=["POST"]),
                Route("/fail", self.fail, methods=["GET", "POST"]),
                Route("/peer", self.peer),
                WebSocketRoute("/peer", self.peer_socket),
                WebSocketRoute("/echo", self.echo),
                WebSocketRoute("/deaf", self.deaf),
                WebSocketRoute("/busy", self.busy),
                WebSocketRoute("/parting", self.parting),
            ]
        )


async def program(doors: Doors, ending: str) -> int:
    """Serve, and stop when told to (`stop`), only when cancelled (`linger`), or not at all (`hang`)."""
    async with doors.open(Handlers().app(), Listen("127.0.0.1", 0)) as (address,):
        print(address.url, flush=True)
        await doors.stopping.wait()
    if ending != "stop":
        with trio.CancelScope(shield=ending == "hang"):
            await trio.sleep_forever()
    return 0


if __name__ == "__main__":
    how = sys.argv[1]
    until_cancelled, until_end = (60.0, 60.0) if how == "linger" else (1.0, 1.5)
    times = StopTimes(grace=0.5, cancel=until_cancelled, end=until_end)
    sys.exit(run(lambda doors: program(doors, how), times=times))
