"""Background tasks that one node of the cloud runs for all: `on_one_node`."""

from __future__ import annotations

import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.nodes import Nodes
from zstack_appliance.kernel.plugin import Task
from zstack_appliance.kernel.schema import Key


async def on_one_node(name: str, task: Task, cloud: Cloud) -> None:
    """Run a task for as long as the ring places its name here, and again whenever it comes back.

    Args:
        name: the task's, the same on all nodes.
        task: may be cancelled wherever it waits, and begins from nothing.
        cloud: what it is given.
    """
    nodes, key = cloud.kernel.nodes, Key("task", name)
    while True:
        if not nodes.owns(key):
            await nodes.changed.wait()
            continue
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_when_moved, nodes, key, scope)
                await task(cloud)
                nursery.cancel_scope.cancel()
        if not scope.cancelled_caught:
            return  # It has ended by itself.


async def _cancel_when_moved(nodes: Nodes, key: Key, scope: trio.CancelScope) -> None:
    while nodes.owns(key):
        await nodes.changed.wait()
    scope.cancel()
