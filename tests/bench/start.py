"""How soon an appliance is ready, and what it takes while it idles.

Measured: ``--help``; from the command to ``ready`` on an existing database with one running VM and the
accelerator known; and the memory (PSS) of all that ``up`` started, libvirtd and QEMU apart, one minute after
ready. Limits: 0.25 s, 2 s and 130 MB.

Run it with ``python -m tests.bench.start``; it needs root, and leaves nothing.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import trio

from tests.system.host import on_own_host
from tests.system.inside import Inside
from tests.system.live import live

IDLE_SECONDS = 60.0
NOT_OURS = ("libvirtd", "qemu-system-x86_64", "bwrap", "tini")
"""Programs that a host has, or would have with systemd, apart from the appliance."""


def help_seconds(rounds: int) -> list[float]:
    """How long ``--help`` takes."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "zstack_appliance", "--help"], check=True, capture_output=True)
        took.append(time.perf_counter() - began)
    return took


async def measure(rounds: int, idle: float) -> str:
    """The figures, as text."""
    starts = []
    with tempfile.TemporaryDirectory() as folder:
        async with live(Path(folder) / "data", "--accel", "tcg") as appliance:
            guest = Inside((await appliance.create_vm("one"))["uuid"])
            await guest.booted()
            for _ in range(rounds):
                await appliance.kill()
                starts.append(await appliance.start())
            await trio.sleep(idle)
            memory = pss_of_ours()
            assert await appliance.stop() == 0
    shown = ", ".join(f"{name} {kib / 1024:.1f}" for name, kib in memory)
    return (
        f"start to ready, existing database, one VM, s: {_summary(starts)}\n"
        f"PSS {idle:g} s after ready, MiB: {sum(kib for _, kib in memory) / 1024:.1f} ({shown})"
    )


def pss_of_ours() -> list[tuple[str, int]]:
    """Program and KiB of each process on this host that `up` started, itself included."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in (1, os.getpid()):
            continue
        name = Path((entry / "cmdline").read_bytes().split(b"\0")[0].decode()).name
        if name and name not in NOT_OURS:
            lines = (entry / "smaps_rollup").read_text().splitlines()
            found.append((name, int(next(line for line in lines if line.startswith("Pss:")).split()[1])))
    return sorted(found, key=lambda one: -one[1])


def _summary(took: list[float]) -> str:
    return f"{statistics.median(took):.2f} (median of {len(took)}, worst {max(took):.2f})"


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS)
    options = parser.parse_args()

    def work() -> bytes:
        return trio.run(measure, options.rounds, options.idle).encode()

    print(f"load before: {os.getloadavg()[0]:.1f}")
    print(f"--help, s: {_summary(help_seconds(10))}")
    print(on_own_host(work, name="bench", seconds=600).decode())


if __name__ == "__main__":
    main()
