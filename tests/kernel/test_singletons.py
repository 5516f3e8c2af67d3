"""A task that one node runs for all: where the ring says, cancelled when it moves, begun anew when it comes back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import trio
from trio.testing import wait_all_tasks_blocked

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.nodes import Member, Nodes
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.singletons import on_one_node

ME, YOU = Member("me", 1), Member("you", 2)


async def test_it_runs_where_the_ring_says() -> None:
    nodes, events = Nodes("me", clustered=True), list[str]()
    cloud = cast("Cloud", SimpleNamespace(kernel=SimpleNamespace(nodes=nodes)))

    async def task(_: Cloud) -> None:
        events.append("begins")
        try:
            await trio.sleep_forever()
        finally:
            events.append("ends")

    nodes.update([ME, YOU])
    name = next(f"t{n}" for n in range(99) if not nodes.owns(Key("task", f"t{n}")))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(on_one_node, name, task, cloud)
        await wait_all_tasks_blocked()
        assert events == []
        nodes.update([ME])
        await wait_all_tasks_blocked()
        assert events == ["begins"]
        nodes.update([ME, YOU])
        await wait_all_tasks_blocked()
        assert events == ["begins", "ends"]
        nodes.update([ME])
        await wait_all_tasks_blocked()
        assert events == ["begins", "ends", "begins"]
        nursery.cancel_scope.cancel()


async def test_one_that_ends_by_itself_is_not_begun_again() -> None:
    nodes, runs = Nodes("me"), list[int]()
    cloud = cast("Cloud", SimpleNamespace(kernel=SimpleNamespace(nodes=nodes)))

    async def task(_: Cloud) -> None:
        runs.append(1)

    await on_one_node("once", task, cloud)
    assert runs == [1]
