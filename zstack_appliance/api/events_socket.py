"""Changes over a WebSocket, ``/events/ws``: any number of subscriptions that come and go on one connection.

A client sends ``{"subscribe": "<its name for it>", "resource": "VmInstance", "q": ["state=Running"], "after": "120"}``
(all but the first may be left out, ``resource`` may be a list) and ``{"unsubscribe": "<name>"}``. It is sent
``{"subscription": "<name>", "event": "change", "id": "121.1", "data": {…}}`` with the events of ``GET /events``,
``{"event": "error", …}`` for what it should not have sent, and ``{"event": "heartbeat"}`` when nothing happens.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
import trio
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from zstack_appliance.api.auth import Callers
from zstack_appliance.api.events import EVENTS_PATH, HEARTBEAT_SECONDS, Guest, interest_of
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.kernel.errors import CloudError, InvalidArgument
from zstack_appliance.kernel.events.message import Message, Position
from zstack_appliance.kernel.events.service import Events, Subscription

SOCKET_PATH = f"{EVENTS_PATH}/ws"

MOST_SUBSCRIPTIONS = 100
"""On one connection."""

POLICY, GOING_AWAY = 1008, 1001
"""Codes to close with (RFC 6455): the session is no good; the server ends."""


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What a client sends."""

    subscribe: str | None = None
    unsubscribe: str | None = None
    resource: str | list[str] | None = None
    q: list[str] | str | None = None
    after: str | int | None = None


class _Socket:
    """One connection."""

    def __init__(self, events: Events, guest: Guest, socket: WebSocket, nursery: trio.Nursery) -> None:
        self._events = events
        self._guest = guest
        self._socket = socket
        self._nursery = nursery
        self._scopes: dict[str, trio.CancelScope] = {}
        # Without a buffer, whoever has something to send waits for those before it, each in its turn.
        self._send, self._outbox = trio.open_memory_channel[str](0)

    async def write(self) -> None:
        """Send what there is, one after the other; end the connection when the session has ended."""
        while True:
            text: str | None = None
            with trio.move_on_after(HEARTBEAT_SECONDS):
                text = await self._outbox.receive()
            if not self._guest.may_stay():
                await self._socket.close(POLICY, "the session has ended; log in again")
                self._nursery.cancel_scope.cancel()
                return
            await self._socket.send_text(text if text is not None else '{"event":"heartbeat"}')

    async def read(self) -> None:
        """Obey the client until it leaves."""
        with suppress(WebSocketDisconnect):
            while True:
                message = await self._socket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                await self._obey(message.get("text") or (message.get("bytes") or b"").decode(errors="replace"))
        self._nursery.cancel_scope.cancel()

    async def _obey(self, text: str) -> None:
        name = ""
        try:
            order = msgspec.json.decode(text, type=Order)
            name = order.subscribe or order.unsubscribe or ""
            if not 0 < len(name) <= 100 or (order.subscribe and order.unsubscribe):
                raise InvalidArgument('send {"subscribe": "<name>", …} or {"unsubscribe": "<name>"}, up to 100 letters')
            if order.unsubscribe is not None:
                self._unsubscribe(name)
            else:
                self._subscribe(name, order)
        except msgspec.DecodeError as error:
            await self._complain(name, f"the message does not read as JSON of a known form: {error}")
        except CloudError as error:
            await self._complain(name, error.details)

    async def _complain(self, name: str, text: str) -> None:
        found = {"event": "error", "error": text} | ({"subscription": name} if name else {})
        await self._send.send(msgspec.json.encode(found).decode())

    def _subscribe(self, name: str, order: Order) -> None:
        if name in self._scopes:
            raise InvalidArgument(f"there is a subscription [{name}] already; unsubscribe it or use another name")
        if len(self._scopes) >= MOST_SUBSCRIPTIONS:
            raise InvalidArgument(f"one connection takes {MOST_SUBSCRIPTIONS} subscriptions; open another one")
        after = None if order.after is None else Position.parse(str(order.after))
        interest = interest_of(_listed(order.resource), _listed(order.q))
        stream = self._events.subscribe(self._guest.principal, interest, after)
        self._scopes[name] = trio.CancelScope()
        self._nursery.start_soon(self._tell, name, stream)

    def _unsubscribe(self, name: str) -> None:
        if name not in self._scopes:
            raise InvalidArgument(f"there is no subscription [{name}]")
        self._scopes.pop(name).cancel()

    async def _tell(self, name: str, stream: Subscription) -> None:
        scope = self._scopes[name]
        with scope, stream:
            async for message in stream:
                await self._send.send(text_of(name, message))
        if not scope.cancelled_caught:
            # Only the end of the session ends a subscription that nobody has cancelled.
            await self._socket.close(POLICY, "the session has ended; log in again")
            self._nursery.cancel_scope.cancel()


def text_of(name: str, message: Message) -> str:
    """One message as a WebSocket carries it. Its content has been encoded once for all who hear it."""
    head = msgspec.json.encode({"subscription": name, "event": message.event, "id": str(message.position)})
    return (head[:-1] + b',"data":' + message.data + b"}").decode()


def _listed(value: str | list[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else value


def events_socket_route(events: Events, callers: Callers) -> WebSocketRoute:
    """The route.

    Args:
        events: tells what changes.
        callers: reads credentials.
    """

    async def serve(socket: WebSocket) -> None:
        try:
            guest = Guest(callers, socket)
        except Refusal as refusal:
            await socket.close(POLICY, refusal.text)
            return
        if not guest.principal.account_uuid:
            await socket.close(POLICY, "session expired or unknown; log in and send the new session's uuid")
            return
        await socket.accept()
        async with trio.open_nursery() as nursery:
            connection = _Socket(events, guest, socket, nursery)
            nursery.start_soon(connection.write)
            await connection.read()

    return WebSocketRoute(SOCKET_PATH, serve)
