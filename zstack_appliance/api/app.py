"""The application behind every listener: all doors, and what stands before them.

Primitive: `make_app`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from zstack_appliance.api.guard import LoopbackGuard

REST_PATH = "/zstack/v1"


def make_app(rest: ASGIApp, routes: Sequence[BaseRoute] = (), names: Collection[str] = ()) -> ASGIApp:
    """Put the doors together.

    Args:
        rest: ZStack's REST door.
        routes: the other doors, such as ``/healthz``; those below the REST door's path come before it.
        names: under which loopback doors are reached besides ``localhost``; see `LoopbackGuard`.
    """
    app = Starlette(routes=[*routes, Mount(REST_PATH, app=rest)], exception_handlers={Exception: _internal_error})
    return LoopbackGuard(app, names)


async def _internal_error(_: Request, error: Exception) -> PlainTextResponse:
    """What a defect of ours looks like from outside; uvicorn logs the rest."""
    return PlainTextResponse(f"an internal error happened: {type(error).__name__}; see the log\n", 500)
