"""A node that is lost, wherever it was in its work: it stops itself, others take its work up, nothing is done twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from tests.cluster.crowd import Crowd, alike, crowd
from tests.cluster.errands import owned_by
from tests.cluster.test_storm import creation, settle
from tests.eventually import eventually
from tests.proofs.disturbance import points
from tests.running import SimulatedCloud
from tests.scenarios.test_faults import assert_no_orphans
from zstack_appliance.cloud.host.simulated.fleet import Weather
from zstack_appliance.cloud.management_node.schema import ManagementNode
from zstack_appliance.cloud.vm_instance.create import CREATE
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import FlowRun, RunState
from zstack_appliance.kernel.nodes import Fenced
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.together import leaves

JOB = "0a" * 16
MOMENTS = [(placed.id, point) for placed in CREATE.plan() for point in points(placed.step)]


@dataclass
class Strike:
    """A probe of one node, which takes its power away at one point of one step."""

    step: str
    point: str
    node: str
    nodes: list[Crowd] = field(default_factory=list)
    struck: bool = False

    async def at(self, point: str, step: str) -> None:
        """See `Probe.at`."""
        if self._strikes(point, step):
            await trio.sleep_forever()

    def in_tx(self, step: str) -> None:
        """See `Probe.in_tx`."""
        self._strikes("in-tx", step)

    def _strikes(self, point: str, step: str) -> bool:
        if self.struck or not self.nodes or (step, point) != (self.step, self.point):
            return False
        self.struck = True
        [nodes] = self.nodes
        member = nodes.members.pop(self.node)
        nodes.network.switch_off(member.uuid)
        member.running.kernel.nodes.fence()
        return True


@pytest.mark.slow
@pytest.mark.parametrize(("step", "point"), MOMENTS, ids=lambda text: str(text).rpartition("/")[2])
async def test_a_vm_whose_node_is_lost_is_unwound_by_another(
    step: str, point: str, tmp_path: Path, autojump_clock: MockClock
) -> None:
    strike = Strike(step, point, "b")
    async with crowd(tmp_path, "a", "b", probe=lambda name: strike if name == "b" else None) as nodes:
        strike.nodes.append(nodes)
        nodes.fleet.weather = Weather(latency=0.1)
        vm = owned_by(nodes, "b")
        await nodes["a"].jobs.submit(creation(nodes)("vm", vm), SYSTEM, job_uuid=JOB)
        await eventually(lambda: strike.struck, within=60.0)
        await settle(nodes)
        job = await nodes["a"].jobs.wait(JOB, 1.0)
        assert job.state is JobState.FAILED
        assert "what it had done is undone" in (job.error or "") or "nothing had been done" in (job.error or "")
        runs = nodes["a"].kernel.store.find(FlowRun, job_uuid=JOB)
        assert [run.state for run in runs] in ([], [RunState.UNWOUND])
        assert all(run.recovered and run.node_uuid == nodes.members["a"].uuid for run in runs)
        assert_no_orphans(SimulatedCloud(nodes.any.appliance, nodes.any.data, nodes.fleet), 0)
        await nodes.start("b")
        await nodes.agree()
        await alike(nodes)


async def test_a_job_whose_own_node_is_lost_is_ended_by_another(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", "c") as nodes:
        nodes.fleet.weather = Weather(latency=5.0)
        vm = owned_by(nodes, "b")
        await nodes["a"].jobs.submit(creation(nodes)("vm", vm), SYSTEM, job_uuid=JOB)
        await eventually(lambda: nodes["b"].kernel.flows.live, within=60.0)
        await nodes.kill("a")
        # Any node is asked, and tells as soon as it has ended.
        job = await nodes["c"].jobs.wait(JOB, 600.0)
        assert job.state is JobState.FAILED, job
        await settle(nodes)
        nodes.fleet.weather = Weather()
        # What the other node had completed before it heard of the loss stands, whole; anything less is undone.
        left = nodes["b"].kernel.store.count(VmInstance)
        assert ("stands" in (job.error or "")) == (left == 1), job.error
        assert_no_orphans(SimulatedCloud(nodes.any.appliance, nodes.any.data, nodes.fleet), left)


async def test_what_a_lost_node_had_asked_for_ends_before_its_work_is_undone(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with crowd(tmp_path, "a", "b", "c", "d", drain_seconds=5.0) as nodes:
        for number in range(4):  # One on each host, which has the image from then on.
            job = await nodes["a"].jobs.submit(creation(nodes)(f"vm{number}", owned_by(nodes, "a", number)), SYSTEM)
            assert (await nodes["a"].jobs.wait(job.uuid, 60.0)).state is JobState.SUCCEEDED
        nodes.fleet.weather = Weather(latency=20.0)
        for number in range(4, 12):
            # Each host is asked through the node that it belongs to.
            vm, ours = owned_by(nodes, "b", number), owned_by(nodes, "d", number)
            await nodes["b"].jobs.submit(creation(nodes)(f"vm{number}", vm), SYSTEM, job_uuid=ours)
        await eventually(lambda: len(making_a_root_volume(nodes)) == 8, within=60.0)
        await trio.sleep(1.0)  # They are asked for, and far from done.
        # The jobs' node is not missed yet, so that nobody else ends the jobs with all that belongs to them.
        await nodes.kill("d")
        gone = nodes.members["b"].uuid
        await nodes.stop("b")
        nodes.fleet.weather = Weather(latency=0.1)
        await eventually(lambda: not any(gone in nodes[name].kernel.nodes.others for name in "ac"), within=10.0)
        for name in "ac":
            await nodes[name].appliance.recovery.take_up()
        await settle(nodes)
        # What was under way when the latency was long would have been done by now, after the undo.
        assert_no_orphans(SimulatedCloud(nodes.any.appliance, nodes.any.data, nodes.fleet), 4)


def making_a_root_volume(nodes: Crowd) -> list[FlowRun]:
    [place] = [index for index, placed in enumerate(CREATE.plan()) if placed.step.name == "create_root_volume"]
    return nodes.any.kernel.store.find(FlowRun, state=RunState.FORWARD, position=place)


async def test_a_node_that_is_cut_off_stops_before_the_others_take_over(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with crowd(tmp_path, "a", "b") as nodes:
        nodes.fleet.weather = Weather(latency=100.0)
        member, vm = nodes.members["b"], owned_by(nodes, "b")
        await nodes["a"].jobs.submit(creation(nodes)("vm", vm), SYSTEM, job_uuid=JOB)
        await eventually(lambda: nodes["b"].kernel.flows.live, within=60.0)
        nodes.network.isolate(member.uuid)
        await nodes.lost("b")
        stopped = trio.current_time()
        assert nodes["a"].kernel.store.get(ManagementNode, member.uuid) is not None, "it is still waited for"
        assert member.failure is not None
        assert all(isinstance(error, Fenced) for error in leaves(member.failure))
        nodes.fleet.weather = Weather()
        await settle(nodes)
        assert nodes["a"].kernel.store.get(ManagementNode, member.uuid) is None
        assert trio.current_time() > stopped
        assert (await nodes["a"].jobs.wait(JOB, 1.0)).state is JobState.FAILED
        assert_no_orphans(SimulatedCloud(nodes.any.appliance, nodes.any.data, nodes.fleet), 0)
        nodes.network.heal(member.uuid)
        await nodes.start("b")
        await nodes.agree()
        await alike(nodes)


async def test_a_node_whose_row_has_gone_changes_nothing_and_stops(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", hosts=0) as nodes:
        member = nodes.members.pop("b")
        store = member.running.kernel.store
        await nodes["a"].kernel.store.write(lambda tx: tx.delete(ManagementNode, member.uuid))
        with pytest.raises(Fenced, match="it stops"):
            await store.write(lambda tx: tx.insert(VM_NOTE))
        await member.ended.wait()
        assert nodes["a"].kernel.store.get(Job, VM_NOTE.uuid) is None


VM_NOTE = Job(uuid="0b" * 16, create_date=0, last_op_date=0, api="x", state=JobState.FAILED, timeout=0, request="{}")
"""A row like any other."""


async def test_a_node_that_leaves_lets_what_it_has_begun_end(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b") as nodes:
        nodes.fleet.weather = Weather(latency=2.0)
        for number, name in enumerate("ab"):
            vm = owned_by(nodes, "b", number)
            await nodes[name].jobs.submit(creation(nodes)(f"vm-{name}", vm), SYSTEM, job_uuid=f"{number + 1:032x}")
        await eventually(lambda: len(nodes["b"].kernel.flows.live) == 2, within=60.0)
        await nodes.stop("b")
        for number in range(2):
            ended = await nodes["a"].jobs.wait(f"{number + 1:032x}", 60.0)
            assert ended.state is JobState.SUCCEEDED, ended.error
        vms = nodes["a"].kernel.store.find(VmInstance)
        assert [vm.state for vm in vms] == [VmState.RUNNING] * 2
        runs = nodes["a"].kernel.store.find(FlowRun)
        assert not any(run.recovered for run in runs)
