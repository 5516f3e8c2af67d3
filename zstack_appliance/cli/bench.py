"""``bench create-vms``: how long it takes to create so many VMs by so many concurrent callers."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import click
import trio

from zstack_appliance.cli.client import Client
from zstack_appliance.cli.declared import find_resource
from zstack_appliance.cli.exits import CliError, usage
from zstack_appliance.cli.login import with_session
from zstack_appliance.cli.names import Resolver
from zstack_appliance.cli.output import Output
from zstack_appliance.cli.place import Place, client_options
from zstack_appliance.cli.speed import Fast

SEED_SECONDS = {1: 0.51, 10: 1.55, 100: 11.33, 1000: 103.0, 10_000: 1380.0}
"""What ZStack publishes for 100 concurrent callers: VMs to seconds."""


@click.group()
def bench() -> None:
    """Measure a running appliance."""


@bench.command("create-vms")
@click.option("--concurrency", type=click.IntRange(1, 1000), default=100, show_default=True, help="Callers at once.")
@click.option("--counts", default="1,10,100", show_default=True, help="How many VMs, one measurement each.")
@click.option("--image", default="tiny", show_default=True)
@click.option("--instance-offering", default="tiny", show_default=True)
@click.option("--l3-network", default="net1", show_default=True)
@client_options
def create_vms(
    concurrency: int, counts: str, url: str | None, data: Path | None, *, as_json: bool, **named: str
) -> None:
    """Create VMs over HTTP, each count timed from its first request to its last VM Running.

    The VMs are destroyed and expunged after each count, outside its time. Without a session,
    ZSTACK_ADMIN_PASSWORD is used to log in.
    """
    place = with_session(url, data)
    params = _parameters(Client(place), named)
    rows = [trio.run(_measure, place, params, count, concurrency) for count in _counts(counts)]
    output = Output(as_json=as_json)
    if as_json:
        output.value(rows)
        return
    columns = ("VMs", "seconds", "per second", "ZStack's seconds", "times faster")
    output.table(columns, [_cells(row) for row in rows])


def _counts(text: str) -> list[int]:
    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        raise usage(f"--counts takes numbers such as 1,10,100, not [{text}]") from None
    if min(found) < 1:
        raise usage("--counts takes numbers from 1")
    return found


def _parameters(client: Client, named: dict[str, str]) -> dict[str, Any]:
    resolver = Resolver(client)
    network = resolver.uuid(find_resource("L3Network"), named["l3_network"])
    return {
        "imageUuid": resolver.uuid(find_resource("Image"), named["image"]),
        "instanceOfferingUuid": resolver.uuid(find_resource("InstanceOffering"), named["instance_offering"]),
        "l3NetworkUuids": [network],
    }


async def _measure(place: Place, params: dict[str, Any], count: int, concurrency: int) -> dict[str, Any]:
    made: list[str] = []
    async with AsyncExitStack() as stack:
        # Connections are opened before the clock starts: what is measured is creating VMs.
        callers = [await stack.enter_async_context(Fast(place)) for _ in range(min(concurrency, count))]

        async def create(caller: Fast, index: int) -> None:
            body = {"params": {"name": f"bench-{os.getpid()}-{index}", **params}}
            vm = (await caller.call("POST", "/vm-instances", body))["inventory"]
            made.append(vm["uuid"])
            if vm["state"] != "Running":
                raise CliError(f"VM {vm['uuid']} was created, but is {vm['state']}")

        async def remove(caller: Fast, index: int) -> None:
            uuid = made[index]
            await caller.call("DELETE", f"/vm-instances/{uuid}")
            await caller.call("PUT", f"/vm-instances/{uuid}/actions", {"expungeVmInstance": {}})

        began = trio.current_time()
        try:
            await _share(callers, range(count), create)
            seconds = trio.current_time() - began
        finally:
            with trio.CancelScope(shield=True):
                await _share(callers, range(len(made)), remove)
    return _row(count, concurrency, seconds)


async def _share(callers: Sequence[Fast], work: Iterable[int], act: Callable[[Fast, int], Awaitable[None]]) -> None:
    """Have each caller take the next piece of work as soon as it is free. The first failure ends all.

    Raises:
        CliError: the first failure.
    """
    left = iter(work)
    failures: list[CliError] = []

    async def take(caller: Fast) -> None:
        for piece in left:
            if failures:
                return
            try:
                await act(caller, piece)
            except CliError as failure:
                failures.append(failure)

    async with trio.open_nursery() as nursery:
        for caller in callers:
            nursery.start_soon(take, caller)
    if failures:
        raise failures[0]


def _row(count: int, concurrency: int, seconds: float) -> dict[str, Any]:
    seed = SEED_SECONDS.get(count)
    return {
        "vms": count,
        "concurrency": concurrency,
        "seconds": round(seconds, 4),
        "vmsPerSecond": round(count / seconds, 1),
        "seedSeconds": seed,
        "ratio": None if seed is None else round(seed / seconds, 1),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    seed, ratio = row["seedSeconds"], row["ratio"]
    return (
        str(row["vms"]),
        f"{row['seconds']:.3f}",
        f"{row['vmsPerSecond']:.0f}",
        "-" if seed is None else f"{seed:g}",
        "-" if ratio is None else f"{ratio:.1f}",
    )
