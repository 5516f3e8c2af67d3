"""``/healthz``, before and after the appliance is ready."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette

from zstack_appliance.api.health import health_route


async def test_it_says_whether_the_appliance_is_ready() -> None:
    ready: list[bool] = []
    app = Starlette(routes=[health_route("1.2.3", lambda: bool(ready))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        before = await client.get("/healthz")
        assert (before.status_code, before.json()) == (503, {"version": "1.2.3", "ready": False})
        ready.append(True)
        after = await client.get("/healthz")
        assert (after.status_code, after.json()) == (200, {"version": "1.2.3", "ready": True})
