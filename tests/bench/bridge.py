"""What does it cost to have the application in trio? Requests per second, beside uvicorn with asyncio alone.

Both servers answer the same JSON through the same Starlette route and the same parser, in turns, each in a process
of its own; the client keeps its connections alive and sends the next request on each as soon as the last one is
answered. The ratio is what counts: the rates depend on the machine, whose cores the client shares.
Run: ``python tests/bench/bridge.py``, with ``--json`` for a script.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from zstack_appliance.api.listen import Listen, bind
from zstack_appliance.api.server import Doors, run

REQUEST = b"GET /vm HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\r\n"

BODY = {"uuid": "0" * 32, "name": "vm-1", "state": "Running", "cpuNum": 1, "memorySize": 134217728}


async def show(_: Request) -> Response:
    return JSONResponse(BODY)


def serve_bridged(app: Starlette) -> None:
    async def main(doors: Doors) -> int:
        async with doors.open(app, Listen("127.0.0.1", 0)) as (address,):
            print(address.port, flush=True)
            await doors.stopping.wait()
        return 0

    run(main)


def serve_plain(app: Starlette) -> None:
    bound, address = bind(Listen("127.0.0.1", 0))
    print(address.port, flush=True)
    config = uvicorn.Config(
        app,
        http="httptools",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(uvicorn.Server(config).serve(sockets=[bound]))


SERVERS = {"plain": serve_plain, "bridged": serve_bridged}


@contextlib.contextmanager
def server(kind: str) -> Iterator[tuple[int, int]]:
    """Start one server; yield its process id and its port."""
    child = subprocess.Popen([sys.executable, __file__, "--serve", kind], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        yield child.pid, int(child.stdout.readline())
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate()


@dataclass(frozen=True)
class Round:
    """One turn of one server: answers per second, milliseconds per answer, and its CPU time for each."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(pid: int, port: int, clients: int, seconds: float) -> Round:
    """Keep `clients` connections busy for some seconds."""
    connections = {}
    poll = select.epoll()
    for _ in range(clients):
        connection = socket.create_connection(("127.0.0.1", port))
        connections[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    sent = {}
    for number, connection in connections.items():
        sent[number] = time.perf_counter()
        connection.sendall(REQUEST)
    waits: list[float] = []
    start, cpu = time.perf_counter(), cpu_seconds(pid)
    while (now := time.perf_counter()) < start + seconds:
        for number, _ in poll.poll(1.0):
            answer = connections[number].recv(4096)
            if not answer.endswith(b"}"):  # head and body may come in two pieces
                assert answer.startswith(b"HTTP/1.1 200"), answer
                continue
            now = time.perf_counter()
            waits.append(now - sent[number])
            sent[number] = now
            connections[number].sendall(REQUEST)
    took, cpu = now - start, cpu_seconds(pid) - cpu
    for connection in connections.values():
        connection.close()
    poll.close()
    waits.sort()
    return Round(
        rate=len(waits) / took,
        p50_ms=1000 * statistics.median(waits),
        p99_ms=1000 * waits[int(len(waits) * 0.99)],
        cpu_us=1e6 * cpu / len(waits),
    )


def median(rounds: list[Round]) -> Round:
    return Round(*(statistics.median(values) for values in zip(*(asdict(r).values() for r in rounds), strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3, help="of each server, in turns; the median counts")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", choices=sorted(SERVERS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        SERVERS[options.serve](Starlette(routes=[Route("/vm", show)]))
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    rounds: dict[str, list[Round]] = {kind: [] for kind in SERVERS}
    with server("plain") as plain, server("bridged") as bridged:
        for _ in range(options.rounds):
            for kind, (pid, port) in {"plain": plain, "bridged": bridged}.items():
                load(pid, port, options.clients, 0.3)
                rounds[kind].append(load(pid, port, options.clients, options.seconds))
    results = {kind: median(of_kind) for kind, of_kind in rounds.items()}
    ratio = results["bridged"].rate / results["plain"].rate
    if options.json:
        print(json.dumps({"clients": options.clients, "ratio": ratio} | {k: asdict(r) for k, r in results.items()}))
        return
    print(f"{options.clients} clients       requests/s   p50 ms   p99 ms   CPU µs/request")
    for kind, result in results.items():
        print(f"{kind:18}{result.rate:10.0f} {result.p50_ms:8.2f} {result.p99_ms:8.2f} {result.cpu_us:16.0f}")
    print(f"bridged / plain   {ratio:10.2f}")


if __name__ == "__main__":
    main()
