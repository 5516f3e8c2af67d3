"""The application behind every listener: all doors, and what stands before them.

Primitive: `make_app`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from zstack_appliance.api.guard import LoopbackGuard

REST_PATH = "/zstack/v1"

SHORT_REST_PATH = "/v1"
"""The same door for clients whose base address names no context path; signatures and errors call it so, too."""


def make_app(rest: ASGIApp, routes: Sequence[BaseRoute] = (), names: Collection[str] = ()) -> ASGIApp:
    """Put the doors together.

    Args:
        rest: ZStack's REST door.
        routes: the other doors, such as ``/healthz``; those below the REST door's path come before it.
        names: under which loopback doors are reached besides ``localhost``; see `LoopbackGuard`.
    """
    doors = [Mount(path, app=rest) for path in (REST_PATH, SHORT_REST_PATH)]
    app = Starlette(routes=[*routes, *doors], exception_handlers={Exception: _internal_error})
    return LoopbackGuard(_SingleSlashes(app), names)


class _SingleSlashes:
    """Reads several slashes in a row as one: clients join a base address that ends in one with a path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "//" in scope.get("path", ""):
            scope = {**scope, "path": re.sub("/{2,}", "/", scope["path"])}
        await self._app(scope, receive, send)


async def _internal_error(_: Request, error: Exception) -> PlainTextResponse:
    """What a defect of ours looks like from outside; uvicorn logs the rest."""
    return PlainTextResponse(f"an internal error happened: {type(error).__name__}; see the log\n", 500)
