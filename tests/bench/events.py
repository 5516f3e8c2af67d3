"""How fast a change reaches 1,000 subscribers over HTTP, what each costs in memory, and what it costs the writer.

Run it with ``python -m tests.bench.events [SUBSCRIBERS]``. The appliance is a process of its own, with simulated
hosts. Every subscriber is one connection to ``/events?resource=Zone``; half of them give a condition, and one reads
nothing at all. Latency is from the commit's date, which has whole milliseconds, to the arrival of the event.
"""

from __future__ import annotations

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import trio

CHANGES = 10
PAUSE = 0.2


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (count * 2 + 500, count * 2 + 500))
    with tempfile.TemporaryDirectory() as folder:
        port = random.randrange(20000, 60000)
        command = [sys.executable, "-m", "zstack_appliance", "simulate", "--data", folder, "--hosts", "2"]
        with subprocess.Popen(
            [*command, "--listen", f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as server:
            try:
                assert server.stdout is not None
                server.stdout.readline()
                trio.run(_measure, Path(folder), port, server.pid, count)
            finally:
                server.terminate()


async def _measure(folder: Path, port: int, pid: int, count: int) -> None:
    socket = folder / "run" / "api.sock"
    alone = await _create(socket, CHANGES, pause=0.0)
    before = _resident(pid)
    latencies: list[float] = []
    async with trio.open_nursery() as nursery:
        for number in range(count):
            await nursery.start(_subscribe, socket, number, latencies)
        await trio.sleep(1.0)
        memory = (_resident(pid) - before) / count
        began = time.process_time()
        together = await _create(socket, CHANGES, pause=PAUSE)
        await trio.sleep(2.0)
        spent = time.process_time() - began
        nursery.cancel_scope.cancel()
    latencies.sort()
    expected = (count - 1) * CHANGES
    print(f"{count} subscribers, {CHANGES} changes: {len(latencies)} of {expected} events arrived")
    print(f"commit to delivery: p50 {_at(latencies, 0.5):.0f} ms, p99 {_at(latencies, 0.99):.0f} ms")
    print(f"memory: {memory / 1024:.0f} KiB for each subscriber (the whole server, connections included)")
    print(f"a call: {alone * 1000:.1f} ms without and {together * 1000:.1f} ms with subscribers (median)")
    print(f"the measuring side used {spent:.1f} s of CPU on the same machine meanwhile")


def _at(values: list[float], share: float) -> float:
    return values[min(int(len(values) * share), len(values) - 1)] if values else float("nan")


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _subscribe(
    socket: Path, number: int, latencies: list[float], task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    condition = "&q=name%21=nothing" if number % 2 else ""
    async with await trio.open_unix_socket(str(socket)) as stream:
        await stream.send_all(f"GET /events?resource=Zone{condition} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        text = b""
        while b"event: ready" not in text:
            text += await stream.receive_some(65536)
        task_status.started()
        if number == 0:
            await trio.sleep_forever()
        text = b""
        while True:
            text += await stream.receive_some(65536)
            now = time.time()
            *blocks, text = text.split(b"\n\n")
            for block in blocks:
                start = block.find(b"data: ")
                if b"event: change" in block and start >= 0:
                    at = json.loads(block[start + 6 :])["at"]
                    latencies.append((now - datetime.fromisoformat(at).timestamp()) * 1000)


async def _create(socket: Path, count: int, *, pause: float) -> float:
    """Make zones one after the other; the median of the seconds that each took."""
    taken: list[float] = []
    async with await trio.open_unix_socket(str(socket)) as stream:
        for number in range(count):
            body = json.dumps({"params": {"name": f"z{number}"}})
            began = time.perf_counter()
            location = json.loads(await _ask(stream, "POST", "/zstack/v1/zones", body))["location"]
            await _ask(stream, "GET", f"/zstack{location.split('/zstack')[1]}")
            taken.append(time.perf_counter() - began)
            await trio.sleep(pause)
    return statistics.median(taken)


async def _ask(stream: trio.SocketStream, method: str, path: str, body: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nprefer: wait=30\r\ncontent-type: application/json\r\n"
    await stream.send_all(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
    text = b""
    while b"\r\n\r\n" not in text:
        text += await stream.receive_some(65536)
    head_text, _, found = text.partition(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head_text.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(found) < length:
        found += await stream.receive_some(65536)
    return found


if __name__ == "__main__":
    main()
