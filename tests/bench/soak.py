"""Thousands of VMs created, used, destroyed and expunged over real HTTP, on hosts that fail now and then.

Sampled meanwhile, from inside the appliance: memory (PSS), open descriptors, trio tasks, rows, database and
write-ahead log, and how long a cycle takes. What is flat stays flat: the third and the fourth quarter of a run are
compared, and the run fails where one grew by more than its limit. It fails too if, once the last VM has gone, any
table but those of history has more rows than before the first. ``--plot`` draws all of it as SVG.

Run it with ``make soak``, or ``python -m tests.bench.soak [--cycles 10000] [--plot docs/soak.svg]``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import trio

from tests.bench.create_vms import parameters
from tests.bench.picture import Curve, picture
from tests.bench.simulated import Simulated, watched
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.place import Place
from zstack_appliance.cli.speed import Fast

CALLERS = 20
FAULTS = 0.02
SAMPLES = 200
HISTORY = ("kernel_change", "job", "flow_run", "audit")
"""Tables that keep history for a while, so that they grow until it is a week old; they are drawn, not judged."""

CACHES = ("image_cache",)
"""Tables with at most one row for each host and image, whatever VMs come and go."""

LIMITS: Mapping[str, float] = {
    "memory, MiB": 0.10,
    "descriptors": 0.05,
    "trio tasks": 0.10,
}
"""By how much the middle of the fourth quarter may be above that of the third. How long a cycle takes depends on
what else the machine does, and how many rows there are on how many VMs are under way, so that these are drawn and
not judged."""

ATTEMPTS = 8
"""How often a VM's end is asked for: a host fails now and then, and what it refuses must be possible later."""


@dataclass
class Soak:
    """One run.

    Args:
        cycles: how many VMs come and go.
        callers: how many cycles are under way at one time.
    """

    cycles: int
    callers: int = CALLERS
    finished: int = 0
    refused: int = 0
    took: list[float] = field(default_factory=list)
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    """To each table, how many rows it had before the first cycle, and after the last."""

    async def run(self, appliance: Simulated, data: Path, seen: Path) -> None:
        """Do all cycles, and sample while they go on."""
        params = await trio.to_thread.run_sync(parameters, appliance)
        place = Place(f"http://{appliance.host}:{appliance.port}", session=appliance.session)
        left = iter(range(self.cycles))
        self.before = await trio.to_thread.run_sync(count_rows, data / "cloud.db")
        async with AsyncExitStack() as stack, trio.open_nursery() as nursery:
            callers = [await stack.enter_async_context(Fast(place)) for _ in range(self.callers)]
            for caller in callers:
                nursery.start_soon(self._cycles, caller, left, params, data, seen)
        self.after = await trio.to_thread.run_sync(count_rows, data / "cloud.db")

    async def _cycles(self, caller: Fast, left: Iterable[int], params: dict[str, Any], data: Path, seen: Path) -> None:
        for number in left:
            began = trio.current_time()
            await self._cycle(caller, {"name": f"soak-{number}", **params})
            self.took.append(trio.current_time() - began)
            self.finished += 1
            if self.finished % max(1, self.cycles // SAMPLES) == 0:
                await trio.to_thread.run_sync(self._sample, data, seen)

    async def _cycle(self, caller: Fast, params: dict[str, Any]) -> None:
        """One VM's life. A host that fails ends a step of it; the VM goes all the same."""
        made = await self._try(caller, "POST", "/vm-instances", {"params": params})
        if made is None:
            return
        path = f"/vm-instances/{made['inventory']['uuid']}"
        for action in ("rebootVmInstance", "stopVmInstance", "startVmInstance"):
            await self._try(caller, "PUT", f"{path}/actions", {action: {}})
        await caller.call("GET", path)
        await self._until_done(caller, "DELETE", path)
        await self._until_done(caller, "PUT", f"{path}/actions", {"expungeVmInstance": {}})

    async def _until_done(self, caller: Fast, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        for _ in range(ATTEMPTS):
            if await self._try(caller, method, path, body) is not None:
                return

    async def _try(self, caller: Fast, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        try:
            return await caller.call(method, path, body)
        except CliError:
            self.refused += 1
            return None

    def _sample(self, data: Path, seen: Path) -> None:
        found = json.loads(seen.read_text())
        rows = count_rows(data / "cloud.db")
        history = sum(number for table, number in rows.items() if table.startswith(HISTORY))
        recent = self.took[-200:]
        for name, value in (
            ("memory, MiB", found["pss"] / 2**20),
            ("descriptors", found["descriptors"]),
            ("trio tasks", found["tasks"]),
            ("rows but history", sum(rows.values()) - history),
            ("rows of history", history),
            ("database, MiB", found["cloud.db"] / 2**20),
            ("write-ahead log, MiB", found.get("cloud.db-wal", 0) / 2**20),
            ("seconds per cycle", statistics.median(recent)),
        ):
            self.curves.setdefault(name, []).append((self.finished, float(value)))

    def left(self) -> dict[str, int]:
        """To each table that keeps no history, how many rows all the VMs have left there."""
        return {
            table: more
            for table, number in self.after.items()
            if not table.startswith((*HISTORY, *CACHES)) and (more := number - self.before.get(table, 0)) > 0
        }

    def excess(self) -> list[str]:
        """What grew by more than it may."""
        return [name for name, grown in self.grown().items() if grown > LIMITS.get(name, float("inf"))]

    def grown(self) -> dict[str, float]:
        """To each curve, by how much its fourth quarter is above its third, in parts of the third."""
        return {name: growth([value for _, value in curve]) for name, curve in self.curves.items()}


def growth(values: Sequence[float]) -> float:
    """By how much the middle of the fourth quarter is above that of the third, in parts of the third."""
    quarter = len(values) // 4
    third, fourth = values[2 * quarter : 3 * quarter], values[3 * quarter :]
    before, after = statistics.median(third), statistics.median(fourth)
    return (after - before) / before if before else float(after > 0)


def count_rows(database: Path) -> dict[str, int]:
    """How many rows each table has."""
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(5000)
        names = [str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').get) for name in names}
    finally:
        connection.close()


def soak(cycles: int, folder: Path, *, callers: int = CALLERS) -> Soak:
    """Run so many cycles against an appliance of their own."""
    run = Soak(cycles, callers)
    seen = folder / "seen.json"
    with watched(folder / "data", seen, faults=FAULTS) as appliance:
        trio.run(partial(run.run, appliance, folder / "data", seen))
    return run


def main() -> int:
    """Run, print, draw; 1 if something grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        run = soak(options.cycles, Path(folder))
    print(f"{run.finished} cycles, {run.refused} calls refused because a host failed")
    for name, grown in run.grown().items():
        values = [value for _, value in run.curves[name]]
        limit = LIMITS.get(name)
        verdict = "" if limit is None else f"  at most {limit:+.0%}"
        print(f"{name:22} {values[0]:10.2f} … {values[-1]:10.2f}  last quarter {grown:+7.1%}{verdict}")
    print(f"rows left: {run.left() or 'none'}")
    if options.plot is not None:
        title = f"{run.finished:,} VMs created, used, destroyed and expunged; one command in fifty fails"
        options.plot.write_text(picture(title, [Curve(name, curve) for name, curve in run.curves.items()]))
    return int(bool(run.excess() or run.left()))


if __name__ == "__main__":
    sys.exit(main())
