"""One HTTP connection, as uvicorn parses it, with the two things added that uvicorn leaves out.

Primitives: `DoorProtocol` (bounds in bytes and seconds on the head of a request, which anyone may send
before any login), `peer_credentials` (who is at the other end of a unix socket).
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_BYTES = 65536
"""The longest head (request line and headers) that is read; the parser itself knows no bound."""

HEAD_SECONDS = 15.0
"""How long a client may take over a head, from the connection or from its first byte."""

PEER = "zstack.peer"
"""The key of the credentials in the ``state`` of an ASGI scope."""


class PeerCredentials(NamedTuple):
    """The process at the other end of a unix socket, as the kernel knew it when it connected."""

    pid: int
    uid: int
    gid: int


def peer_credentials(scope: Mapping[str, Any]) -> PeerCredentials | None:
    """Who sent a request or opened a WebSocket, or None unless it came over a unix socket."""
    peer = scope.get("state", {}).get(PEER)
    return peer if isinstance(peer, PeerCredentials) else None


class DoorProtocol(HttpToolsProtocol):
    """A connection at one of our doors."""

    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._start_head_timer()
        peer_socket = transport.get_extra_info("socket")
        if peer_socket is not None and peer_socket.family == socket.AF_UNIX:
            layout = struct.Struct("3i")
            packed = peer_socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size)
            # uvicorn copies this into the scope of each request, and hands it on to a WebSocket.
            self.app_state = {**self.app_state, PEER: PeerCredentials(*layout.unpack(packed))}

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # uvicorn makes a scope when a head begins, and a cycle of it when the head is complete.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.scope is not self.scope:
            self._read_head(len(data))
        elif self._head_timer is not None:
            self._stop_head_timer()

    def _read_head(self, size: int) -> None:
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            self._stop_head_timer()  # refused, or a WebSocket now
            return
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES:
            self.send_400_response(f"The request's head is longer than {HEAD_BYTES} bytes.")
        elif self._head_timer is None:
            self._start_head_timer()

    def _start_head_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)

    def _stop_head_timer(self) -> None:
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if not self.transport.is_closing():
            self.send_400_response(f"The request's head took longer than {HEAD_SECONDS:g} seconds.")
