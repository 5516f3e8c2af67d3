"""Doors and how they stop: listeners of every kind, signals, and the end that comes in any case."""

import signal
import ssl
from pathlib import Path

import httpx
import pytest
import trio

from tests.api.certificate import self_signed
from tests.api.serving import Client, client, serving, serving_process
from zstack_appliance.api.listen import CannotListen, Listen, ListenUnix
from zstack_appliance.api.server import FORCED, Doors, StopTimes, run

KILLED_BY_WATCHDOG = 1
"""The exit status that `faulthandler` ends a hanging process with."""


async def test_one_application_behind_several_doors(tmp_path: Path) -> None:
    tls = self_signed(tmp_path)
    plain, secure, local = Listen("127.0.0.1", 0), Listen("127.0.0.1", 0, tls), ListenUnix(tmp_path / "door")
    trust = ssl.create_default_context(cafile=tls.certificate)
    async with serving(plain, secure, local) as (server, _):
        urls = [address.url for address in server.addresses]
        assert urls[0] == f"http://127.0.0.1:{server.addresses[0].port}/"
        assert urls[1] == f"https://127.0.0.1:{server.addresses[1].port}/"
        assert urls[2] == f"unix:{tmp_path / 'door'}"
        async with httpx.AsyncClient(verify=trust) as http:
            await http.post(f"{urls[0]}gate/shared")
            answer = await http.get(f"{urls[1]}wait/shared")
            assert answer.json() == {"scheme": "https"}
            async with Client(urls[1], http).websocket("/echo") as socket:
                await socket.send_text("through TLS")
                assert await socket.receive_text() == "through TLS"
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(tmp_path / "door"))) as http:
            assert (await http.get("http://local/wait/shared")).json() == {"scheme": "http"}
    assert not (tmp_path / "door").exists()


async def test_a_listener_that_cannot_open_closes_the_others(tmp_path: Path) -> None:
    async def main(doors: Doors) -> int:
        async with doors.open(_no_app, Listen("127.0.0.1", 0)) as (address,):
            assert address.port is not None
            with pytest.raises(CannotListen, match=f"127.0.0.1 port {address.port}: Address already in use; stop"):
                async with doors.open(_no_app, ListenUnix(tmp_path / "door"), Listen("127.0.0.1", address.port)):
                    raise AssertionError("it opened")
        assert not (tmp_path / "door").exists()
        return 0

    assert await trio.to_thread.run_sync(lambda: run(main, signals=())) == 0


async def _no_app(*_: object) -> None:
    raise AssertionError("nobody asks")


async def test_what_the_program_returns_or_raises_comes_out() -> None:
    async def seven(_: Doors) -> int:
        return 7

    async def fail(doors: Doors) -> int:
        async with doors.open(_no_app, Listen("127.0.0.1", 0)):
            raise LookupError("as it is, in no group")

    assert await trio.to_thread.run_sync(lambda: run(seven, signals=())) == 7
    with pytest.raises(LookupError, match="in no group"):
        await trio.to_thread.run_sync(lambda: run(fail, signals=()))


async def test_the_grace_period_ends_with_503() -> None:
    async with serving(times=StopTimes(grace=0.1)) as (server, client):
        waiting = await client.socket("POST /wait/long HTTP/1.1\nhost: x\ncontent-length: 0")
        await client.noted("long began")
        server.stop()
        answer = b"".join([data async for data in waiting])
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"connection: close" in answer
        await server.ended.wait()
    assert server.status == 0


async def test_a_client_that_does_not_read_is_hung_up_on() -> None:
    async with serving(times=StopTimes(grace=0.1)) as (server, client):
        await client.socket("GET /download HTTP/1.1\nhost: x")
        await client.noted("download began")
        server.stop()
        with trio.fail_after(3):
            await server.ended.wait()
    assert server.status == 0


async def test_a_program_that_does_not_stop_is_cancelled() -> None:
    async def main(doors: Doors) -> int:
        doors.stop()
        doors.stop()  # asking twice is asking once
        with trio.move_on_after(10):
            await trio.sleep_forever()
        return 0

    status = await trio.to_thread.run_sync(lambda: run(main, times=StopTimes(cancel=0.05), signals=()))
    assert status == FORCED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_process_with_a_stream_and_a_websocket_open(number: signal.Signals) -> None:
    async with serving_process() as (process, client):
        events = await client.socket("GET /events HTTP/1.1\nhost: x")
        deaf = await client.bare_websocket("/deaf")
        await client.noted("events began")
        await client.noted("deaf began")
        process.send_signal(number)
        with trio.fail_after(5):
            assert await process.wait() == 0
        assert b"".join([data async for data in events]).endswith(b"\r\n0\r\n\r\n")
        assert b"".join([data async for data in deaf]).endswith(b"\x88\x02\x03\xf4")  # close, 1012
        assert await _errors(process) == b""


async def test_a_second_signal_cancels_the_program() -> None:
    async with serving_process("linger") as (process, client):
        process.terminate()
        await _refuses(client.url)  # the doors are closed, and the program goes on
        process.terminate()
        assert await process.wait() == FORCED


async def test_a_process_that_hangs_ends_in_any_case_and_shows_where() -> None:
    async with serving_process("hang") as (process, _):
        process.terminate()
        assert await process.wait() == KILLED_BY_WATCHDOG
        assert b"Timeout" in await _errors(process)


async def _errors(process: trio.Process) -> bytes:
    assert process.stderr is not None
    return b"".join([data async for data in process.stderr])


async def _refuses(url: str) -> None:
    """Wait until a server takes no connection any more."""
    while True:
        try:
            async with client(url) as made:
                await made.http.get("/notes")
        except httpx.TransportError:
            return


async def test_the_loop_is_left_as_it_was() -> None:
    """A run leaves no signal handler and no open file behind."""

    async def main(doors: Doors) -> int:
        async with doors.open(_no_app, Listen("127.0.0.1", 0)):
            return 0

    def once() -> None:
        assert run(main, signals=()) == 0

    await trio.to_thread.run_sync(once)
    files, handler = _open_files(), signal.getsignal(signal.SIGTERM)
    await trio.to_thread.run_sync(once)
    assert _open_files() == files
    assert signal.getsignal(signal.SIGTERM) is handler


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
