"""Changes as they happen, for the pages that are open: one stream per browser, `live_stream`.

Who is told of what is the kernel's business (`kernel/events`). Each event names rows and says nothing of what is
in them: the page asks for those that it shows. A page says when it was made, so that it misses nothing until it
listens; a browser that fell behind is told to read afresh.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec
import trio
from starlette.responses import Response

from zstack_appliance.api.events import heard_by
from zstack_appliance.api.streaming import StreamedResponse
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.events.message import Message
from zstack_appliance.kernel.events.service import Subscription
from zstack_appliance.kernel.events.topic import Interest

BEAT = 25.0
"""Seconds after which a quiet stream says that it is still there, and looks whether the session is."""

STREAM = "text/event-stream"

HOW = {"created": "+", "entered": "+", "updated": "=", "deleted": "-", "left": "-"}
"""Whether a row came, changed or went, for the person who looks."""


async def live_stream(visit: Visit) -> Response:
    """The stream of this person's changes."""
    stream = visit.inside.events.subscribe(visit.principal, Interest(), heard_by(visit.request))
    return StreamedResponse(told(visit, stream), STREAM, {"cache-control": "no-store", "x-accel-buffering": "no"})


async def told(visit: Visit, stream: Subscription) -> AsyncGenerator[str, None]:
    """A subscription as pages understand it, until it or the session ends."""
    yield "retry: 2000\n\n"
    with stream:
        while True:
            message: Message | None = None
            with trio.move_on_after(BEAT) as patience:
                message = await stream.get()
            if (message is None and not patience.cancelled_caught) or not _is_signed_in(visit):
                yield "event: signed-out\ndata: {}\n\n"
                return
            yield ": still here\n\n" if message is None else text_of([message, *stream.waiting()])


def _is_signed_in(visit: Visit) -> bool:
    if visit.session is None:
        return bool(visit.principal.account_uuid)
    return bool(visit.inside.callers.of_session(visit.request, visit.session).account_uuid)


def text_of(messages: Sequence[Message]) -> str:
    """What to do about messages that came together: read afresh, read these rows, or know that all is well."""
    events = {message.event for message in messages}
    hello = _event("hello", messages[0], "{}") if "ready" in events else ""
    if "gap" in events:
        return hello + _event("resync", messages[-1], "{}")
    about = (message.about for message in messages if message.about is not None)
    rows = dict.fromkeys((each.table, each.key, HOW[each.kind]) for each in about)
    return hello + (_event("rows", messages[-1], msgspec.json.encode(list(rows)).decode()) if rows else "")


def _event(name: str, message: Message, data: str) -> str:
    return f"event: {name}\nid: {message.position}\ndata: {data}\n\n"
