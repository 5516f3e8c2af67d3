"""What a connection adds to uvicorn's: bounds on the head, and who is at the other end."""

import os
from pathlib import Path

import httpx
import pytest

from tests.api.serving import Client, read_until, serving
from zstack_appliance.api import protocol
from zstack_appliance.api.listen import ListenUnix
from zstack_appliance.api.protocol import HEAD_BYTES, PeerCredentials, peer_credentials


async def test_a_head_without_end_is_refused() -> None:
    async with serving() as (_, client):
        stream = await client.connect()
        await stream.send_all(b"GET / HTTP/1.1\r\nhost: " + b"x" * HEAD_BYTES)
        assert b"head is longer than 65536 bytes" in b"".join([data async for data in stream])


async def test_heads_in_pieces_are_counted_one_by_one() -> None:
    async with serving() as (_, client):
        stream = await client.connect()
        for _ in range(4):
            await stream.send_all(b"GET /notes HTTP/1.1\r\nhost: " + b"x" * (HEAD_BYTES // 2))
            await client.http.get("/notes")  # so the piece has been read
            await stream.send_all(b"\r\n\r\n")
            assert b"200 OK" in await read_until(stream, b"}")


async def test_a_long_body_is_no_head() -> None:
    async with serving() as (_, client):
        answer = await client.http.post("/take", content=bytes(4 * HEAD_BYTES))
        assert answer.text == str(4 * HEAD_BYTES)
        assert (await client.http.post("/take", content=b"again")).text == "5"


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nhost:"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    before: int, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    async with serving() as (_, client):
        stream = await client.connect()
        for _ in range(before):
            await stream.send_all(b"GET /notes HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"200 OK" in await read_until(stream, b"}")
        await stream.send_all(begun)
        answer = b"".join([data async for data in stream])
        assert answer.count(b"400 Bad Request") == 1
        assert b"head took longer than 0.1 seconds" in answer


async def test_a_connection_that_says_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.1)
    async with serving() as (_, client):
        stream = await client.connect()
        assert b"head took longer" in b"".join([data async for data in stream])


async def test_garbage_is_refused() -> None:
    async with serving() as (_, client):
        stream = await client.socket("\x16\x03\x01 hello")
        assert b"400 Bad Request" in b"".join([data async for data in stream])


async def test_a_head_and_a_websocket_may_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    async with serving() as (_, client), client.websocket("/echo") as socket:
        read = await client.socket("GET /wait/a HTTP/1.1\nhost: x\nconnection: close")
        late = await client.connect()
        assert b"400" in b"".join([data async for data in late])  # so a head's time is over
        await socket.send_text("still here")
        assert await socket.receive_text() == "still here"
        await client.open_gate("a")
        assert b"200 OK" in b"".join([data async for data in read])


async def test_the_peer_of_a_unix_socket_is_known(tmp_path: Path) -> None:
    us = [os.getpid(), os.getuid(), os.getgid()]
    async with serving(ListenUnix(tmp_path / "door")):
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "door"))
        async with httpx.AsyncClient(base_url="http://local", transport=transport) as http:
            forged = {"x-zstack.peer": "0", "state": "0"}
            assert (await http.get("/peer", headers=forged)).json() == us
            async with Client("http://local", http).websocket("/peer") as socket:
                assert await socket.receive_json() == us


async def test_the_peer_of_a_port_is_not() -> None:
    async with serving() as (_, client):
        assert (await client.http.get("/peer")).json() is None


def test_credentials_are_read_from_the_state_alone() -> None:
    peer = PeerCredentials(1, 2, 3)
    assert peer_credentials({"state": {"zstack.peer": peer}}) is peer
    assert peer_credentials({"state": {}, "zstack.peer": peer}) is None
    assert peer_credentials({}) is None
