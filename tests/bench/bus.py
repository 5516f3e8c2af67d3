"""What a call on the bus costs: with the ring asked, as every node does, and without it.

Run it with ``python -m tests.bench.bus``. Each figure is microseconds for one call to a handler that does nothing,
in the queue of a resource of its own; the two take turns, and the best of several rounds counts.
"""

from __future__ import annotations

import random
import time
from typing import cast

import trio

from zstack_appliance.kernel.bus import Bus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.courier import Courier
from zstack_appliance.kernel.handover import Handover
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.nodes import Member, Nodes
from zstack_appliance.kernel.plugin import Handler, Plugin
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.world import Entropy

CALLS, ROUNDS = 20_000, 9
ME = "0" * 32


class Ask(Request[None], frozen=True, kw_only=True):
    """Nothing, of a resource."""

    uuid: str


async def nothing(_: Ask, _cloud: Cloud) -> None:
    """Do nothing."""


PLUGIN = Plugin(name="bench", handlers=(Handler(Ask, nothing, lambda m: Key("thing", m.uuid)),))
NO_CLOUD = cast("Cloud", None)
NO_STORE = cast("Store", None)


def alone() -> Bus:
    """As on a single machine."""
    queues = Queues(lambda _: 1)
    return Bus([PLUGIN], queues, Courier(Nodes(ME), queues, None, NO_STORE, Entropy(random.Random(1))))


def among_three() -> Bus:
    """As on one of three nodes, for a resource that is its own."""
    queues, nodes = Queues(lambda _: 1), Nodes(ME, clustered=True)
    courier = Courier(nodes, queues, None, NO_STORE, Entropy(random.Random(1)))
    nodes.update([Member(ME, 1), Member("1" * 32, 2), Member("2" * 32, 3)])
    courier.handover = Handover(nodes, courier)  # One that has seen no change: everything is settled.
    return Bus([PLUGIN], queues, courier)


def without() -> Bus:
    """Without a ring."""
    return Bus([PLUGIN], Queues(lambda _: 1))


async def measure() -> dict[str, float]:
    """The best round of each, in microseconds a call."""
    ring = among_three()
    assert ring._courier is not None
    own = next(f"{n:032x}" for n in range(99) if ring._courier.nodes.owns(Key("thing", f"{n:032x}")))
    buses = {"without a ring": without(), "one node": alone(), "one of three nodes": ring}
    best = dict.fromkeys(buses, float("inf"))
    for _ in range(ROUNDS):
        for name, bus in buses.items():
            ask = Ask(uuid=own)
            began = time.perf_counter()
            for _ in range(CALLS):
                await bus.call(ask, NO_CLOUD)
            best[name] = min(best[name], (time.perf_counter() - began) / CALLS * 1e6)
    return best


def main() -> None:
    """Print the figures."""
    best = trio.run(measure)
    base = best["without a ring"]
    for name, micros in best.items():
        print(f"{name:20} {micros:6.2f} µs a call, {micros / base:.2f} times the call without a ring")


if __name__ == "__main__":
    main()
