"""Handing keys over: one that stays never waits, one that comes waits for all who may still serve it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from zstack_appliance.kernel.handover import Handover
from zstack_appliance.kernel.nodes import Member, Nodes
from zstack_appliance.kernel.schema import Key

KEYS = [Key("thing", f"{number:032x}") for number in range(200)]
ME, YOU, HIM = Member("me", 1), Member("you", 2), Member("him", 3)


@dataclass
class Others:
    """Other nodes that serve what they are told to."""

    serving: dict[str, dict[Key, trio.Event]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    silent: trio.Event = field(default_factory=trio.Event)
    """Set while they answer."""

    def __post_init__(self) -> None:
        self.silent.set()

    async def busy(self, node: str) -> tuple[Key, ...]:
        """See `FormerOwners.busy`."""
        self.asked.append(node)
        await self.silent.wait()
        return tuple(key for key, ended in self.serving.get(node, {}).items() if not ended.is_set())

    async def idle(self, node: str, key: Key) -> None:
        """See `FormerOwners.idle`."""
        await self.serving[node][key].wait()


@dataclass
class Stage:
    nodes: Nodes
    others: Others
    handover: Handover
    taken_up: list[bool] = field(default_factory=list)
    """For each time that orphans were taken up, whether keys that had come were free already."""

    def mine(self) -> list[Key]:
        return [key for key in KEYS if self.nodes.owns(key)]

    def free(self) -> list[Key]:
        return [key for key in self.mine() if self.handover.is_free(key)]


@asynccontextmanager
async def stage(*members: Member) -> AsyncIterator[Stage]:
    nodes, others = Nodes("me", clustered=True), Others()
    handover = Handover(nodes, others)
    made = Stage(nodes, others, handover)

    async def take_up() -> None:
        made.taken_up.append(made.free() == made.mine())

    nodes.update(members)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(handover.run, take_up)
        await wait_all_tasks_blocked()
        yield made
        nursery.cancel_scope.cancel()


async def test_the_first_node_has_everything_at_once() -> None:
    async with stage(ME) as here:
        assert here.free() == KEYS
        assert (here.others.asked, here.taken_up) == ([], [])


async def test_what_stays_is_free_and_what_comes_waits_for_the_answer() -> None:
    async with stage(ME, YOU) as here:
        stayed = here.free()
        here.others.silent = trio.Event()
        here.nodes.update([ME])
        here.nodes.update([ME, HIM])
        assert set(here.free()) == set(stayed) & set(here.mine())
        here.others.silent.set()
        await wait_all_tasks_blocked()
        assert here.free() == here.mine()


async def test_a_lost_nodes_work_is_taken_up_before_its_keys_are_free() -> None:
    async with stage(ME, YOU) as here:
        here.taken_up.clear()
        here.nodes.update([ME])
        await wait_all_tasks_blocked()
        assert here.taken_up == [False]
        assert here.free() == KEYS


async def test_a_busy_key_waits_for_its_former_owner_alone(autojump_clock: MockClock) -> None:
    async with stage(YOU) as here:
        ended = trio.Event()
        here.others.serving["you"] = dict.fromkeys(KEYS[:100], ended)
        here.nodes.update([ME, YOU])
        await wait_all_tasks_blocked()
        busy = [key for key in here.mine() if key in KEYS[:100]]
        assert busy
        assert here.free() == [key for key in here.mine() if key not in busy]
        assert not here.handover.settled
        waited = trio.Event()

        async def wait() -> None:
            await here.handover.wait(busy[0])
            waited.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await wait_all_tasks_blocked()
            assert not waited.is_set()
            ended.set()
        assert waited.is_set()
        assert here.handover.settled


async def test_a_former_owner_that_is_lost_is_not_waited_for() -> None:
    async with stage(YOU) as here:
        here.others.serving["you"] = dict.fromkeys(KEYS, trio.Event())
        here.nodes.update([ME, YOU])
        await wait_all_tasks_blocked()
        assert here.free() == []
        here.nodes.update([ME])
        await wait_all_tasks_blocked()
        assert here.free() == KEYS


async def test_who_waits_for_a_key_that_moves_on_is_let_go() -> None:
    async with stage(YOU) as here:
        here.others.serving["you"] = dict.fromkeys(KEYS, trio.Event())
        here.nodes.update([ME, YOU])
        await wait_all_tasks_blocked()
        key = here.mine()[0]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(here.handover.wait, key)
            await wait_all_tasks_blocked()
            here.nodes.update([Member("me", 1, serves=False), YOU])
