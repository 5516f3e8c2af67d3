"""Where there are several nodes, a request sees what any of them answered before: `Fresh`.

A client may send one call to one node and the next to another. So a node first applies what the others have
committed by the time that a request comes; many requests share one look at the log.
"""

from __future__ import annotations

import logging

import trio
from starlette.types import ASGIApp, Receive, Scope, Send

from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.store import Store

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
"""How long a request waits for the log. After that it is served from what is known here, which may be old."""


class Fresh:
    """Stands before all doors.

    Args:
        app: the doors.
        store: this node's.
    """

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app = app
        self._store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] in ("http", "websocket"):
            await self._catch_up()
        await self._app(scope, receive, send)

    async def _catch_up(self) -> None:
        try:
            with trio.fail_after(PATIENCE_SECONDS):
                await self._store.catch_up()
        except (CloudError, trio.TooSlowError):
            log.warning("the log does not answer; a request is served from what is known here", exc_info=True)
