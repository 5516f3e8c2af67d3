"""What the pages of the web interface cost with 10,000 VMs: milliseconds over real HTTP, from request to last byte.

The VMs are rows as `tests.bench.query` writes them. The goal for a list of 50 is 80 ms. ``render`` is what the
template alone takes, by the server's own clock.

Run it with ``python -m tests.bench.pages [--count 10000] [--rounds 100]``.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import tempfile
import time
from pathlib import Path

import trio

from tests.bench.query import fill, make_model
from tests.bench.simulated import Simulated, simulated

PAGES = {
    "50 VMs of all": "/ui/vm-instances",
    "50 VMs, the last page": "/ui/vm-instances?page=200",
    "50 VMs by name": "/ui/vm-instances?sort=name",
    "50 VMs by two conditions": "/ui/vm-instances?q=state%3DStopped&q=vmNics.l3Network.name~%3Dl3-%25",
    "dashboard": "/ui/",
    "operations": "/ui/operations",
    "palette": "/ui/palette?typed=vm-99",
    "form of a VM": "/ui/vm-instances/new/CreateVmInstance",
}
WARM_UP = 10


def measure(where: Simulated, path: str, rounds: int) -> tuple[list[float], list[float], int]:
    """Milliseconds of each request, those of its template, and the bytes of the page as sent."""
    to = http.client.HTTPConnection(where.host, where.port, timeout=60)
    headers = {"cookie": f"zstack-session={where.session}", "accept-encoding": "gzip"}
    if path.partition("?")[0] in ("/ui/operations", "/ui/palette"):
        headers |= {"hx-request": "true", "hx-target": "part"}
    took, rendered, size = [], [], 0
    for place in range(rounds + WARM_UP):
        began = time.perf_counter()
        to.request("GET", path, None, headers)
        answer = to.getresponse()
        size = len(answer.read())
        spent = (time.perf_counter() - began) * 1000
        assert answer.status == 200, path
        if place >= WARM_UP:
            took.append(spent)
            rendered.append(float(answer.headers["server-timing"].rpartition("=")[2]))
    return sorted(took), rendered, size


def main() -> None:
    """Read the command line, fill a cloud, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with simulated(data, "--hosts", "3") as where:
            make_model(where)
        trio.run(fill, data, 0, options.count)
        with simulated(data, "--hosts", "3") as where:
            print(f"{options.count:,} VMs, {options.rounds} rounds, load {os.getloadavg()[0]:.1f}; milliseconds")
            print(f"{'page':28}{'min':>8}{'median':>8}{'p95':>8}{'render':>8}{'bytes':>9}")
            for name, path in PAGES.items():
                took, rendered, size = measure(where, path, options.rounds)
                p95 = took[int(len(took) * 0.95)]
                cells = (took[0], statistics.median(took), p95, statistics.median(rendered))
                print(f"{name:28}{''.join(f'{cell:8.1f}' for cell in cells)}{size:9,}", flush=True)


if __name__ == "__main__":
    main()
