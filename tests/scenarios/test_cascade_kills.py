"""An appliance that is killed anywhere in a cascade: the same deletion, asked for again, leaves what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.kills import Moment, record
from tests.proofs.scenarios import Scenario, World
from tests.proofs.stage import JOB_UUID, Stage, in_virtual_time
from tests.proofs.states import State, capture, settle
from tests.scenarios.vms import new_vm
from zstack_appliance.cloud.backup_storage.messages import DeleteBackupStorage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.cluster.messages import DeleteCluster
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.zone.messages import DeleteZone
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.message import Delete
from zstack_appliance.kernel.principal import SYSTEM


async def a_zone(world: World) -> Delete:
    """Delete the zone of two running VMs."""
    return DeleteZone(uuid=await prepared(world, Zone))


async def a_cluster(world: World) -> Delete:
    """Delete the cluster of two running VMs."""
    return DeleteCluster(uuid=await prepared(world, Cluster))


async def prepared(world: World, cls: type[Zone] | type[Cluster]) -> str:
    """Two running VMs, and nothing that forbids the deletion."""
    async with world.cloud.login() as admin:
        for name in ("one", "two"):
            await new_vm(admin, name)
    store = world.cloud.kernel.store
    await world.cloud.portal.serve(DeleteBackupStorage(uuid=store.find(BackupStorage)[0].uuid), SYSTEM)
    return store.find(cls)[0].uuid


@pytest.mark.parametrize("scenario", [Scenario("vm_instance.destroy", a_zone), Scenario("vm_instance.stop", a_cluster)])
def test_a_cascade_that_was_killed_is_finished_by_asking_again(tmp_path: Path, scenario: Scenario) -> None:
    stage = Stage(tmp_path)
    start = stage.start(scenario)
    assert isinstance(start.message, Delete)
    ending, moments = record(stage, start)
    assert ending.job.state is JobState.SUCCEEDED, ending.job.error
    assert len(moments) > 20, "a cascade has many moments"
    for moment in moments:
        after, claimed = asked_again(stage, moment, start.message)
        assert after.differences(ending.after) == [], f"killed in {sorted(moment.steps)}"
        assert claimed is not JobState.RUNNING


def asked_again(stage: Stage, moment: Moment, message: Delete) -> tuple[State, JobState | None]:
    """What a new appliance makes of it when the deletion is sent again, and what it had said of the killed job."""

    async def live_on() -> tuple[State, JobState | None]:
        async with stage.opened(moment.data, moment.fleet) as cloud:
            await settle(cloud)
            store = cloud.kernel.store
            job = store.get(Job, JOB_UUID)
            if job is not None and job.state is JobState.SUCCEEDED:
                assert store.reader.anything(message.uuid) is None, "it said that it was done, but was not"
            await cloud.portal.serve(message, SYSTEM)
            await settle(cloud)
            return capture(cloud.data, moment.fleet), None if job is None else job.state

    return in_virtual_time(live_on)
