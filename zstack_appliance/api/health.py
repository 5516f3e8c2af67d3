"""``/healthz``: whether the appliance is ready, and its own version."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


def health_route(version: str, is_ready: Callable[[], bool]) -> Route:
    """The route: 200 once ready, 503 before, and ``{"version": ..., "ready": ...}`` both times.

    Args:
        version: the appliance's semantic version, not ZStack's API level.
        is_ready: asked at each request.
    """

    async def healthz(_: Request) -> JSONResponse:
        ready = is_ready()
        return JSONResponse({"version": version, "ready": ready}, 200 if ready else 503)

    return Route("/healthz", healthz, methods=["GET"])
