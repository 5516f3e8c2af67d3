"""Which requests a loopback door takes."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from zstack_appliance.api.guard import LoopbackGuard


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """What is guarded."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    elif scope["type"] == "http":
        await PlainTextResponse("in")(scope, receive, send)


GUARD = LoopbackGuard(behind, names=("cloud.example",))


async def ask(
    host: str | None,
    origin: str | None = None,
    *,
    kind: str = "http",
    scheme: str = "http",
    server: tuple[str, int | None] | None = ("127.0.0.1", 8080),
) -> Message:
    """The first message that the door answers with."""
    headers = [(name, value.encode()) for name, value in ((b"host", host), (b"origin", origin)) if value is not None]
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": kind, "scheme": scheme, "server": server, "headers": headers, "method": "GET"}
    await GUARD(scope, receive, send)
    return sent[0]


async def status(
    host: str | None,
    origin: str | None = None,
    scheme: str = "http",
    server: tuple[str, int | None] | None = ("127.0.0.1", 8080),
) -> int:
    code: int = (await ask(host, origin, scheme=scheme, server=server))["status"]
    return code


OURS = "localhost localhost:8080 LOCALHOST a.localhost 127.0.0.1:8080 [::1]:8080 10.0.0.5 cloud.example"
OTHERS = "evil.example evil.example:8080 localhost.evil.example notlocalhost [ a@localhost@b"


@pytest.mark.parametrize("host", OURS.split())
async def test_our_own_names_are_let_in(host: str) -> None:
    assert await status(host) == 200


@pytest.mark.parametrize("host", [*OTHERS.split(), "", None])
async def test_other_names_are_a_misdirected_request(host: str | None) -> None:
    assert await status(host) == 421


@pytest.mark.parametrize(
    ("host", "origin", "expected"),
    [
        ("localhost:8080", "http://localhost:8080", 200),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", 200),
        ("localhost:8080", "https://cloud.example", 200),
        ("localhost:8080", "http://localhost:3000", 403),
        ("localhost:8080", "http://evil.example", 403),
        ("localhost:8080", "http://203.0.113.9", 403),
        ("localhost:8080", "null", 403),
        ("localhost:8080", "http://[", 403),
    ],
)
async def test_pages_of_other_sites_are_kept_out(host: str, origin: str, expected: int) -> None:
    assert await status(host, origin) == expected


async def test_a_websocket_is_closed_before_it_opens() -> None:
    assert (await ask("localhost", kind="websocket", scheme="ws"))["type"] == "websocket.accept"
    closed = await ask("evil.example", kind="websocket", scheme="ws")
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)


async def test_other_doors_are_not_guarded() -> None:
    assert await status("evil.example", server=("192.0.2.7", 8080)) == 200
    assert await status("evil.example", scheme="https") == 200
    assert await status("evil.example", server=("/run/socket", None)) == 200
    assert await status("evil.example", server=None) == 200
