"""``python -m tests.bench [NAME…]``: the benchmarks one after the other, each in a process of its own.

Nothing is asserted: times depend on the machine, so each benchmark compares within its own run, or prints the
limit beside the figure. Those that touch a network make a host of their own (`tests.system.host`).
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys

BENCHES = {
    "bridge": "the ASGI bridge: requests per second through uvicorn and trio",
    "bus": "a call on the bus, with and without the hash ring",
    "rest": "one call in the REST door: requests per second, CPU time",
    "store_rows": "rows through the store: typed values to SQLite and back",
    "store_writer": "the store's writer: commits while the loop is busy",
    "storage": "local primary storage: image cache and linked clones beside bare qemu-img",
    "router": "a namespace router: set up, applied again, changed",
    "query": "pages, counts and lists over HTTP at 1,000, 10,000 and 100,000 VMs",
    "pages": "pages of the web interface with 10,000 VMs",
    "events": "1,000 subscribers to changes: latency, memory, and what a call costs meanwhile",
    "connections": "2,000 calls in flight at once, a slow client, and one account that floods",
    "create_vms": "1 to 10,000 VMs on simulated hosts over HTTP, beside the disk's own floor; commits, memory, profile",
    "real_vms": "twenty real VMs beside the same twenty by bare libvirt",
    "sizes": "lines of files and functions, and of the resource that came last",
    "start": "--help, start to ready, and memory when idle",
}
"""Name of the module here, and what it measures."""


def present() -> list[str]:
    """The benchmarks that there are."""
    return [name for name in BENCHES if importlib.util.find_spec(f"tests.bench.{name}") is not None]


def main() -> int:
    """Run what was asked for, by default everything; the number of benchmarks that failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(present())}")
    chosen = parser.parse_args().names or present()
    if unknown := sorted(set(chosen) - set(present())):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(present())}")
    failed = 0
    for name in chosen:
        print(f"\n== {name}: {BENCHES[name]}", flush=True)
        failed += subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
