"""The bridge over real sockets: what a client does, and what the handler in trio sees of it."""

import asyncio
import hashlib
import logging
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import trio
from httpx_ws import WebSocketDisconnect
from starlette.types import Message, Receive, Scope, Send

from tests.api.door_program import CHUNK, CHUNKS
from tests.api.serving import read_until, serving, serving_app, serving_process
from tests.eventually import eventually
from zstack_appliance.api.bridge import Bridge
from zstack_appliance.api.server import Doors, StopTimes, run

HELD_AT_MOST = 24 << 20
"""Bytes that kernel buffers (some MiB at each end) and ours may hold of a stream that nobody reads."""


async def test_requests_of_one_connection_one_after_the_other_and_at_once() -> None:
    async with serving() as (_, client):
        pair = await client.socket("GET /notes HTTP/1.1\nhost: x\n\nPOST /gate/a HTTP/1.1\nhost: x\nconnection: close")
        answers = b"".join([data async for data in pair])
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(client.http.get, "/notes")


async def test_a_client_that_leaves_cancels_its_read() -> None:
    async with serving() as (_, client):
        stream = await client.socket("GET /wait/read HTTP/1.1\nhost: x")
        await client.noted("read began")
        await stream.aclose()
        await client.noted("read cancelled")


async def test_a_client_that_leaves_lets_its_change_go_on() -> None:
    async with serving() as (_, client):
        change = await client.socket("POST /wait/change HTTP/1.1\nhost: x\ncontent-length: 0")
        await client.noted("change began")
        await change.aclose()
        read = await client.socket("GET /wait/read HTTP/1.1\nhost: x")
        await client.noted("read began")
        await read.aclose()
        await client.noted("read cancelled")  # so the server has noticed the earlier leaving too
        await client.open_gate("change")
        await client.noted("change ended")


async def test_a_read_that_is_stuck_in_sending_is_cancelled_too() -> None:
    async with serving() as (_, client):
        stream = await client.socket("GET /download HTTP/1.1\nhost: x")
        await _stalls(lambda: client.moved("sent"))
        await stream.aclose()
        await client.noted("download cancelled")


async def _stalls(progress: Callable[[], Awaitable[int]]) -> int:
    """Wait until a stream has begun and does not go on; return how far it came."""
    seen = [0] * 10

    async def check() -> bool:
        seen.append(await progress())
        return seen[-1] == seen[-10] > 0

    await eventually(check)
    return seen[-1]


async def test_events_arrive_one_by_one() -> None:
    async with serving() as (_, client):
        stream = await client.socket("GET /events HTTP/1.1\nhost: x")
        for number in range(3):
            await client.open_gate(f"event{number}")
            await read_until(stream, f"data: {number}\n\n\r\n".encode())


async def test_a_download_waits_for_its_reader() -> None:
    async with serving_process() as (process, client):
        before = _peak_memory(process.pid)
        digest = hashlib.sha256()
        async with client.http.stream("GET", "/download") as response:
            assert await _stalls(lambda: client.moved("sent")) < HELD_AT_MOST
            async for chunk in response.aiter_raw():
                digest.update(chunk)
        assert digest.hexdigest() == hashlib.sha256(CHUNK * CHUNKS).hexdigest()
        assert _peak_memory(process.pid) - before < HELD_AT_MOST


async def test_an_upload_waits_for_its_reader() -> None:
    async with serving_process() as (process, client):
        before = _peak_memory(process.pid)
        head = f"POST /upload HTTP/1.1\nhost: x\nconnection: close\ncontent-length: {len(CHUNK) * CHUNKS}"
        stream = await client.socket(head)
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(CHUNKS):
                await stream.send_all(CHUNK)
                sent += len(CHUNK)

        async def count() -> int:
            return sent

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            assert await _stalls(count) < HELD_AT_MOST
            await client.open_gate("upload")
        answer = b"".join([data async for data in stream])
        assert answer.endswith(hashlib.sha256(CHUNK * CHUNKS).hexdigest().encode())
        assert _peak_memory(process.pid) - before < HELD_AT_MOST


def _peak_memory(pid: int) -> int:
    """Bytes of memory that a process has held at most."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


async def test_a_body_is_asked_for_only_if_it_is_wanted() -> None:
    async with serving() as (_, client):
        head = "POST /{} HTTP/1.1\nhost: x\nconnection: close\nexpect: 100-continue\ncontent-length: 5"
        refused = await client.socket(head.format("refuse"))
        assert (await read_until(refused, b"\r\n\r\n")).startswith(b"HTTP/1.1 403")
        taken = await client.socket(head.format("take"))
        assert (await read_until(taken, b"\r\n\r\n")).startswith(b"HTTP/1.1 100 Continue")
        await taken.send_all(b"12345")
        assert b"".join([data async for data in taken]).endswith(b"5")


async def test_an_exception_is_a_500_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (_, client):
        waiting = await client.socket("GET /wait/other HTTP/1.1\nhost: x\nconnection: close")
        await client.noted("other began")
        for fault in ("/fail", "/fail?group"):
            answer = await client.http.get(fault)
            assert (answer.status_code, answer.text) == (500, "Internal Server Error")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.http.get("/fail?late")
        await client.open_gate("other")
        assert b"200 OK" in b"".join([data async for data in waiting])
        traces = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
        assert traces == ["broken", "several (2 sub-exceptions)", "broken half-way"]


async def test_an_exception_before_any_answer_is_a_500() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("broken")

    async with serving_app(app) as server, httpx.AsyncClient(base_url=server.url) as client:
        assert (await client.get("/")).status_code == 500


async def test_a_failing_change_without_its_client_disturbs_nobody() -> None:
    async with serving() as (_, client):
        stream = await client.socket("POST /fail HTTP/1.1\nhost: x\ncontent-length: 0")
        await stream.aclose()
        assert (await client.http.get("/notes")).status_code == 200


async def test_a_websocket_echoes_and_ends() -> None:
    async with serving() as (_, client):
        async with client.websocket("/echo") as socket:
            for text in ("one", "two"):
                await socket.send_text(text)
                assert await socket.receive_text() == text
        await client.noted("echo left 1000")


async def test_a_websocket_handler_that_never_receives_is_cancelled_when_its_client_leaves() -> None:
    async with serving() as (_, client):
        async with client.websocket("/deaf") as socket:
            await client.noted("deaf began")
            for _ in range(10):
                await socket.send_text("anybody there?")
        await client.noted("deaf cancelled")


async def test_a_client_that_floods_a_websocket_has_to_wait() -> None:
    async with serving(times=StopTimes(grace=0.1)) as (_, client), trio.open_nursery() as nursery:
        stream = await client.bare_websocket("/deaf")
        sent = 0

        async def flood() -> None:
            nonlocal sent
            frame = struct.pack("!BBQ4x", 0x82, 0xFF, len(CHUNK)) + CHUNK  # binary, masked with zeros
            for _ in range(CHUNKS):
                await stream.send_all(frame)
                sent += len(CHUNK)

        async def count() -> int:
            return sent

        nursery.start_soon(flood)
        assert await _stalls(count) < HELD_AT_MOST
        nursery.cancel_scope.cancel()


async def test_a_websocket_handler_reads_its_last_messages_before_the_disconnect() -> None:
    async with serving() as (_, client):
        async with client.websocket("/busy") as socket:
            for text in ("save", "and", "reboot"):
                await socket.send_text(text)
        await client.open_gate("busy")
        await client.noted("busy left 1000")
        assert await client.notes() == ["busy began", "save", "and", "reboot", "busy left 1000"]
        await client.open_gate("parting")


async def test_a_websocket_handler_may_work_on_after_the_end() -> None:
    """Whether it closed the WebSocket itself or read that its client had left."""
    async with serving() as (_, client):
        async with client.websocket("/parting") as socket:
            with pytest.raises(WebSocketDisconnect):
                await socket.receive_text()
        async with client.websocket("/busy"):
            await client.noted("busy began")
        await client.open_gate("busy")
        await client.noted("busy left 1000")
        async with client.websocket("/deaf"):
            await client.noted("deaf began")
        await client.noted("deaf cancelled")  # so the time to notice is over for all of them
        await client.open_gate("parting")
        await client.noted("parting ended")
        await client.noted("busy ended")


async def test_stopping_lets_requests_finish_and_ends_streams() -> None:
    async with serving() as (server, client):
        waiting = await client.socket("GET /wait/change HTTP/1.1\nhost: x")
        events = await client.socket("GET /events HTTP/1.1\nhost: x")
        await client.noted("change began")
        await client.noted("events began")
        await client.open_gate("event0")
        async with client.websocket("/echo") as socket:
            gate = await client.socket("POST /gate/change HTTP/1.1\nhost: x\nexpect: 100-continue\ncontent-length: 1")
            assert b"100 Continue" in await read_until(gate, b"\r\n\r\n")
            server.stop()
            assert b"".join([data async for data in events]).endswith(b"data: 0\n\n\r\n0\r\n\r\n")
            with pytest.raises(WebSocketDisconnect) as left:
                await socket.receive_text()
            assert left.value.code == 1012  # the server restarts
            with pytest.raises(OSError, match="all attempts to connect"):
                await client.socket("GET / HTTP/1.1")
            assert not server.ended.is_set()
            await gate.send_all(b"x")
            assert b"200 OK" in b"".join([data async for data in waiting])
        await server.ended.wait()
        assert server.status == 0


@pytest.fixture
def silence(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.WARNING)
    return caplog


async def test_nothing_of_trio_crosses_into_asyncio(silence: pytest.LogCaptureFixture) -> None:
    """Cancelled by a client, by stopping, and inside of a send: uvicorn sees an end, not an exception."""
    async with serving() as (server, client):
        stream = await client.socket("GET /wait/read HTTP/1.1\nhost: x")
        await client.noted("read began")
        await stream.aclose()
        await client.noted("read cancelled")
        download = await client.socket("GET /download HTTP/1.1\nhost: x")
        await _stalls(lambda: client.moved("sent"))
        await download.aclose()
        await client.noted("download cancelled")
        await client.socket("GET /events HTTP/1.1\nhost: x")
        await client.noted("events began")
        server.stop()
        await server.ended.wait()
    assert silence.messages == []


@pytest.mark.parametrize("by_itself", [False, True])
async def test_a_task_that_is_cancelled_by_uvicorn_waits_for_its_handler(by_itself: bool) -> None:
    """The handler is cancelled, and the task ends after it; also if it is just about to end by itself."""
    order: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        order.append("began")
        try:
            if by_itself:
                scope["state"]["task"].cancel()
            else:
                await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                for _ in range(0 if by_itself else 10):
                    await trio.lowlevel.checkpoint()
            order.append("handler ended")

    async def receive() -> Message:
        raise AssertionError("nobody receives")

    async def send(message: Message) -> None:
        raise AssertionError("nobody sends")

    async def main(_: Doors) -> int:
        state: dict[str, asyncio.Task[None]] = {}
        request = Bridge(app)({"type": "http", "method": "POST", "state": state}, receive, send)
        task = state["task"] = asyncio.get_running_loop().create_task(request)
        ended = trio.Event()
        task.add_done_callback(lambda _: order.append("task ended"))
        task.add_done_callback(lambda _: ended.set())
        await eventually(lambda: "began" in order)
        if not by_itself:
            task.cancel()
        with trio.fail_after(5):
            await ended.wait()
        assert task.cancelled()
        return 0

    assert await trio.to_thread.run_sync(lambda: run(main, signals=())) == 0
    assert order == ["began", "handler ended", "task ended"]


async def test_an_application_that_streams_to_a_fast_reader_lets_others_live() -> None:
    other = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/other":
            other.set()
        else:
            while not other.is_set():
                await send({"type": "http.response.body", "body": b"", "more_body": True})
        await send({"type": "http.response.body", "body": b"end"})

    async with (
        serving_app(app) as server,
        httpx.AsyncClient(base_url=server.url) as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(client.get, "/endless")
        nursery.start_soon(client.get, "/other")
