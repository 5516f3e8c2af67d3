"""Keys that come to this node, and when they may be served here: `Handover`.

When the ring changes, a key's former owner still serves those who hold it or wait for it; its new owner begins
once the former one is done, and has taken up what a node that crashed had begun. So a resource is served one at a
time in the whole cloud, also while nodes come and go. A key that stays with its node never waits.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import trio

from zstack_appliance.kernel.nodes import Nodes
from zstack_appliance.kernel.ring import Ring
from zstack_appliance.kernel.schema import Key

log = logging.getLogger(__name__)


class FormerOwners(Protocol):
    """Asks other nodes about what they still serve. Both give up, with nothing, once the node is no member."""

    async def busy(self, node: str) -> tuple[Key, ...]:
        """The keys that a node still serves though they are another node's now."""

    async def idle(self, node: str, key: Key) -> None:
        """Return once a node has done with a key."""


class Handover:
    """Says which keys are free to be served here.

    Args:
        nodes: the members.
        former: asks the other nodes.
    """

    def __init__(self, nodes: Nodes, former: FormerOwners) -> None:
        self._nodes = nodes
        self._former = former
        self._rings = [nodes.ring]
        """The last ring for which everything is settled, and all rings since, the present one last."""
        self._listed = True
        """Whether it is known which keys of the present ring are still busy elsewhere."""
        self._busy: dict[Key, set[str]] = {}
        """Keys of ours to the nodes that are not done with them."""
        self._moved = trio.Event()
        nodes.on_change(self._heard)

    def is_free(self, key: Key) -> bool:
        """Whether a key that this node owns may be served here now."""
        if len(self._rings) == 1:
            return True
        if all(ring.members and ring.owner(key) == self._nodes.me for ring in self._rings):
            return True
        return self._listed and key not in self._busy

    async def wait(self, key: Key) -> None:
        """Return once a key is free, or is not this node's any more."""
        while self._nodes.owns(key) and not self.is_free(key):
            await self._moved.wait()

    @property
    def settled(self) -> bool:
        """Whether nothing is being handed over to this node."""
        return len(self._rings) == 1

    async def run(self, take_up: Callable[[], Awaitable[object]]) -> None:
        """Settle every change of the ring, for ever; a background task.

        Args:
            take_up: takes the turns of what crashed nodes had begun, before anybody else gets one.
        """
        while True:
            changed = self._nodes.changed
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_cancel_on, changed, scope)
                    if not self.settled:
                        await self._settle(take_up)
                    await changed.wait()

    def _heard(self) -> None:
        if self._nodes.ring is not self._rings[-1]:
            self._rings.append(self._nodes.ring)
            # What was busy before may still be, for another owner or for us; it is asked for anew.
            self._listed, self._busy = False, {}
        if not self._rings[0].members and not self._nodes.others:
            # The first node of all: there is nobody to ask, and what its last life left is taken up at its start.
            self._rings, self._listed = [self._nodes.ring], True
        for key, where in list(self._busy.items()):
            where.intersection_update(self._nodes.others)
            if not where:
                del self._busy[key]
        self._wake()

    async def _settle(self, take_up: Callable[[], Awaitable[object]]) -> None:
        present = self._rings[-1]
        if not self._listed:
            busy: dict[Key, set[str]] = {}
            async with trio.open_nursery() as nursery:
                for node in self._nodes.others:
                    nursery.start_soon(self._list, node, present, busy)
            await take_up()
            self._busy, self._listed = busy, True
            self._wake()
        else:
            await take_up()
        async with trio.open_nursery() as nursery:
            for key, where in list(self._busy.items()):
                for node in list(where):
                    nursery.start_soon(self._await_idle, node, key)
        del self._rings[:-1]
        self._wake()

    async def _list(self, node: str, ring: Ring, busy: dict[Key, set[str]]) -> None:
        for key in await self._former.busy(node):
            if ring.members and ring.owner(key) == self._nodes.me:
                busy.setdefault(key, set()).add(node)

    async def _await_idle(self, node: str, key: Key) -> None:
        await self._former.idle(node, key)
        where = self._busy.get(key)
        if where is not None:
            where.discard(node)
            if not where:
                del self._busy[key]
                self._wake()

    def _wake(self) -> None:
        self._moved.set()
        self._moved = trio.Event()


async def _cancel_on(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
