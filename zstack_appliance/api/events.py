"""Changes as server-sent events, ``GET /events``: for browsers, ``curl -N`` and whoever wants no WebSocket.

Primitives: `events_route`, and what other doors share: `interest_of`, `heard_by`, and `Guest`, which notices that
a session has ended. What is told, and to whom, is the kernel's business (`kernel/events`).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

import msgspec
import trio
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from zstack_appliance.api.auth import Callers
from zstack_appliance.api.refusal import Refusal
from zstack_appliance.api.streaming import StreamedResponse
from zstack_appliance.kernel.conditions import parse_condition
from zstack_appliance.kernel.errors import CloudError, InvalidArgument, Unauthenticated
from zstack_appliance.kernel.events.message import Message, Position
from zstack_appliance.kernel.events.service import Events, Subscription
from zstack_appliance.kernel.events.topic import Interest
from zstack_appliance.kernel.principal import Principal

EVENTS_PATH = "/events"

HEARTBEAT_SECONDS = 15.0
"""How long nothing may be sent, so that either end notices that the other is gone."""

PARAMETERS = ("resource", "q", "after")

STREAM = "text/event-stream"


class Guest:
    """Whoever listens, and whether it still may.

    Args:
        callers: reads credentials.
        connection: brought them.
    """

    def __init__(self, callers: Callers, connection: HTTPConnection) -> None:
        self._callers = callers
        self._connection = connection
        self.principal = self._read()
        self._asked = trio.current_time()

    def may_stay(self) -> bool:
        """Whether the session is still good; looked up once a second at most."""
        if trio.current_time() - self._asked >= 1.0:
            self._asked = trio.current_time()
            self.principal = self._read()
        return bool(self.principal.account_uuid)

    def _read(self) -> Principal:
        return self._callers.caller(self._connection, needs_session=True)


def interest_of(resources: Sequence[str], conditions: Sequence[str]) -> Interest:
    """What somebody wants to hear of.

    Raises:
        InvalidArgument: a condition has no operator.
    """
    return Interest(tuple(resources), tuple(dict.fromkeys(parse_condition(text) for text in conditions)))


def events_route(events: Events, callers: Callers) -> Route:
    """The route.

    Args:
        events: tells what changes.
        callers: reads credentials.
    """

    async def serve(request: Request) -> Response:
        try:
            guest = Guest(callers, request)
            stream = events.subscribe(guest.principal, _interest(request), heard_by(request))
        except Refusal as refusal:
            return refusal.response()
        except CloudError as error:
            return _refused(error)
        if request.method == "HEAD":
            return Response(media_type=STREAM)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamedResponse(told(stream, guest.may_stay), STREAM, headers)

    return Route(EVENTS_PATH, serve, methods=["GET"])


async def told(stream: Subscription, may_stay: Callable[[], bool]) -> AsyncGenerator[bytes, None]:
    """A subscription as the text of an event stream, until it or the session ends.

    Args:
        stream: gives the messages.
        may_stay: whether the session is still good.
    """
    with stream:
        while True:
            message: Message | None = None
            with trio.move_on_after(HEARTBEAT_SECONDS) as patience:
                message = await stream.get()
            # What arrived is sent, also when patience ended at the same moment.
            if not may_stay() or (message is None and not patience.cancelled_caught):
                return
            yield b": still here\n\n" if message is None else text_of(message)


def text_of(message: Message) -> bytes:
    """One message as an event stream has it."""
    return b"event: %s\nid: %s\ndata: %s\n\n" % (message.event.encode(), str(message.position).encode(), message.data)


def _interest(request: Request) -> Interest:
    unknown = sorted(set(request.query_params) - {*PARAMETERS})
    if unknown:
        raise InvalidArgument(f"there is no parameter [{unknown[0][:100]}]; there are {', '.join(PARAMETERS)}")
    return interest_of(request.query_params.getlist("resource"), request.query_params.getlist("q"))


def heard_by(request: Request) -> Position | None:
    """Where to resume. The header is what a browser sends when it comes again, so it counts first.

    Raises:
        InvalidArgument: it is no position.
    """
    text = request.headers.get("last-event-id") or request.query_params.get("after")
    return None if not text else Position.parse(text)


def _refused(error: CloudError) -> Response:
    status = 401 if isinstance(error, Unauthenticated) else 400
    return Response(msgspec.json.encode({"error": error.to_wire()}), status, media_type="application/json")
