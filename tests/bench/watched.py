"""An appliance that is watched from inside: `python -m tests.bench.watched FOLDER STATISTICS [PROFILE] OPTIONS…`.

It is ``zstack-appliance simulate`` with a file system under SQLite that counts syncs, a task that writes what it
sees to STATISTICS twice a second, and a profile of the whole process if asked for. Being watched costs time, so
nothing that is timed runs in it.
"""

from __future__ import annotations

import cProfile
import gc
import json
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import apsw
import trio

from zstack_appliance import serve as serving
from zstack_appliance.appliance import Appliance
from zstack_appliance.doorway import Doorway
from zstack_appliance.first_cloud import FirstCloud, make_first_cloud

EVERY_SECONDS = 0.5

First = Callable[[Appliance, FirstCloud], Coroutine[Any, Any, None]]


class Syncs(apsw.VFS):
    """SQLite's own file system, with a count of its syncs."""

    def __init__(self) -> None:
        self.number = 0
        self.log_number = 0
        self.below = apsw.vfs_names()[0]
        super().__init__("counting", self.below, makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        """See SQLite."""
        return _Counted(self, name, flags)


class _Counted(apsw.VFSFile):
    def __init__(self, syncs: Syncs, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        self._syncs = syncs
        self._is_log = bool(flags[0] & apsw.SQLITE_OPEN_WAL)
        super().__init__(syncs.below, name, flags)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._syncs.number += 1
        self._syncs.log_number += self._is_log
        super().xSync(flags)


def pss() -> int:
    """Bytes that this process takes, shared ones in proportion."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def seen(data: Path, syncs: Syncs, tasks: int) -> dict[str, Any]:
    """What can be seen now."""
    sizes = {name: path.stat().st_size for name in ("cloud.db", "cloud.db-wal") if (path := data / name).exists()}
    return {
        "at": time.monotonic(),
        "pss": pss(),
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "threads": threading.active_count(),
        "tasks": tasks,
        "objects": len(gc.get_objects(generation=2)),
        "syncs": syncs.number,
        "logSyncs": syncs.log_number,
        **sizes,
    }


def watch(target: Path, data: Path, syncs: Syncs) -> First:
    """`make_first_cloud`, which on its way starts the watching."""

    async def first(appliance: Appliance, wish: FirstCloud) -> None:
        await make_first_cloud(appliance, wish)
        trio.lowlevel.spawn_system_task(look)

    async def look() -> None:
        while True:
            line = json.dumps(seen(data, syncs, trio.lowlevel.current_statistics().tasks_living))
            partial = target.with_suffix(".part")
            partial.write_text(line)
            partial.replace(target)
            await trio.sleep(EVERY_SECONDS)

    return first


def main() -> int:
    """Serve until told to stop."""
    data, statistics, profile, port, hosts, latency, faults = sys.argv[1:]
    syncs = Syncs()
    # Where the appliance looks it up: from then on there is something to watch.
    vars(serving)["make_first_cloud"] = watch(Path(statistics), Path(data), syncs)
    settings = serving.Settings(
        data=Path(data),
        listen=(Doorway(port=int(port)),),
        password="correct horse battery",
        ui=False,
        simulation=serving.Simulation(hosts=int(hosts), latency=float(latency), fault_rate=float(faults)),
    )
    if profile == "-":
        return serving.serve(settings)
    profiler = cProfile.Profile()
    try:
        return profiler.runcall(serving.serve, settings)
    finally:
        profiler.dump_stats(profile)


if __name__ == "__main__":
    sys.exit(main())
