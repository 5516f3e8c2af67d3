"""Who is a member: the rows of nodes, kept true, and told to the kernel.

Primitives: `Membership` (hears of every change, and refuses the writes of a node that is no member any more),
`join`, `leave`, and `watch` (this node's heartbeat, and a look at those of the others).

A node that cannot write its heartbeat for some intervals stops by itself, before the others take its work up:
they do so after one interval more. Each measures with its own clock how long a heartbeat has not moved, so that
clocks need not agree.
"""

from __future__ import annotations

import functools
import logging

import trio

from zstack_appliance.cloud.management_node.messages import NodeJoined, NodeLeft
from zstack_appliance.cloud.management_node.schema import ManagementNode, NodeState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.nodes import Fenced, Member, Nodes
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Batch, Store, Tx

log = logging.getLogger(__name__)

INTERVAL = "managementServer.node.heartbeatInterval"

MAX_FAILURES = 5
"""Heartbeats that may fail in a row before a node stops by itself."""


class Membership:
    """Keeps `Nodes` in line with the rows.

    Args:
        nodes: what the kernel knows of the members.
        name: this node's.
    """

    def __init__(self, nodes: Nodes, name: str) -> None:
        self.nodes = nodes
        self.name = name

    def load(self, store: Store) -> None:
        """Take the members over from the rows as they are."""
        if self.nodes.clustered:
            rows = store.find(ManagementNode)
            self.nodes.update(Member(row.uuid, row.epoch, row.state is NodeState.RUNNING) for row in rows)

    def heard(self, batch: Batch, store: Store) -> None:
        """Listen to the change feed. A heartbeat alone changes nothing."""
        table = describe(ManagementNode).table
        changed = (change for change in batch.changes if change.table == table)
        if any(_standing(change.before) != _standing(change.after) for change in changed):
            self.load(store)

    def check(self, tx: Tx) -> None:
        """Refuse what a node writes that is no member any more; the store calls this at the end of each write.

        Raises:
            Fenced: others do its work by now.
        """
        if not self.nodes.clustered or not self.nodes.epoch:
            return
        row = tx.get(ManagementNode, self.nodes.me)
        if row is None or row.epoch != self.nodes.epoch:
            raise Fenced("this management node was taken for lost and is no member any more; it stops")


def _standing(row: object) -> tuple[int, NodeState] | None:
    return (row.epoch, row.state) if isinstance(row, ManagementNode) else None


async def join(cloud: Cloud) -> None:
    """At start-up: have this node's row, and say that it joined now. A single node is the only one."""
    membership = cloud.use(Membership)
    nodes = membership.nodes

    def commit(tx: Tx) -> ManagementNode:
        for row in tx.find(ManagementNode):
            if row.uuid == nodes.me or row.host_name == membership.name or not nodes.clustered:
                tx.delete(row)
        return tx.insert(
            ManagementNode(
                uuid=nodes.me,
                create_date=tx.now,
                last_op_date=tx.now,
                host_name=membership.name,
                join_date=tx.now,
                heart_beat=tx.now,
                state=NodeState.RUNNING,
                epoch=0,
            )
        )

    nodes.joined((await cloud.write(commit)).epoch)
    membership.load(cloud.store)


async def retire(cloud: Cloud) -> None:
    """Leave the ring, and stay a member while what was begun here is finished. The last node stays on the ring."""
    me = cloud.use(Membership).nodes.me

    def commit(tx: Tx) -> None:
        if any(row.uuid != me and row.state is NodeState.RUNNING for row in tx.find(ManagementNode)):
            tx.update(tx.require(ManagementNode, me), state=NodeState.LEAVING)

    await cloud.write(commit)


async def leave(cloud: Cloud) -> None:
    """Be a member no more: what is still open here is taken up by the others at once."""
    nodes = cloud.use(Membership).nodes
    nodes.joined(0)  # What follows is the last that it writes.
    await cloud.write(lambda tx: tx.delete(ManagementNode, nodes.me))


async def watch(cloud: Cloud) -> None:
    """Beat, and look after the others, until cancelled; a background task."""
    nodes = cloud.use(Membership).nodes
    async with trio.open_nursery() as nursery:
        pulse = _Pulse(trio.current_time())
        nursery.start_soon(_beat, cloud, nodes, pulse)
        if nodes.clustered:
            nursery.start_soon(_stop_when_unheard, cloud, nodes, pulse)
            nursery.start_soon(_announce, cloud, nodes)


class _Pulse:
    """When this node's last heartbeat that the others can see was begun."""

    def __init__(self, at: float) -> None:
        self.at = at


async def _beat(cloud: Cloud, nodes: Nodes, pulse: _Pulse) -> None:
    seen: dict[str, tuple[int, float]] = {}
    while True:
        await trio.sleep(cloud.configs.number(INTERVAL))
        began = trio.current_time()
        try:
            await cloud.write(lambda tx: tx.update(tx.require(ManagementNode, nodes.me), heart_beat=tx.now))
            pulse.at = began
            if nodes.clustered:
                await _remove_the_lost(cloud, seen)
        except CloudError as error:
            log.warning("the heartbeat failed: %s", error)


async def _remove_the_lost(cloud: Cloud, seen: dict[str, tuple[int, float]]) -> None:
    """Remove the members whose heartbeat has not moved for too long; `seen` is what this node saw, and when."""
    patience = (MAX_FAILURES + 1) * cloud.configs.number(INTERVAL)
    now = trio.current_time()
    for row in cloud.store.find(ManagementNode):
        if seen.get(row.uuid, (None, 0.0))[0] != row.heart_beat:
            seen[row.uuid] = (row.heart_beat, now)
        elif now - seen[row.uuid][1] > patience and row.uuid != cloud.kernel.nodes.me:
            log.warning("management node %s (%s) is lost; its work is taken up", row.host_name, row.uuid)
            await cloud.write(functools.partial(_remove, lost=row))


def _remove(tx: Tx, lost: ManagementNode) -> None:
    row = tx.get(ManagementNode, lost.uuid)
    # It may have been heard of since; another node may have removed it.
    if row is not None and (row.epoch, row.heart_beat) == (lost.epoch, lost.heart_beat):
        tx.delete(row)


async def _stop_when_unheard(cloud: Cloud, nodes: Nodes, pulse: _Pulse) -> None:
    while True:
        last = pulse.at + MAX_FAILURES * cloud.configs.number(INTERVAL)
        if trio.current_time() >= last:
            log.error("the others have not seen a heartbeat of this node for too long; it stops")
            nodes.fence()
            return
        await trio.sleep_until(last)


async def _announce(cloud: Cloud, nodes: Nodes) -> None:
    """Tell this node's listeners who came and who went."""
    known = set(nodes.others)
    while True:
        changed = nodes.changed
        present = set(nodes.others)
        for uuid in sorted(present - known):
            await cloud.publish(NodeJoined(node_uuid=uuid))
        for uuid in sorted(known - present):
            await cloud.publish(NodeLeft(node_uuid=uuid))
        known = present
        await changed.wait()
