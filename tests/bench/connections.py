"""Whether an appliance stands crowds: 2,000 calls in flight at once, slow clients, an account that floods.

First, so many connections are opened; then each sends a query at the same moment, then each a call that becomes
a job and waits for its end. Nothing may be refused or lost. Then one account's calls are timed alone, beside a
hundred clients that read a byte a second of a long answer, and beside another account that keeps 300 calls in flight.

Run it with ``python -m tests.bench.connections [--connections 2000]``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import trio

from tests.bench.simulated import Connection, Simulated, simulated
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.speed import Fast

FLOOD = 300
ROUNDS = 60

Work = Callable[[Fast, int], Awaitable[object]]


async def query(fast: Fast, _: int) -> object:
    """A query of a page, answered at once."""
    return await fast.call("GET", "/hosts?limit=20&sort=-name")


def tag(zone: str) -> Work:
    """A call that becomes a job: a tag on a zone."""

    async def make(fast: Fast, number: int) -> object:
        params = {"resourceType": "ZoneVO", "resourceUuid": zone, "tag": f"{os.getpid()} {number} {time.time_ns()}"}
        return await fast.call("POST", "/user-tags", {"params": params})

    return make


async def crowd(where: Simulated, size: int, works: Mapping[str, Work]) -> None:
    """Print how each work fares when everybody asks for it at once."""
    async with AsyncExitStack() as stack:
        place = Place(f"http://{where.host}:{where.port}", session=where.session)
        began = time.perf_counter()
        lines = [await stack.enter_async_context(Fast(place)) for _ in range(size)]
        print(f"{size} connections opened in {time.perf_counter() - began:.1f} s, {where.memory >> 20} MiB")
        for name, work in works.items():
            took: list[float] = []
            lost: list[str] = []

            async def one(
                line: Fast, number: int, work: Work = work, took: list[float] = took, lost: list[str] = lost
            ) -> None:
                begun = time.perf_counter()
                try:
                    await work(line, number)
                except CliError as error:
                    lost.append(str(error)[:100])
                took.append(time.perf_counter() - begun)

            began = time.perf_counter()
            async with trio.open_nursery() as nursery:
                for number, line in enumerate(lines):
                    nursery.start_soon(one, line, number)
            seconds = time.perf_counter() - began
            print(
                f"{size} x {name} at once: {len(lost)} lost {lost[:1] or ''}, {size / seconds:.0f}/s,"
                f" p99 {_p99(took) * 1000:.0f} ms, {where.memory >> 20} MiB, load {os.getloadavg()[0]:.1f}"
            )


async def neighbours(where: Simulated, sessions: tuple[str, str], works: Mapping[str, Work]) -> None:
    """Print what one account's calls take alone, beside a slow client, and beside a flood."""
    url = f"http://{where.host}:{where.port}"
    one, other = (Place(url, session=session) for session in sessions)
    for name, work in works.items():
        for beside in (alone, slow_client, flood):
            async with beside(other, work), Fast(one) as fast:
                took = []
                for number in range(ROUNDS):
                    began = time.perf_counter()
                    await work(fast, number)
                    took.append(time.perf_counter() - began)
            took.sort()
            p50, p99 = took[len(took) // 2] * 1000, _p99(took) * 1000
            print(f"{name} {beside.__name__:12} p50 {p50:6.1f} ms, p99 {p99:6.1f} ms, load {os.getloadavg()[0]:.1f}")


@asynccontextmanager
async def alone(_: Place, _work: Work) -> AsyncIterator[None]:
    """Nobody else asks."""
    yield


@asynccontextmanager
async def slow_client(place: Place, _work: Work) -> AsyncIterator[None]:
    """Somebody asks for a long answer a hundred times, and reads one byte of it a second."""
    host, _, port = place.url.removeprefix("http://").partition(":")
    ask = f"GET /zstack/v1/openapi.json HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth {place.session}\r\n\r\n"

    async def read(stream: trio.SocketStream) -> None:
        while True:
            await stream.receive_some(1)
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            sock = trio.socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await sock.connect((host, int(port)))
            stream = trio.SocketStream(sock)
            await stream.send_all(ask.encode())
            nursery.start_soon(read, stream)
        yield
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def flood(place: Place, work: Work) -> AsyncIterator[None]:
    """Another account keeps so many of the same calls in flight, from a process of its own."""
    process = multiprocessing.get_context("spawn").Process(target=trio.run, args=(keep_flooding, place, work))
    process.start()
    try:
        await trio.sleep(4)
        yield
    finally:
        process.terminate()
        process.join()


async def keep_flooding(place: Place, work: Work) -> None:
    """Ask for ever; what is refused is tried again."""

    async def again(number: int) -> None:
        async with Fast(place) as fast:
            while True:
                number += FLOOD
                try:
                    await work(fast, number)
                except CliError:
                    await trio.sleep(0.05)

    async with trio.open_nursery() as nursery:
        for number in range(FLOOD):
            nursery.start_soon(again, number)


async def zones(fast: Fast, _: int) -> object:
    """A query that any account may send."""
    return await fast.call("GET", "/zones?q=__userTag__!=x&q=name~=z%")


async def offering(fast: Fast, number: int) -> object:
    """A call that becomes a job, which any account may send."""
    params = {"name": f"offering-{number}", "diskSize": 1 << 30}
    return await fast.call("POST", "/disk-offerings", {"params": params})


def _p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)]


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=2000)
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder, simulated(Path(folder) / "data", "--hosts", "20") as where:
        to = Connection(where.host, where.port, where.session)
        sessions = []
        for name in ("one", "other"):
            to.call("POST", "/accounts", {"params": {"name": name, "password": "b" * 128}})
            sessions.append(_session(where, name))
        [zone] = to.call("GET", "/zones")["inventories"]
        trio.run(crowd, where, options.connections, {"query": query, "job": tag(zone["uuid"])})
        trio.run(neighbours, where, (sessions[0], sessions[1]), {"query": zones, "job": offering})


def _session(where: Simulated, name: str) -> str:
    to = Connection(where.host, where.port)
    body = {"logInByAccount": {"accountName": name, "password": "b" * 128}}
    return str(to.call("PUT", "/accounts/login", body)["inventory"]["uuid"])


if __name__ == "__main__":
    main()
