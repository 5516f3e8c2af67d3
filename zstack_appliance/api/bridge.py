"""The bridge: an application that lives in trio, shown to uvicorn as one that lives in asyncio.

Primitives: `Bridge` (the ASGI application that uvicorn calls), `_Exchange` (one request or WebSocket,
whose handler is one trio task).

trio runs as a guest of uvicorn's loop, in the same thread: a turn of trio is one callback of asyncio.
So the two never run at once, either may call the other's synchronous functions, and only waiting has to
be translated, which `stepping` does.

What a client that goes away does to its handler:

- a read (GET, HEAD, OPTIONS, and so every event stream) is cancelled;
- a change (any other method) goes on, since its caller may have seen only the network fail;
- a WebSocket handler is told by its next message, and is cancelled if it does not come to read it.
"""

from __future__ import annotations

import asyncio
import logging
import math

import trio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zstack_appliance.api.stepping import Inbox, try_through, wait_through

log = logging.getLogger(__name__)

READS = frozenset({"GET", "HEAD", "OPTIONS"})

AHEAD = 65536
"""Bytes read before a handler asks for them, to notice a client that leaves behind its last words."""

YOUNG = 0.1
"""Seconds until the client of a handler is watched. Most handlers have ended by then, and the watching
of each would cost a tenth of the CPU time of a small request."""

LINGER = 1.0
"""Seconds that a WebSocket handler has, after its client went away, to come and read about it."""


class Bridge:
    """The ASGI application that uvicorn calls. It runs each request as a trio task of its own.

    An exception of the application is handed to uvicorn, which logs it and answers 500; it touches no
    other request. There is no lifespan: what an application needs is opened around its doors.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._exchanges: set[_Exchange] = set()
        self._young: set[_Exchange] = set()
        self._quiet: trio.Event | None = None
        self._is_stopped = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry one request or WebSocket to its end. Runs in asyncio, in uvicorn's task for it."""
        exchange = _Exchange(scope, receive, send)
        if self._is_stopped:
            exchange.stop()
        self._exchanges.add(exchange)
        if not self._young:
            asyncio.get_running_loop().call_later(YOUNG, self._watch_young)
        self._young.add(exchange)
        try:
            # A system task, since requests come from asyncio, which is inside no nursery. It starts with a
            # fresh context: asyncio's leaks variables from one request of a connection to the next.
            trio.lowlevel.spawn_system_task(exchange.run, self._app)
            await exchange.wait_ended()
        finally:
            self._exchanges.discard(exchange)
            if self._quiet is not None and not self._exchanges:
                self._quiet.set()

    def end_streams(self) -> None:
        """End the event streams, which would never end by themselves. Their clients may come again."""
        for exchange in self._exchanges:
            if exchange.is_event_stream:
                exchange.stop()

    def stop(self) -> None:
        """Cancel every handler and start no other. A client without a response so far gets 503."""
        self._is_stopped = True
        for exchange in self._exchanges:
            exchange.stop()

    async def quiet(self) -> None:
        """Wait, in trio, until no handler runs and uvicorn has heard of the end of each."""
        while self._exchanges:
            self._quiet = trio.Event()
            await self._quiet.wait()

    def _watch_young(self) -> None:
        for exchange in self._young & self._exchanges:
            exchange.watch()
        self._young.clear()


class _Exchange:
    """One request or WebSocket, from its head to the end of its handler."""

    __slots__ = (
        "_cancel_scope",
        "_ended",
        "_inbox",
        "_is_complete",
        "_is_over",
        "_is_stopped",
        "_is_websocket",
        "_receive",
        "_scope",
        "_send",
        "_started_with",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_websocket = scope["type"] == "websocket"
        self._inbox: Inbox | None = None
        self._cancel_scope = trio.CancelScope()
        self._started_with: Message | None = None
        self._is_complete = False
        self._is_stopped = False
        self._is_over = False
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def is_event_stream(self) -> bool:
        """Whether the handler has begun to answer with server-sent events."""
        headers = self._started_with.get("headers", ()) if self._started_with else ()
        return any(name == b"content-type" and value.startswith(b"text/event-stream") for name, value in headers)

    def stop(self) -> None:
        """Cancel the handler because the server stops, not because its client left."""
        self._is_stopped = True
        self._cancel_scope.cancel()

    def watch(self) -> None:
        """Notice from now on when the client leaves, unless the handler has to go on without it."""
        if self._is_watched:
            self._open_inbox().pull()

    async def wait_ended(self) -> None:
        """Wait, in asyncio, for the end of the handler.

        Raises:
            Exception: what the handler raised.
        """
        try:
            await self._ended
        except asyncio.CancelledError:
            if not self._is_over:
                # Cancelling the waiting task cancelled its future; the handler's end needs a new one.
                self._ended = asyncio.get_running_loop().create_future()
                self._cancel_scope.cancel()
                await self._ended
            raise

    async def run(self, app: ASGIApp) -> None:
        """Run the handler, as one trio task."""
        failure: Exception | None = None
        try:
            if not self._is_stopped:
                with self._cancel_scope:
                    await app(self._scope, self._receive_on, self._send_on)
        except Exception as error:  # noqa: BLE001 - whatever it raises, only its own request fails
            failure = error
        finally:
            # Also when all of trio is cancelled: uvicorn must not wait for a handler that has gone.
            self._is_over = True
            if self._inbox is not None:
                self._inbox.close()
            if self._is_stopped:
                self._say_goodbye()
            if not self._ended.done():
                if failure is None:
                    self._ended.set_result(None)
                elif self._is_complete:
                    # uvicorn would close the connection, though nothing is wrong with it: Starlette answers
                    # 500 and then raises on, and the client may have sent its next request already.
                    log.error("%s failed", self._scope["path"], exc_info=failure)
                    self._ended.set_result(None)
                else:
                    self._ended.set_exception(failure)

    @property
    def _is_watched(self) -> bool:
        return self._is_websocket or self._scope["method"] in READS

    def _open_inbox(self) -> Inbox:
        if self._inbox is None:
            self._inbox = Inbox(self._receive, AHEAD, self._client_left)
        return self._inbox

    async def _receive_on(self) -> Message:
        # A WebSocket handler that comes back will read of its client's leaving, so it has all its time.
        self._cancel_scope.deadline = math.inf
        return await self._open_inbox().receive()

    async def _send_on(self, message: Message) -> None:
        await wait_through(self._send(message))
        kind = message["type"]
        if kind == "http.response.start":
            self._started_with = message
        elif message.get("more_body", False):
            # A client that reads as fast as we write never makes uvicorn wait, and the others must live.
            await trio.lowlevel.checkpoint()
        elif kind in {"http.response.body", "websocket.close", "websocket.http.response.body"}:
            self._is_complete = True

    def _client_left(self) -> None:
        if self._is_complete or not self._is_watched:
            return
        if not self._is_websocket:
            self._cancel_scope.cancel()
        elif not self._open_inbox().is_awaited:
            self._cancel_scope.deadline = trio.current_time() + LINGER

    def _say_goodbye(self) -> None:
        """End the response of a handler that was stopped, as well as can be done without waiting."""
        if self._is_websocket or self._is_complete:
            return
        last: Message = {"type": "http.response.body", "body": b"", "more_body": False}
        if self._started_with is None:
            headers = [(b"connection", b"close"), (b"retry-after", b"5"), (b"content-length", b"0")]
            try_through(self._send({"type": "http.response.start", "status": 503, "headers": headers}))
            try_through(self._send(last))
        elif self.is_event_stream:
            try_through(self._send(last))
