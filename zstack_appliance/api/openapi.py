"""The door's own description: ``/zstack/v1/appliance/openapi.json``. It needs no session and holds no data."""

from __future__ import annotations

import functools
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

OPENAPI_PATH = "/zstack/v1/appliance/openapi.json"


def openapi_route(make: Callable[[], bytes]) -> Route:
    """The route.

    Args:
        make: the document; asked for once, by the first request.
    """
    made = functools.cache(make)

    async def answer(_: Request) -> Response:
        return Response(made(), media_type="application/json")

    return Route(OPENAPI_PATH, answer, methods=["GET"])
