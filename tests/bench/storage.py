"""What local primary storage costs: filling the image cache, and linked clones beside bare ``qemu-img``.

The clone's price over bare ``qemu-img create`` is its confinement (a memory limit and an empty network
namespace for each run) and its durability (fsync of the file and of two folders).

Run: ``python -m tests.bench.storage [FOLDER]``; the file system of FOLDER is what is measured.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import trio

from agents import process
from tests.contracts.loopback import Loopback, RealRuntime
from zstack_appliance.cloud.primary_storage.driver import ImageSource
from zstack_appliance.cloud.primary_storage.local.host_side import HOST_SIDE
from zstack_appliance.cloud.primary_storage.local.management import LocalPrimaryStorage

IMAGE_BYTES = 100 * 2**20
IMAGE = "1" * 32
CLONES = 20
AT_ONCE = 4


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds that one piece of work takes."""
    begun = time.perf_counter()
    await work()
    return (time.perf_counter() - begun) * 1000


async def bare_clone(base: Path, file: Path) -> None:
    """What a script would run."""
    await trio.run_process(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(file)])


async def confined_clone(base: Path, file: Path) -> None:
    """The same behind the memory limit and the empty network."""
    await process.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(file)],
        memory_limit=2**29,
        private_network=True,
    )


async def measure(folder: Path) -> None:
    """Print one table."""
    base = folder / "base.raw"
    content = os.urandom(IMAGE_BYTES)
    base.write_bytes(content)
    source = ImageSource(
        image_uuid=IMAGE,
        format="raw",
        path=str(base),
        virtual_size=IMAGE_BYTES,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    driver = LocalPrimaryStorage(Loopback(HOST_SIDE.real, RealRuntime(folder)), str(folder / "primary"))
    await driver.connect()

    fills = []
    for _ in range(5):
        fills.append(await timed(lambda: driver.fill_cache(source)))
        await driver.evict(IMAGE)
    print(f"fill the cache with 100 MiB, ms: {statistics.median(fills):.0f} (median of 5)")
    await driver.fill_cache(source)
    print(f"fill it again, ms: {await timed(lambda: driver.fill_cache(source)):.1f}")

    for name, clone in (("bare qemu-img", bare_clone), ("confined qemu-img", confined_clone)):
        took = [await timed(partial(clone, base, folder / f"{name}{n}")) for n in range(CLONES)]
        print(f"{name}, ms: {statistics.median(took):.1f} (median of {CLONES})")
    took = [await timed(partial(driver.create_root_volume, f"{n:032x}", IMAGE, None)) for n in range(CLONES)]
    print(f"linked clone through the driver, ms: {statistics.median(took):.1f} (median of {CLONES})")
    took = [await timed(partial(driver.create_root_volume, f"{n:032x}", IMAGE, None)) for n in range(CLONES)]
    print(f"the same again, ms: {statistics.median(took):.1f}")
    print(f"{CLONES} clones, {AT_ONCE} at once, ms: {await timed(partial(crowd, driver)):.0f}")
    took = [await timed(partial(driver.delete_volume, f"{n:032x}", "Root")) for n in range(CLONES)]
    print(f"delete a volume, ms: {statistics.median(took):.1f}")


async def crowd(driver: LocalPrimaryStorage) -> None:
    """Make clones a few at a time."""
    limit = trio.CapacityLimiter(AT_ONCE)

    async def one(number: int) -> None:
        async with limit:
            await driver.create_root_volume(f"{number:032x}", IMAGE, None)

    async with trio.open_nursery() as nursery:
        for number in range(CLONES, 2 * CLONES):
            nursery.start_soon(one, number)


def main() -> None:
    """Measure in a temporary folder below the one that is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=tempfile.gettempdir())
    with tempfile.TemporaryDirectory(dir=parser.parse_args().folder) as folder:
        trio.run(measure, Path(folder))


if __name__ == "__main__":
    main()
