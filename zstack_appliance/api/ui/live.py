"""Changes as they happen, for the pages that are open: one stream per browser, `live_stream`.

Each event names rows that this person may see and says nothing of what is in them: the page asks for those that
it shows. A browser that fell behind is told to read afresh.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable

import msgspec
import trio
from starlette.responses import Response

from zstack_appliance.api.streaming import StreamedResponse
from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.sharing import sees
from zstack_appliance.kernel.store.feed import Batch, Change, Dropped

BUFFER = 256
"""Commits that are kept for a browser that is busy."""

BEAT = 25.0
"""Seconds after which a quiet stream says that it is still there, and looks whether the session is."""

MOST = 500
"""Rows that one event names. Beyond it the page reads afresh."""

STREAM = "text/event-stream"


async def live_stream(visit: Visit) -> Response:
    """The stream of this person's changes."""
    return StreamedResponse(_events(visit), STREAM, {"cache-control": "no-store", "x-accel-buffering": "no"})


async def _events(visit: Visit) -> AsyncGenerator[bytes | str, None]:
    yield "retry: 2000\nevent: hello\ndata: {}\n\n"
    while True:
        with visit.inside.portal.kernel.store.feed.subscribed(BUFFER) as changes:
            behind = False
            while not behind:
                batch: Batch | Dropped | None = None
                with trio.move_on_after(BEAT):
                    batch = await changes.receive()
                if not _is_signed_in(visit):
                    yield "event: signed-out\ndata: {}\n\n"
                    return
                if isinstance(batch, Dropped):
                    behind = True
                    yield "event: resync\ndata: {}\n\n"
                elif batch is None:
                    yield ": still here\n\n"
                else:
                    told = event_of(visit, batch.changes)
                    if told:
                        yield told


def _is_signed_in(visit: Visit) -> bool:
    if visit.session is None:
        return bool(visit.principal.account_uuid)
    return bool(visit.inside.callers.of_session(visit.request, visit.session).account_uuid)


def event_of(visit: Visit, changes: Iterable[Change]) -> str:
    """The event that tells of these changes; empty when none of them is this person's to know."""
    rows = [
        [change.table, change.key, "+" if change.before is None else "-" if change.after is None else "="]
        for change in changes
        if _may_know(visit, change)
    ]
    if not rows:
        return ""
    if len(rows) > MOST:
        return "event: resync\ndata: {}\n\n"
    return f"event: rows\ndata: {msgspec.json.encode(rows).decode()}\n\n"


def _may_know(visit: Visit, change: Change) -> bool:
    row = change.after if change.after is not None else change.before
    if row is None:
        return False
    if change.owner == visit.principal.account_uuid:
        return True  # also of a row that has gone, whose owner nobody else knows any more
    return sees(visit.inside.portal.kernel.store, type(row), row.uuid, visit.principal)
