"""What one row costs in the store: microseconds per read, insert and update, and commits per second.

A `Tin` has 16 columns, among them two enums, a boolean, JSON, a drawn sequence number and four indexes, so it is
as heavy as the rows of a VM. Run: ``python -m tests.bench.store_rows FOLDER``.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import trio

from tests.kernel.store.nouns import NOUNS, Box, Calendar, Mask, Note, Shelf, Tin, key, note, shelf, tin
from zstack_appliance.kernel.store import Store, Tx

ROWS = 5000
SECONDS = 2.0


def per_item(name: str, count: int, run: Callable[[], object]) -> None:
    begun = time.perf_counter()
    run()
    print(f"| {name} | {(time.perf_counter() - begun) / count * 1e6:.1f} µs |", flush=True)


def insert_all(tx: Tx) -> None:
    for number in range(ROWS):
        tx.insert(tin(f"tin{number}"))


def update_all(tx: Tx) -> None:
    for number in range(ROWS):
        tx.update(tx.require(Tin, key(f"tin{number}")), order=number)


async def rows(store: Store) -> None:
    """The cost of one row of each kind of access, structs made and keys hashed by the caller included."""
    keys = [key(f"tin{number}") for number in range(ROWS)]
    await store.write(lambda tx: tx.insert(shelf()))
    per_item("building the struct, for comparison", ROWS, lambda: [tin(f"tin{n}") for n in range(ROWS)])
    begun = time.perf_counter()
    await store.write(insert_all)
    print(f"| insert of a Tin, within one write | {(time.perf_counter() - begun) / ROWS * 1e6:.1f} µs |")
    begun = time.perf_counter()
    await store.write(update_all)
    print(f"| require and update of a Tin, within one write | {(time.perf_counter() - begun) / ROWS * 1e6:.1f} µs |")
    per_item("get of a Shelf (6 columns)", ROWS, lambda: [store.get(Shelf, key("shelf")) for _ in keys])
    per_item("get of a Tin by its class", ROWS, lambda: [store.get(Tin, each) for each in keys])
    per_item("get of a Tin by its base (two more tables joined)", ROWS, lambda: [store.get(Box, k) for k in keys])
    per_item("a row of find(Tin), 5000 rows", ROWS, lambda: store.find(Tin))
    per_item("count by an indexed field", 200, lambda: [store.count(Tin, uuid=each) for each in keys[:200]])


async def commits(store: Store, callers: int, function: Callable[[int, Tx], object]) -> float:
    """Commits per second of callers that each write again at once."""
    numbers = iter(range(10**9))
    done = 0

    async def call() -> None:
        nonlocal done
        while True:
            await store.write(partial(function, next(numbers)))
            done += 1

    with trio.move_on_after(SECONDS):
        async with trio.open_nursery() as nursery:
            for _ in range(callers):
                nursery.start_soon(call)
    return done / SECONDS


async def measure(folder: Path) -> None:
    async with Store.open(folder / "cloud.db", NOUNS, Calendar(), sealer=Mask()) as store:
        print("| access | cost |\n|---|---|")
        await rows(store)
        print("\n| commits, synchronous=FULL | 1 caller | 10 callers | 100 callers |\n|---|---|---|---|")
        prefix = iter(range(10**9))
        for name, add in (
            ("one Note (4 columns)", lambda tag, number, tx: tx.insert(note(f"{tag} {number}"))),
            ("one Tin (16 columns)", lambda tag, number, tx: tx.insert(tin(f"{tag} {number}"))),
        ):
            rates = [await commits(store, callers, partial(add, next(prefix))) for callers in (1, 10, 100)]
            print(f"| {name} | {' | '.join(f'{rate:,.0f}/s' for rate in rates)} |")
        assert store.count(Note) > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an existing folder on the disk to measure")
    with tempfile.TemporaryDirectory(prefix="store-rows-", dir=parser.parse_args().folder) as folder:
        trio.run(measure, Path(folder))


if __name__ == "__main__":
    main()
