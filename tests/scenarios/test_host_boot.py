"""A host is started anew: what ran there runs again, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.eventually import eventually
from tests.running import Caller, Running, every_plugin, first_cloud, on, running, simulated_cloud, simulated_fleet
from tests.scenarios.vms import new_vm
from zstack_appliance.cloud.vm_instance.schema import FallenVm
from zstack_appliance.first_cloud import make_first_cloud


async def states(caller: Caller) -> dict[str, str]:
    """Of all VMs, by name."""
    return {vm["name"]: vm["state"] for vm in await caller.query("/vm-instances")}


async def come_to(caller: Caller, cloud: Running, **wanted: str) -> None:
    """Wait until VMs are in these states, and nothing is left to be done."""

    async def so() -> bool:
        return await states(caller) == wanted and not cloud.kernel.store.find(FallenVm)

    await eventually(so, within=120.0, every=1.0)


@pytest.mark.parametrize("switch", ["true", "false"])
async def test_what_ran_on_a_host_runs_again(tmp_path: Path, autojump_clock: MockClock, switch: str) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        path = "/global-configurations/vm/startAfterHostBoot/actions"
        await admin.do("PUT", path, {"updateGlobalConfig": {"value": switch}})
        await new_vm(admin, "ran")
        stopped, paused = await new_vm(admin, "stopped"), await new_vm(admin, "paused")
        await admin.do("PUT", f"/vm-instances/{stopped['uuid']}/actions", {"stopVmInstance": {}})
        await admin.do("PUT", f"/vm-instances/{paused['uuid']}/actions", {"pauseVmInstance": {}})
        (machine,) = cloud.fleet.machines.values()
        machine.boot()
        (host,) = await admin.query("/hosts")
        await admin.do("PUT", f"/hosts/{host['uuid']}/actions", {"reconnectHost": {}})
        await come_to(
            admin, cloud, ran="Running" if switch == "true" else "Stopped", stopped="Stopped", paused="Stopped"
        )
        await admin.do("PUT", f"/hosts/{host['uuid']}/actions", {"reconnectHost": {}})
        await come_to(
            admin, cloud, ran="Running" if switch == "true" else "Stopped", stopped="Stopped", paused="Stopped"
        )


async def test_the_appliance_went_down_with_it(tmp_path: Path, autojump_clock: MockClock) -> None:
    plugins = every_plugin()
    fleet = simulated_fleet(plugins, tmp_path)
    async with running(tmp_path, plugins=plugins, hosts=on(fleet)) as cloud, cloud.login() as admin:
        await make_first_cloud(cloud.appliance, first_cloud(tmp_path, 1))
        await new_vm(admin, "web")
    (machine,) = fleet.machines.values()
    machine.boot()
    async with running(tmp_path, plugins=plugins, hosts=on(fleet), seed=2) as cloud, cloud.login() as admin:
        await come_to(admin, cloud, web="Running")
    async with running(tmp_path, plugins=plugins, hosts=on(fleet), seed=3) as cloud, cloud.login() as admin:
        await come_to(admin, cloud, web="Running")


async def test_a_vm_that_cannot_start_is_given_up(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        vm = await new_vm(admin, "web")
        (machine,) = cloud.fleet.machines.values()
        machine.boot()
        (root,) = await admin.query("/volumes", f"uuid={vm['rootVolumeUuid']}")
        machine.files.remove(root["installPath"].rpartition("/")[0])
        assert machine.files.get(root["installPath"]) is None
        (host,) = await admin.query("/hosts")
        await admin.do("PUT", f"/hosts/{host['uuid']}/actions", {"reconnectHost": {}})
        await come_to(admin, cloud, web="Stopped")
