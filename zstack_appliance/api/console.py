"""``/console/ws?token=``: the door through which a browser reaches the display or the serial port of a VM.

Primitive: `console_route`. The token is a ticket, good once. Bytes pass both ways as they are: RFB for noVNC,
a terminal's characters for a serial port. Nothing of the VM listens anywhere for this.
"""

from __future__ import annotations

import trio
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from trio.abc import Stream

from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.tickets import Holds, Tickets

CONSOLE_PATH = "/console/ws"

REFUSED, FAILED, ENDED = 4401, 4503, 1000
"""Close codes: the ticket is no good; there is nothing to connect with; the VM's side ended."""

LOOK_SECONDS = 2.0
"""How long a console outlives the session that it was opened with."""

_CHUNK = 65536
_REASON_BYTES = 123
"""A close frame holds no more."""


def console_route(tickets: Tickets) -> WebSocketRoute:
    """The door.

    Args:
        tickets: say what a token opens.
    """

    async def serve(socket: WebSocket) -> None:
        # Viewers that speak of sub-protocols insist on an answer; the bytes are the same.
        offered = socket.scope.get("subprotocols") or ()
        await socket.accept(subprotocol="binary" if "binary" in offered else None)
        found = tickets.redeem(socket.query_params.get("token", ""))
        if found is None:
            await _close(socket, REFUSED, "the token was used already or has expired; ask for console access again")
            return
        try:
            stream = await found.open()
        except CloudError as error:
            await _close(socket, FAILED, error.details)
            return
        async with stream:
            await _carry(socket, stream, found.holds)

    return WebSocketRoute(CONSOLE_PATH, serve)


async def _carry(socket: WebSocket, stream: Stream, holds: Holds) -> None:
    """Bytes both ways until either side ends, or the right to them does."""
    async with trio.open_nursery() as nursery:

        async def from_client() -> None:
            try:
                while True:
                    await stream.send_all(_bytes_of(await socket.receive()))
            except (WebSocketDisconnect, trio.BrokenResourceError, trio.ClosedResourceError):
                nursery.cancel_scope.cancel()

        async def while_it_holds() -> None:
            while True:
                if not holds():
                    await _close(socket, REFUSED, "the session that this was opened with has ended; sign in again")
                    nursery.cancel_scope.cancel()
                await trio.sleep(LOOK_SECONDS)

        nursery.start_soon(from_client)
        nursery.start_soon(while_it_holds)
        try:
            while data := await stream.receive_some(_CHUNK):
                await socket.send_bytes(bytes(data))
        except (trio.BrokenResourceError, WebSocketDisconnect):
            pass  # Both mean what the end of the stream means.
        await _close(socket, ENDED, "the VM is off, or somebody else has opened its serial port")
        nursery.cancel_scope.cancel()


def _bytes_of(message: object) -> bytes:
    """What a client sent; terminals send text, viewers bytes.

    Raises:
        WebSocketDisconnect: it has gone.
    """
    assert isinstance(message, dict)
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code") or 1000)
    data = message.get("bytes")
    return data if data is not None else str(message.get("text") or "").encode()


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    short = reason.encode()[:_REASON_BYTES].decode(errors="ignore")
    try:
        await socket.close(code, short)
    except (RuntimeError, WebSocketDisconnect):
        return  # It has gone already.
