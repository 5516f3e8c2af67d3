"""Calls between nodes: one owner, one at a time, in order; errors, cancels, progress cross; nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.cluster.crowd import Crowd, crowd
from tests.cluster.errands import TABLE, Errand, Errands, owned_by
from tests.eventually import eventually
from zstack_appliance.cloud.account.plugin import plugin as account
from zstack_appliance.cloud.global_config.plugin import plugin as global_config
from zstack_appliance.cloud.management_node.plugin import plugin as management_node
from zstack_appliance.cloud.zone.plugin import plugin as zone
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, NotFound
from zstack_appliance.kernel.peers import OutcomeUnknown
from zstack_appliance.kernel.queues import DeadlockError
from zstack_appliance.kernel.schema import Key


@asynccontextmanager
async def errand_nodes(folder: Path, errands: Errands, *names: str) -> AsyncIterator[Crowd]:
    """Nodes that serve errands and little else."""
    plugins = (account, errands.plugin(), global_config, management_node, zone)
    async with crowd(folder, *names, hosts=0, plugins=plugins, drain_seconds=1.0) as nodes:
        yield nodes


def system(nodes: Crowd, name: str) -> Cloud:
    """What acts for the appliance at a node."""
    return nodes[name].kernel.as_system()


async def test_a_resource_is_served_by_its_owner_whoever_asks(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with errand_nodes(tmp_path, Errands(), "a", "b", "c") as nodes:
        for owner in "abc":
            uuid = owned_by(nodes, owner)
            answers = {await system(nodes, name).call(Errand(uuid=uuid)) for name in "abc"}
            assert answers == {nodes.members[owner].uuid}


async def test_calls_through_all_nodes_are_served_one_at_a_time_in_order(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b", "c") as nodes:
        uuid = owned_by(nodes, "b")
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for number in range(12):
                cloud = system(nodes, "abc"[number % 3])
                nursery.start_soon(cloud.call, Errand(uuid=uuid, name=f"{number:02}", seconds=1.0))
                await trio.sleep(0.05)
        assert trio.current_time() - began >= 12.0
    assert errands.begun == errands.ended == sorted(errands.begun)


async def test_the_chain_of_held_keys_crosses(tmp_path: Path, autojump_clock: MockClock) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b") as nodes:
        one, two = owned_by(nodes, "a"), owned_by(nodes, "b")
        await system(nodes, "b").call(Errand(uuid=one, then=Errand(uuid=two)))
    assert errands.held == [(Key(TABLE, one),), (Key(TABLE, one), Key(TABLE, two))]


async def test_a_call_back_over_two_nodes_is_refused_with_its_chain(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with errand_nodes(tmp_path, Errands(), "a", "b") as nodes:
        one, two = owned_by(nodes, "a"), owned_by(nodes, "b")
        with pytest.raises(DeadlockError, match=f"{one} → {TABLE} {two} → {TABLE} {one}"):
            await system(nodes, "a").call(Errand(uuid=one, then=Errand(uuid=two, then=Errand(uuid=one))))


async def test_a_circle_between_two_nodes_is_broken(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with errand_nodes(tmp_path, Errands(), "a", "b") as nodes:
        one, two = owned_by(nodes, "a"), owned_by(nodes, "b")
        refused = []

        async def ask(first: str, second: str) -> None:
            try:
                await system(nodes, "a").call(Errand(uuid=first, seconds=1.0, then=Errand(uuid=second)))
            except DeadlockError as error:
                refused.append(error)

        with trio.fail_after(60.0):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ask, one, two)
                nursery.start_soon(ask, two, one)
        assert refused
        assert all("would close a circle" in str(error) for error in refused)


async def test_an_error_crosses_with_its_cause(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with errand_nodes(tmp_path, Errands(), "a", "b") as nodes:
        with pytest.raises(Conflict, match="cannot be done now") as caught:
            await system(nodes, "a").call(Errand(uuid=owned_by(nodes, "b"), fails=True))
        assert caught.value.code == "VM.1010"
        assert isinstance(caught.value.__cause__, NotFound)


async def test_progress_crosses(tmp_path: Path, autojump_clock: MockClock) -> None:
    heard: list[tuple[float | None, str]] = []
    async with errand_nodes(tmp_path, Errands(), "a", "b") as nodes:
        uuid = owned_by(nodes, "b")
        await system(nodes, "a").call(Errand(uuid=uuid, report=lambda *said: heard.append(said)))
    assert heard == [(0.5, "half of it")]


async def test_a_caller_that_gives_up_stops_the_work(tmp_path: Path, autojump_clock: MockClock) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b") as nodes:
        uuid = owned_by(nodes, "b")
        with trio.move_on_after(5.0) as scope:
            await system(nodes, "a").call(Errand(uuid=uuid, name="long", seconds=1000.0))
        assert scope.cancelled_caught
        assert trio.current_time() < 60.0
        assert errands.cancelled == ["long"]
        await system(nodes, "a").call(Errand(uuid=uuid))


async def test_calls_over_a_lossy_network_are_served_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b") as nodes:
        nodes.network.loss = 0.5
        uuid = owned_by(nodes, "b")
        for number in range(40):
            await system(nodes, "a").call(Errand(uuid=uuid, name=f"{number}"))
        nodes.network.loss = 0.0
    assert errands.begun == [f"{number}" for number in range(40)]


async def test_what_was_not_begun_goes_to_the_next_owner(tmp_path: Path, autojump_clock: MockClock) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b") as nodes:
        uuid = owned_by(nodes, "b")
        await nodes.kill("b")
        assert await system(nodes, "a").call(Errand(uuid=uuid, name="late")) == nodes.members["a"].uuid
    assert errands.begun == ["late"]


async def test_what_was_begun_on_a_node_that_is_lost_has_an_unknown_outcome(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b") as nodes:
        uuid = owned_by(nodes, "b")

        async def ask() -> None:
            with pytest.raises(OutcomeUnknown, match="stopped while it worked on this"):
                await system(nodes, "a").call(Errand(uuid=uuid, name="doomed", seconds=1000.0))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await eventually(lambda: errands.begun == ["doomed"])
            await nodes.kill("b")
    assert errands.begun == ["doomed"]
    assert errands.ended == []


async def test_a_short_cut_is_waited_out(tmp_path: Path, autojump_clock: MockClock) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b", "c") as nodes:
        uuid, member = owned_by(nodes, "b"), nodes.members["b"]

        async def ask() -> None:
            assert await system(nodes, "a").call(Errand(uuid=uuid, name="once", seconds=5.0)) == member.uuid

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await eventually(lambda: errands.begun == ["once"])
            nodes.network.isolate(member.uuid)
            await trio.sleep(10.0)
            nodes.network.heal(member.uuid)
    assert errands.ended == ["once"]


async def test_a_key_that_moves_waits_until_its_former_owner_is_done(tmp_path: Path, autojump_clock: MockClock) -> None:
    errands = Errands()
    async with errand_nodes(tmp_path, errands, "a", "b") as nodes:
        uuid = owned_by(nodes, "b")
        await nodes.stop("b")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(system(nodes, "a").call, Errand(uuid=uuid, name="old", seconds=30.0))
            await eventually(lambda: errands.begun == ["old"])
            nursery.start_soon(system(nodes, "a").call, Errand(uuid=uuid, name="in line", seconds=30.0))
            await nodes.start("b")
            assert await system(nodes, "b").call(Errand(uuid=uuid, name="new")) == nodes.members["b"].uuid
            assert errands.ended == ["old", "in line", "new"]
