"""Creating VMs over real HTTP, 100 at a time and durably, beside the times that ZStack publishes.

One appliance makes 1, 10, 100, … VMs one count after the other; earlier ones stay. Printed beside the times: the
memory per VM, and the physical floor, which is how long bare SQLite takes to write the same rows in as many
durable commits on the same disk. A second appliance, watched from inside and so slower, says how many commits and
syncs a VM costs, and where its CPU time goes by package.

Run it with ``python -m tests.bench.create_vms [--counts 1,10,100,1000,10000] [--folder DIR]``.
"""

from __future__ import annotations

import argparse
import json
import pstats
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import apsw
import trio

from tests.bench.simulated import Connection, Simulated, simulated, watched
from zstack_appliance.cli.bench import SEED_SECONDS
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.speed import Fast

CONCURRENCY = 100
PROFILED = 1000
PARTS = (
    ("zstack_appliance/api", "api"),
    ("zstack_appliance/kernel/store", "kernel.store"),
    ("zstack_appliance/kernel/flow", "kernel.flow"),
    ("zstack_appliance/kernel/runner", "kernel.flow"),
    ("zstack_appliance/kernel/journal", "kernel.flow"),
    ("zstack_appliance/kernel/query", "query"),
    ("zstack_appliance/kernel/compile", "query"),
    ("zstack_appliance/kernel/inventory", "query"),
    ("zstack_appliance/kernel", "kernel, the rest"),
    ("zstack_appliance/cloud/vm_instance", "cloud.vm_instance"),
    ("zstack_appliance/cloud", "cloud, the rest"),
    ("msgspec", "json"),
    ("apsw", "SQLite"),
    ("/trio/", "trio"),
    ("asyncio", "asyncio and uvicorn"),
    ("uvicorn", "asyncio and uvicorn"),
    ("starlette", "starlette"),
)


def parameters(appliance: Simulated) -> dict[str, Any]:
    """What each VM is made of."""
    with Connection(appliance.host, appliance.port, appliance.session) as connection:

        def uuid(path: str, name: str) -> str:
            return str(json.loads(connection.get(path, q=f"name={name}"))["inventories"][0]["uuid"])

        return {
            "imageUuid": uuid("/images", "tiny"),
            "instanceOfferingUuid": uuid("/instance-offerings", "tiny"),
            "l3NetworkUuids": [uuid("/l3-networks", "net1")],
        }


async def create(appliance: Simulated, params: dict[str, Any], count: int) -> float:
    """Seconds from the first request to the last VM Running."""
    place = Place(f"http://{appliance.host}:{appliance.port}", session=appliance.session)
    left = iter(range(count))

    async def take(caller: Fast) -> None:
        for number in left:
            body = {"params": {"name": f"bench-{number}", **params}}
            made = (await caller.call("POST", "/vm-instances", body))["inventory"]
            assert made["state"] == "Running", made

    async with AsyncExitStack() as stack:
        callers = [await stack.enter_async_context(Fast(place)) for _ in range(min(CONCURRENCY, count))]
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for caller in callers:
                nursery.start_soon(take, caller)
        return trio.current_time() - began


def timed(folder: Path, counts: Sequence[int]) -> None:
    """Print the times, the memory and the floor."""
    print(f"{'VMs':>7} {'seconds':>9} {'per s':>7} {'ZStack s':>9} {'times':>6} {'KiB per VM':>11}", flush=True)
    with simulated(folder / "timed") as appliance:
        params = parameters(appliance)
        for count in counts:
            memory = appliance.memory
            seconds = trio.run(create, appliance, params, count)
            seed = SEED_SECONDS.get(count)
            print(
                f"{count:7} {seconds:9.3f} {count / seconds:7.0f} {seed or '-':>9}"
                f" {f'{seed / seconds:.1f}' if seed else '-':>6} {(appliance.memory - memory) / count / 1024:11.1f}",
                flush=True,
            )
    floor(folder, counts)


def floor(folder: Path, counts: Sequence[int]) -> None:
    """Print how long bare SQLite takes for the rows of the largest count, by as many durable commits."""
    made, source = sum(counts), apsw.Connection(str(folder / "timed" / "cloud.db"))
    tables = [(name, sql) for name, sql in source.execute("SELECT name, sql FROM sqlite_master WHERE type='table'")]
    rows = {name: source.execute(f'SELECT * FROM "{name}"').fetchall() for name, _ in tables}
    commits = int(source.execute("SELECT value FROM kernel_meta WHERE name = 'head'").get)
    target = apsw.Connection(str(folder / "floor.db"))
    target.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")
    for _, sql in source.execute("SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC"):
        target.execute(sql)
    inserts = [
        (f'INSERT OR REPLACE INTO "{name}" VALUES ({",".join("?" * len(row))})', row)
        for name, found in rows.items()
        for row in found
    ]
    size = max(1, len(inserts) // commits)
    began = time.perf_counter()
    for start in range(0, len(inserts), size):
        with target:
            for sql, row in inserts[start : start + size]:
                target.execute(sql, row)
    seconds = time.perf_counter() - began
    print(
        f"floor: {len(inserts) / made:.1f} rows and {commits / made:.2f} commits per VM,"
        f" by bare SQLite {seconds / made * max(counts):.2f} s for {max(counts)} VMs"
    )


def accounted(folder: Path) -> None:
    """Print commits, syncs, and where CPU time goes, per VM."""
    statistics, profile = folder / "statistics.json", folder / "profile"
    with watched(folder / "watched", statistics, profile=profile) as appliance:
        params = parameters(appliance)
        before = look(statistics)
        trio.run(create, appliance, params, PROFILED)
        after = look(statistics)
    syncs, of_log = after["syncs"] - before["syncs"], after["logSyncs"] - before["logSyncs"]
    print(f"per VM: {of_log / PROFILED:.2f} commits, each synced once; {syncs / PROFILED:.2f} syncs with checkpoints")
    spent: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, _) in pstats.Stats(str(profile)).stats.items():  # type: ignore[attr-defined]
        spent[part_of(f"{file} {name}")] += own
    del spent["waiting"]
    total = sum(spent.values())
    print(f"CPU time by package, of a profiled run of {PROFILED} VMs, start and stop included:")
    for part, seconds in spent.most_common():
        print(f"  {part:24} {seconds / total:6.1%} {seconds / PROFILED * 1e3:7.3f} ms per VM")


def part_of(place: str) -> str:
    """The part of the program that a profiled function is counted to."""
    if "poll" in place or "acquire" in place:
        return "waiting"
    return next((part for text, part in PARTS if text in place), "Python's own and the rest")


def look(statistics: Path) -> dict[str, Any]:
    """What the watched appliance sees, once it has looked again."""
    seen = json.loads(statistics.read_text())["at"]
    while True:
        found: dict[str, Any] = json.loads(statistics.read_text())
        if found["at"] != seen:
            return found
        time.sleep(0.05)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="1,10,100,1000,10000")
    parser.add_argument("--folder", type=Path, help="an existing folder on the disk to measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="create-vms-", dir=options.folder) as folder:
        timed(Path(folder), [int(count) for count in options.counts.split(",")])
        accounted(Path(folder))


if __name__ == "__main__":
    main()
