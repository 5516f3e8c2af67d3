"""The example plugin of `docs/plugins.md` through its life: dropped in, used, killed within, taken away, put back."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from tests.proofs.stage import copied, copy_database
from tests.proofs.states import settle
from tests.running import Caller, SimulatedCloud, every_plugin, first_cloud, on, running, simulated_fleet
from tests.scenarios.vms import act, named, new_vm, vm_params
from zstack_appliance.cloud.host.simulated.fleet import Fleet
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.first_cloud import make_first_cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.journal import FlowRun, RunState
from zstack_appliance.kernel.runner import NoProbe, Probe
from zstack_appliance.kernel.tag import SystemTagRow

EXAMPLE = Path(__file__).parents[2] / "docs" / "example_plugin" / "zstack_plugins" / "cost_center"
TAG = "costCenter::4711"
BOOK = "vm_instance.create/cost_center.book"
FLOWS = """[[step]]
use = "cost_center.check"
before = "vm_instance.start/allocate_host"
"""


def drop_in(data: Path) -> Path:
    """Put the example into a data folder, and its other step into the start of VMs."""
    folder = data / "plugins" / "cost_center"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (data / "flows.toml").write_text(FLOWS)
    return folder


@asynccontextmanager
async def opened(data: Path, fleet: Fleet, probe: Probe | None = None) -> AsyncIterator[tuple[SimulatedCloud, Caller]]:
    """The appliance with whatever its data folder holds."""
    async with running(data, hosts=on(fleet), probe=probe) as cloud, cloud.login() as admin:
        yield SimulatedCloud(cloud.appliance, data, fleet), admin


@pytest.fixture
async def fleet(tmp_path: Path, autojump_clock: MockClock) -> Fleet:
    """The hosts of a first cloud, which was made before anybody thought of cost centers."""
    fleet = simulated_fleet(every_plugin(), tmp_path)
    async with running(tmp_path, plugins=every_plugin(), hosts=on(fleet)) as cloud:
        await make_first_cloud(cloud.appliance, first_cloud(tmp_path, 2))
    return fleet


async def cost_center(admin: Caller, budget: int) -> dict[str, Any]:
    made: dict[str, Any] = await admin.create("/cost-centers", name="lab", number="4711", budget=budget)
    return made


async def write_once(admin: Caller, name: str) -> dict[str, Any]:
    host = (await admin.query("/hosts"))[0]["uuid"]
    made: dict[str, Any] = await admin.create(
        "/backup-storage/write-once", name=name, url=f"/vault/{name}", hostUuid=host, auditor="Ada"
    )
    return made


async def refused_vm(admin: Caller, **options: Any) -> str:
    answer = await admin.call("POST", "/vm-instances", {"params": await vm_params(admin, "refused"), **options})
    assert answer.status_code != 200
    return answer.text


async def test_dropped_in_all_of_it_works(tmp_path: Path, fleet: Fleet) -> None:
    drop_in(tmp_path)
    async with opened(tmp_path, fleet) as (cloud, admin):
        center = await cost_center(admin, budget=1)
        assert "is no cost center's number; give four digits" in await refused_vm(admin, systemTags=["costCenter::47"])
        assert "there is no cost center[0815]" in await refused_vm(admin, systemTags=["costCenter::0815"])
        vm = await new_vm(admin, "paid", systemTags=[TAG])
        [booking] = await admin.query("/cost-centers/bookings", "costCenter.number=4711")
        assert booking["vmInstanceUuid"] == vm["uuid"]
        assert await admin.query("/vm-instances", "booking.costCenter.name=lab", fields="name") == [{"name": "paid"}]
        assert "has 1 VMs, which is its whole budget" in await refused_vm(admin, systemTags=[TAG])
        assert [vm.name for vm in cloud.kernel.store.find(VmInstance)] == ["paid"]
        report = (await admin.send("GET", f"/cost-centers/{center['uuid']}/report")).json()
        assert (report["budget"], report["used"]) == (1, 1)
        run = cloud.kernel.store.find(FlowRun, flow="vm_instance.create", state=RunState.DONE)[-1]
        assert BOOK in [step.name for step in run.steps]
        await starts_only_within_its_budget(cloud, admin, vm)
        await keeps_what_was_written(cloud, admin)
        await has_a_page(cloud)


async def starts_only_within_its_budget(cloud: SimulatedCloud, admin: Caller, vm: dict[str, Any]) -> None:
    """The step that ``flows.toml`` puts into the start of VMs."""
    center = cloud.kernel.store.find(next(cls for cls in resources(cloud) if cls.__name__ == "CostCenter"))[0]
    await act(admin, vm, "stopVmInstance")
    await cloud.kernel.store.write(lambda tx: tx.update(center, budget=0))
    path = f"/vm-instances/{vm['uuid']}/actions"
    assert "over its budget of 0 VMs" in str(await admin.refused("PUT", path, {"startVmInstance": {}}))
    assert (await named(admin, "/vm-instances", "paid"))["state"] == "Stopped"
    await cloud.kernel.store.write(lambda tx: tx.update(center, budget=1))
    assert (await act(admin, vm, "startVmInstance"))["state"] == "Running"


def resources(cloud: SimulatedCloud) -> list[type[Any]]:
    return [cls for plugin in cloud.plugins for cls in plugin.resources]


async def keeps_what_was_written(cloud: SimulatedCloud, admin: Caller) -> None:
    """The sub-typed storage with its driver: an image that is expunged leaves its bits."""
    storage = await write_once(admin, "vault")
    assert (storage["type"], storage["status"], storage["auditor"]) == ("WriteOnce", "Connected", "Ada")
    image = await admin.create(
        "/images",
        name="kept",
        url="http://mirror/kept.qcow2",
        format="qcow2",
        mediaType="RootVolumeTemplate",
        backupStorageUuids=[storage["uuid"]],
    )
    await admin.do("DELETE", f"/images/{image['uuid']}")
    await admin.do("PUT", f"/images/{image['uuid']}/actions", {"expungeImage": {}})
    assert await admin.query("/images", "name=kept") == []
    files = [path for machine in cloud.fleet.machines.values() for path, _ in machine.files.below("/vault")]
    assert any(image["uuid"] in path for path in files)


async def has_a_page(cloud: SimulatedCloud) -> None:
    [plugin] = [plugin for plugin in cloud.plugins if plugin.name == "cost_center"]
    [page] = plugin.pages
    template, filled = await page.show(cloud.kernel.as_system())
    assert (page.menu, page.title) == ("Accounting", "Cost centers")
    assert plugin.templates is not None
    assert (plugin.templates / template).is_file()
    [(center, report)] = filled["rows"]
    assert (center.number, report.used) == ("4711", 1)


class CopyAt(NoProbe):
    """Keeps what a kill at this point of the step would leave behind."""

    def __init__(self, data: Path, fleet: Fleet, point: str, target: Path) -> None:
        self._here = (point, BOOK)
        self._data, self._fleet, self._target = data, fleet, target
        self.left: Fleet | None = None

    async def at(self, point: str, step: str) -> None:
        if (point, step) == self._here and self.left is None:
            copy_database(self._data, self._target)
            shutil.copytree(self._data / "plugins", self._target / "plugins")
            self.left = copied(self._fleet)


@pytest.mark.parametrize("point", ["before-do", "after-do"])
async def test_killed_within_its_step_the_vm_is_unwound(point: str, tmp_path: Path, fleet: Fleet) -> None:
    drop_in(tmp_path)
    probe = CopyAt(tmp_path, fleet, point, tmp_path / "killed")
    async with opened(tmp_path, fleet, probe) as (_, admin):
        await cost_center(admin, budget=5)
        await new_vm(admin, "killed", systemTags=[TAG])
    assert probe.left is not None
    async with opened(tmp_path / "killed", probe.left) as (cloud, admin):
        await settle(cloud)
        store = cloud.kernel.store
        assert [run.state for run in store.find(FlowRun, flow="vm_instance.create")] == [RunState.UNWOUND]
        assert store.find(VmInstance) == []
        assert store.find(SystemTagRow, tag=TAG) == []
        assert await admin.query("/cost-centers/bookings") == []
        assert store.find(Job)[-1].state is JobState.FAILED
        assert all(not machine.shelf("vm") for machine in probe.left.machines.values())
        assert (await new_vm(admin, "again", systemTags=[TAG]))["state"] == "Running"


async def test_taken_away_its_rows_wait_and_put_back_they_are_whole(tmp_path: Path, fleet: Fleet) -> None:
    folder = drop_in(tmp_path)
    async with opened(tmp_path, fleet) as (_, admin):
        center = await cost_center(admin, budget=5)
        for name in ("stays", "goes"):
            await new_vm(admin, name, systemTags=[TAG])
        vault = await write_once(admin, "vault")
        await write_once(admin, "doomed")
    folder = folder.rename(tmp_path / "elsewhere")
    with pytest.raises(Conflict, match=r"flows.toml line 1: no plugin offers a step 'cost_center.check'"):
        async with opened(tmp_path, fleet):
            pass
    (tmp_path / "flows.toml").unlink()
    async with opened(tmp_path, fleet) as (cloud, admin):
        await without_it(cloud, admin, vault)
    folder.rename(tmp_path / "plugins" / "cost_center")
    async with opened(tmp_path, fleet) as (_, admin):
        again = await named(admin, "/backup-storage", "vault")
        assert (again["type"], again["auditor"], again["status"]) == ("WriteOnce", "Ada", "Connected")
        assert await admin.query("/backup-storage", "name=doomed") == []
        [booking] = await admin.query(
            "/cost-centers/bookings", "vmInstanceUuid not null", fields="costCenterUuid,vmInstanceUuid"
        )
        stays = await named(admin, "/vm-instances", "stays")
        assert booking == {"costCenterUuid": center["uuid"], "vmInstanceUuid": stays["uuid"]}
        await new_vm(admin, "more", systemTags=[TAG])
        await admin.do("DELETE", f"/backup-storage/{vault['uuid']}")


async def without_it(cloud: SimulatedCloud, admin: Caller, vault: dict[str, Any]) -> None:
    """The plugin is missing; the cloud is whole but for what it brought."""
    shown = await named(admin, "/backup-storage", "vault")
    assert (shown["type"], shown["missingType"], shown["missingPlugin"]) == ("missing", "WriteOnce", "cost_center")
    assert (shown["status"], "auditor" in shown) == ("Disconnected", False)
    path = f"/backup-storage/{vault['uuid']}"
    for action in ("reconnectBackupStorage", "updateBackupStorage"):
        refused = await admin.refused("PUT", f"{path}/actions", {action: {}})
        assert "put cost_center back and start the appliance again" in refused["details"]
    assert "deleteMode=Enforcing" in str(await admin.refused("DELETE", path))
    doomed = await named(admin, "/backup-storage", "doomed")
    await admin.do("DELETE", f"/backup-storage/{doomed['uuid']}?deleteMode=Enforcing")
    left = cloud.kernel.store.reader.select("SELECT uuid FROM write_once_storage")
    assert left == [(vault["uuid"],)]
    assert (await admin.send("GET", "/cost-centers")).status_code == 404
    assert "no system tag matches" in await refused_vm(admin, systemTags=[TAG])
    assert (await new_vm(admin, "free"))["state"] == "Running"
    goes = await named(admin, "/vm-instances", "goes")
    await admin.do("DELETE", f"/vm-instances/{goes['uuid']}")
    await act(admin, goes, "expungeVmInstance")
    vms = cloud.kernel.store.reader.select("SELECT vm_instance_uuid FROM booking ORDER BY create_date, rowid")
    assert [uuid is None for (uuid,) in vms] == [False, True], "it said that it lets go of a VM that goes"
