"""Several nodes are one cloud: whatever a client does at one of them, it and the others find at any other."""

from __future__ import annotations

from pathlib import Path

import msgspec
from trio.testing import MockClock

from tests.cluster.crowd import alike, crowd
from tests.cluster.errands import owned_by
from tests.cluster.test_storm import creation
from tests.eventually import eventually
from tests.running import Caller, every_plugin
from tests.scenarios.vms import act, new_vm
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.host.simulated.fleet import Weather
from zstack_appliance.cloud.management_node.messages import NodeJoined, NodeLeft
from zstack_appliance.cloud.management_node.schema import ManagementNode
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.job import JobState
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.principal import SYSTEM

JOB = "0a" * 16


async def test_a_client_may_go_to_another_node_with_every_call(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", "c", latency=0.05) as nodes:
        async with nodes["a"].login() as first:
            callers = [first]
            async with nodes["b"].client() as at_b, nodes["c"].client() as at_c:
                # One session, made at one node, is good at all of them.
                callers += [Caller(at, first.session, dict(first.headers)) for at in (at_b, at_c)]
                vm = await new_vm(callers[1], "vm")
                await act(callers[2], vm, "stopVmInstance")
                [found] = await callers[0].query("/vm-instances", f"uuid={vm['uuid']}")
                assert found["state"] == "Stopped"
                await callers[1].do("DELETE", f"/vm-instances/{vm['uuid']}")
        await nodes.agree()
        await alike(nodes)


async def test_a_job_is_waited_for_at_any_node(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", "c") as nodes:
        nodes.fleet.weather = Weather(latency=2.0)
        await nodes["a"].jobs.submit(creation(nodes)("vm", owned_by(nodes, "b")), SYSTEM, job_uuid=JOB)
        async with nodes["c"].client() as client:
            poll = f"/zstack/v1/api-jobs/{JOB}"
            assert (await client.get(poll)).status_code == 202
            answer = await client.get(poll, headers={"prefer": "wait=30"})
            assert answer.status_code == 200
            assert answer.json()["inventory"]["state"] == "Running"


async def test_a_job_is_cancelled_from_any_node(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", "c") as nodes:
        nodes.fleet.weather = Weather(latency=5.0)
        await nodes["a"].jobs.submit(creation(nodes)("vm", owned_by(nodes, "b")), SYSTEM, job_uuid=JOB)
        await eventually(lambda: nodes["b"].kernel.flows.live, within=60.0)
        async with nodes["c"].login() as admin:
            await admin.do("PUT", f"/appliance/jobs/{JOB}/actions", {"cancelJob": {}})
        ended = await nodes["c"].jobs.wait(JOB, 600.0)
        assert ended.state is JobState.FAILED
        assert "was cancelled" in msgspec.json.decode(ended.error or "{}")["details"]
        assert nodes["b"].kernel.store.count(VmInstance) == 0


async def test_a_setting_is_in_force_everywhere(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b", "c", hosts=0) as nodes:
        async with nodes["b"].login() as admin:
            body = {"updateGlobalConfig": {"value": "17"}}
            await admin.do("PUT", "/global-configurations/vm/expungePeriod/actions", body)
        await nodes.agree()
        assert {nodes[name].kernel.configs.number("vm.expungePeriod") for name in "abc"} == {17}


async def test_what_a_host_says_reaches_the_records_whoever_watches_it(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with crowd(tmp_path, "a", "b", "c") as nodes:
        async with nodes["a"].login() as admin:
            vms = [await new_vm(admin, f"vm{number}") for number in range(4)]
        await nodes.kill("b")
        for vm in vms:
            nodes.fleet.machines[vm["hostUuid"]].shelf("vm").pop(vm["uuid"])
        # What nobody heard, whoever takes the host over finds; the rest is found when hosts are pinged.
        store = nodes["c"].kernel.store
        await eventually(lambda: {vm.state for vm in store.find(VmInstance)} == {VmState.STOPPED}, within=600.0)


async def test_hosts_stay_connected_while_nodes_come_and_go(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with crowd(tmp_path, "a", "b") as nodes:
        await nodes.start("c")
        await nodes.agree()
        await nodes.stop("a")
        await nodes.kill("b")
        await nodes.agree()
        hosts = nodes["c"].kernel.store.find(Host)
        assert {host.status for host in hosts} == {HostStatus.CONNECTED}
        await eventually(
            lambda: nodes["c"].kernel.services[HostLinks].watched.keys() == {host.uuid for host in hosts}, within=60.0
        )


async def test_nodes_are_listed_and_their_coming_and_going_is_told(tmp_path: Path, autojump_clock: MockClock) -> None:
    told: list[tuple[str, str, str]] = []

    async def heard(event: NodeJoined | NodeLeft, cloud: Cloud) -> None:
        told.append((cloud.kernel.nodes.me, type(event).__name__, event.node_uuid))

    listening = Plugin(name="listening", listeners=((NodeJoined, heard), (NodeLeft, heard)))
    async with crowd(tmp_path, "a", "b", "c", hosts=0, plugins=(*every_plugin(), listening)) as nodes:
        uuids = {name: member.uuid for name, member in nodes.members.items()}
        async with nodes["a"].login() as admin:
            listed = await admin.query("/management-nodes")
        assert {(row["hostName"], row["uuid"]) for row in listed} == set(uuids.items())
        told.clear()
        await nodes.stop("b")
        await nodes.kill("c")
        await nodes.agree()
        left = [(uuids["a"], "NodeLeft", uuids[name]) for name in "bc"]
        await eventually(lambda: [each for each in told if each[0] == uuids["a"]] == left)
        assert nodes["a"].kernel.store.count(ManagementNode) == 1
