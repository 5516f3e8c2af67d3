"""All doors together."""

from __future__ import annotations

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from zstack_appliance.api.app import make_app


async def rest(scope: Scope, receive: Receive, send: Send) -> None:
    """Says what it was asked, below its own path."""
    path = scope["path"].removeprefix(scope["root_path"])
    await PlainTextResponse(f"rest {path}")(scope, receive, send)


async def broken(_: Request) -> PlainTextResponse:
    """A door with a defect."""
    raise ValueError("secret detail")


async def get(path: str, host: str = "localhost") -> httpx.Response:
    app = make_app(rest, [Route("/broken", broken)])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        return await client.get(path, headers={"host": host})


async def test_rest_is_below_its_path_and_other_doors_beside_it() -> None:
    assert (await get("/zstack/v1/zones")).text == "rest /zones"
    assert (await get("/zstack//v1//zones//1")).text == "rest /zones/1"
    assert (await get("/v1/zones")).text == "rest /zones"
    assert (await get("/nowhere")).status_code == 404


async def test_a_defect_tells_its_name_alone() -> None:
    answer = await get("/broken")
    assert (answer.status_code, answer.text) == (500, "an internal error happened: ValueError; see the log\n")


async def test_every_door_is_guarded() -> None:
    assert (await get("/zstack/v1/zones", host="evil.example")).status_code == 421
    assert (await get("/broken", host="evil.example")).status_code == 421
