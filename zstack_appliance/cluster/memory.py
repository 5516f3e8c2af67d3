"""A cluster inside one process: `Network` and `MemoryLog`, for tests and for simulated clouds.

Both are as unreliable as they are told to be: late, lossy, cut in two, or with nodes that are switched off. Every
choice comes from the dice that they are given, so that a run can be played again.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.peers import Answerer, NodeUnreachable, OutcomeUnknown, Tell
from zstack_appliance.kernel.store import Entry
from zstack_appliance.kernel.store.log import InDoubt

log = logging.getLogger(__name__)

LOG = "log"
"""Where the log is, as the network names places."""


@dataclass(eq=False)
class Network:
    """What lies between the nodes.

    Args:
        dice: decides what is lost, and how late the rest is.
        latency: mean seconds from one place to another.
        loss: from 0 to 1, how many connections break, half of them before anything was heard.
    """

    dice: random.Random
    latency: float = 0.002
    loss: float = 0.0
    _answerers: dict[str, Answerer] = field(default_factory=dict)
    _off: set[str] = field(default_factory=set)
    _alone: set[str] = field(default_factory=set)
    _open: dict[trio.CancelScope, tuple[str, str]] = field(default_factory=dict)

    def isolate(self, node: str) -> None:
        """Cut a node off from all others and from the log; connections that are open break."""
        self._alone.add(node)
        self._break(node)

    def heal(self, node: str) -> None:
        """Let an isolated node be reached again."""
        self._alone.discard(node)

    def switch_off(self, node: str) -> None:
        """A node loses its power: it can neither say nor hear anything more."""
        self._off.add(node)
        self._break(node)

    def switch_on(self, node: str) -> None:
        """A node that was switched off starts again."""
        self._off.discard(node)

    def is_open(self, one: str, other: str) -> bool:
        """Whether anything can pass between two places now."""
        return not self._off & {one, other} and (one == other or not self._alone & {one, other})

    def port(self, node: str) -> Port:
        """The network as one node sees it."""
        return Port(self, node)

    async def pass_over(self, one: str, other: str) -> bool:
        """The way from one place to another; False where what is sent does not arrive."""
        await trio.sleep(self.latency * (0.5 + self.dice.random()))
        return self.is_open(one, other) and self.dice.random() >= self.loss / 2

    @contextmanager
    def connected(self, one: str, other: str) -> Iterator[trio.CancelScope]:
        """A connection, whose scope is cancelled when it breaks."""
        with trio.CancelScope() as scope:
            self._open[scope] = (one, other)
            try:
                yield scope
            finally:
                del self._open[scope]

    def answerer(self, node: str) -> Answerer | None:
        """What answers at a node, if it is up."""
        return self._answerers.get(node)

    @contextmanager
    def answering(self, node: str, answer: Answerer) -> Iterator[None]:
        """Have `answer` serve what is asked of a node, for the length of the block."""
        self._answerers[node] = answer
        try:
            yield
        finally:
            del self._answerers[node]
            self._break(node)

    def _break(self, node: str) -> None:
        for scope, ends in list(self._open.items()):
            if node in ends:
                scope.cancel()


@dataclass(frozen=True)
class Port:
    """`Peers`, for one node of a `Network`."""

    network: Network
    node: str

    async def ask(self, node: str, body: bytes, tell: Tell) -> bytes:
        """See `Peers.ask`."""
        network = self.network
        answer = network.answerer(node) if await network.pass_over(self.node, node) else None
        if answer is None:
            raise NodeUnreachable(f"management node {node} does not answer")
        with network.connected(self.node, node) as connection:
            try:
                answered = await answer(body, tell)
            except Exception:
                log.exception("node %s broke down over a question", node)
                raise OutcomeUnknown(f"management node {node} broke down") from None
        if connection.cancelled_caught or not await network.pass_over(node, self.node):
            raise OutcomeUnknown(f"the connection to management node {node} broke")
        return answered

    @contextmanager
    def answering(self, answer: Answerer) -> Iterator[None]:
        """See `Peers.answering`."""
        with self.network.answering(self.node, answer):
            yield


@dataclass(eq=False)
class MemoryLog:
    """A log in this process, which all nodes of a `Network` reach unless they are cut off."""

    network: Network
    entries: list[Entry] = field(default_factory=list)
    _grown: trio.Event = field(default_factory=trio.Event)

    def port(self, node: str) -> LogPort:
        """The log as one node sees it."""
        return LogPort(self, node)

    def put(self, entry: Entry) -> Sequence[Entry]:
        """Compare the number with the head, and set; an entry that is there already counts as put."""
        if entry.number != len(self.entries) + 1:
            there = self.entries[entry.number - 1 :]
            return () if there and there[0].id == entry.id else there
        self.entries.append(entry)
        self._grown.set()
        self._grown = trio.Event()
        return ()

    async def grown_beyond(self, number: int) -> None:
        """Return once there are entries after `number`."""
        while len(self.entries) <= number:
            await self._grown.wait()


@dataclass(frozen=True)
class LogPort:
    """`Log`, for one node."""

    log: MemoryLog
    node: str

    async def append(self, entry: Entry) -> Sequence[Entry]:
        """See `Log.append`."""
        network = self.log.network
        if not network.is_open(self.node, LOG):
            await trio.sleep(network.latency)
            raise Unavailable("the cluster's log does not answer; nothing was changed")
        if not await network.pass_over(self.node, LOG):
            raise InDoubt("the connection to the cluster's log broke")
        there = self.log.put(entry)
        if not await network.pass_over(LOG, self.node):
            raise InDoubt("the connection to the cluster's log broke")
        return there

    async def after(self, number: int) -> Sequence[Entry]:
        """See `Log.after`."""
        network = self.log.network
        if await network.pass_over(self.node, LOG):
            entries = self.log.entries[number:]
            if await network.pass_over(LOG, self.node):
                return entries
        raise Unavailable("the cluster's log does not answer")

    async def news(self, number: int) -> None:
        """See `Log.news`."""
        with self.log.network.connected(self.node, LOG) as connection:
            await self.log.grown_beyond(number)
        if connection.cancelled_caught or not await self.log.network.pass_over(LOG, self.node):
            raise Unavailable("the cluster's log does not answer")
