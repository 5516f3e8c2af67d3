"""A cloud of several nodes inside one test: `Crowd` starts, stops, kills and isolates them.

All share one log, one network and one fleet of simulated hosts, and everything runs under the test's clock. Each
has its own folder, so that a node that was killed can be started again on what it had.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import argon2
import trio
from trio.abc import Stream

from tests.eventually import eventually
from tests.running import (
    EPOCH,
    INSTANCE,
    PASSWORD,
    MarkingSealer,
    Running,
    at_once,
    every_plugin,
    first_cloud,
    simulated_fleet,
)
from zstack_appliance.appliance import Outside, open_appliance
from zstack_appliance.cloud.host.driver import HostDriver, HostNotice, OpenChannel
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.fleet import Fleet
from zstack_appliance.cluster.memory import MemoryLog, Network
from zstack_appliance.first_cloud import make_first_cloud
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.nodes import Fenced
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.remote import Command, HostUnreachable
from zstack_appliance.kernel.runner import Probe
from zstack_appliance.kernel.together import leaves
from zstack_appliance.kernel.world import Entropy, TrioClock
from zstack_appliance.lifetime import Cluster, node_uuid

R = TypeVar("R")

SETTLE_SECONDS = 600.0
"""By the virtual clock: longer than it takes to notice a lost node, and to end what it had begun."""


@dataclass(eq=False)
class Member:
    """One node, in one of its lives."""

    name: str
    uuid: str
    running: Running
    ending: trio.Event = field(default_factory=trio.Event)
    ended: trio.Event = field(default_factory=trio.Event)
    failure: BaseException | None = None

    @property
    def ring(self) -> frozenset[str]:
        """The uuids of the nodes that serve, as this one sees it."""
        return self.running.kernel.nodes.ring.members


@dataclass(eq=False)
class Crowd:
    """Nodes of one cloud."""

    folder: Path
    nursery: trio.Nursery
    network: Network
    log: MemoryLog
    fleet: Fleet
    plugins: tuple[Plugin, ...]
    seed: int
    probe: Callable[[str], Probe | None]
    drain_seconds: float = 60.0
    members: dict[str, Member] = field(default_factory=dict)
    """Those that run, by name."""
    lives: int = 0

    def __getitem__(self, name: str) -> Running:
        return self.members[name].running

    @property
    def any(self) -> Running:
        """One of those that run."""
        return next(iter(self.members.values())).running

    async def start(self, *names: str) -> None:
        """Start nodes, one after the other; each answers and is on the ring when this returns."""
        for name in names:
            self.network.switch_on(node_uuid(Instance(INSTANCE), name))
            await self.nursery.start(self._live, name)

    async def stop(self, name: str) -> None:
        """Have a node leave, and wait until it has."""
        member = self.members.pop(name)
        member.ending.set()
        await member.ended.wait()
        if member.failure is not None:
            raise member.failure

    async def kill(self, name: str) -> None:
        """A node loses its power: nothing that it still tries has any effect."""
        member = self.members.pop(name)
        self.network.switch_off(member.uuid)
        member.running.kernel.nodes.fence()
        await member.ended.wait()

    async def lost(self, name: str) -> None:
        """Wait until a node that was cut off has stopped by itself."""
        await self.members.pop(name).ended.wait()

    async def agree(self) -> None:
        """Wait until all nodes have one view of the ring, everything is handed over, and all know every commit."""

        def agreed() -> bool:
            uuids = frozenset(member.uuid for member in self.members.values())
            return all(
                member.ring == uuids
                and member.running.kernel.courier.handover.settled
                and member.running.kernel.store.feed.number == len(self.log.entries)
                for member in self.members.values()
            )

        await eventually(agreed, within=SETTLE_SECONDS, every=0.05)

    def _outside(self, name: str) -> Outside:
        self.lives += 1
        data = self.folder / name
        data.mkdir(exist_ok=True)
        uuid = node_uuid(Instance(INSTANCE), name)
        wired = Wired(self.fleet, self.network, uuid)
        return Outside(
            data=data,
            instance=Instance(INSTANCE),
            clock=TrioClock(EPOCH),
            entropy=Entropy(random.Random(f"{self.seed} {name} {self.lives}")),
            sealer=MarkingSealer(),
            hosts=lambda _instance, _plugins: HostLinks({"Simulator": wired}),
            offload=at_once,
            hasher=argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
            password=PASSWORD if self.lives == 1 else None,
            probe=self.probe(name),
            threads=False,
            synchronous="OFF",
            node_name=name,
            cluster=Cluster(log=self.log.port(uuid), peers=self.network.port(uuid), drain_seconds=self.drain_seconds),
        )

    async def _live(self, name: str, task_status: trio.TaskStatus[None]) -> None:
        outside, uuid = self._outside(name), node_uuid(Instance(INSTANCE), name)
        member: Member | None = None
        try:
            async with open_appliance(outside, self.plugins) as appliance:
                member = self.members[name] = Member(name, uuid, Running(appliance, outside.data))
                task_status.started()
                await member.ending.wait()
        except BaseExceptionGroup as group:
            if not all(isinstance(error, Fenced) for error in leaves(group)):
                raise
            if member is not None:
                member.failure = group
        finally:
            if member is not None:
                member.ended.set()


@dataclass(frozen=True)
class Wired:
    """The fleet as one node reaches it: not at all, once it is switched off."""

    fleet: Fleet
    network: Network
    node: str

    def link(self, host: Host) -> HostDriver:
        """See `Transport.link`."""
        return _WiredHost(self.fleet.link(host), self.network, self.node)


class _WiredHost(HostDriver):
    def __init__(self, driver: HostDriver, network: Network, node: str) -> None:
        self._driver = driver
        self._network = network
        self._node = node

    async def connect(self) -> None:
        self._check()
        await self._driver.connect()

    async def ask(self, command: Command[R], *, report: Report | None = None) -> R:
        self._check()
        return await self._driver.ask(command, report=report)

    async def notices(self) -> AsyncGenerator[HostNotice, None]:
        self._check()
        async with aclosing(self._driver.notices()) as notices:
            async for notice in notices:
                yield notice

    async def open(self, wish: OpenChannel) -> Stream:
        self._check()
        return await self._driver.open(wish)

    def _check(self) -> None:
        if not self._network.is_open(self._node, self._node):
            raise HostUnreachable("this node has no power")


@asynccontextmanager
async def crowd(
    folder: Path,
    *names: str,
    seed: int = 1,
    hosts: int = 4,
    plugins: Iterable[Plugin] | None = None,
    probe: Callable[[str], Probe | None] = lambda _name: None,
    latency: float = 0.002,
    drain_seconds: float = 60.0,
) -> AsyncIterator[Crowd]:
    """Start nodes of these names and have the first one make a first cloud on simulated hosts."""
    chosen = tuple(plugins) if plugins is not None else every_plugin()
    network = Network(random.Random(f"network {seed}"), latency)
    fleet = simulated_fleet(chosen, folder / names[0], seed=seed)
    async with trio.open_nursery() as nursery:
        made = Crowd(
            folder, nursery, network, MemoryLog(network), fleet, chosen, seed, probe, drain_seconds=drain_seconds
        )
        await made.start(names[0])
        if hosts:
            await make_first_cloud(made.any.appliance, first_cloud(folder / names[0], hosts))
        await made.start(*names[1:])
        await made.agree()
        yield made
        for name in list(made.members):
            await made.stop(name)
        nursery.cancel_scope.cancel()


async def alike(crowd: Crowd) -> None:
    """Wait until all databases are equal. One is read after the other, and an audit may be written in between."""

    async def equal() -> bool:
        found = await digests(crowd)
        assert len(set(found.values())) == 1, found
        return True

    await eventually(equal, within=SETTLE_SECONDS, every=1.0)


async def digests(crowd: Crowd) -> dict[str, str]:
    """Of all replicated rows, by node."""
    found: dict[str, str] = {}
    for name, member in crowd.members.items():
        store = member.running.kernel.store
        await store.catch_up()
        digest = hashlib.sha256()
        for table in sorted(store.tables.replicated()):
            for row in await store.query(f'SELECT * FROM "{table}" ORDER BY 1'):
                digest.update(f"{table} {row}\n".encode())
        found[name] = digest.hexdigest()
    return found
