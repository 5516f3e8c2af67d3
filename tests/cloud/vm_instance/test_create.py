"""Creating VMs side by side: what one leaves when it fails does not depend on what its neighbours do."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.running import PASSWORD, Running, every_plugin, first_cloud, on, running, simulated_fleet
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.first_cloud import make_first_cloud
from zstack_appliance.kernel.errors import CloudError, Internal
from zstack_appliance.kernel.principal import SYSTEM

UNLUCKY_STEP = "vm_instance.create/create_root_volume"


class Unlucky:
    """Holds the first VM back before its disk is made, and fails it when told to."""

    def __init__(self) -> None:
        self.reached = trio.Event()
        self.fail = trio.Event()

    async def at(self, point: str, step: str) -> None:
        if (point, step) == ("before-do", UNLUCKY_STEP) and not self.reached.is_set():
            self.reached.set()
            await self.fail.wait()
            raise Internal("the disk is full")

    def in_tx(self, step: str) -> None:
        """Let it pass."""


async def _create(cloud: Running, name: str) -> VmInstance:
    def uuid(cls: type[Image] | type[InstanceOffering] | type[L3Network], wanted: str) -> str:
        return cloud.kernel.store.find(cls, name=wanted)[0].uuid

    made: VmInstance = await cloud.portal.serve(
        CreateVmInstance(
            name=name,
            image_uuid=uuid(Image, "tiny"),
            instance_offering_uuid=uuid(InstanceOffering, "tiny"),
            l3_network_uuids=(uuid(L3Network, "net1"),),
        ),
        SYSTEM,
    )
    return made


async def test_failed_neighbour(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """A VM that fails before its NICs are served is unknown to the network, though a neighbour was served."""
    plugins, unlucky = every_plugin(), Unlucky()
    fleet = simulated_fleet(plugins, tmp_path)
    async with running(tmp_path, plugins=plugins, password=PASSWORD, hosts=on(fleet), probe=unlucky) as cloud:
        await make_first_cloud(cloud.appliance, first_cloud(tmp_path, 1))

        async def fails() -> None:
            with pytest.raises(CloudError, match="the disk is full"):
                await _create(cloud, "unlucky")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails)
            await unlucky.reached.wait()
            lucky = await _create(cloud, "lucky")
            unlucky.fail.set()

        wanted = {nic.mac for nic in cloud.kernel.store.find(VmNic, vm_instance_uuid=lucky.uuid)}
        (machine,) = fleet.machines.values()
        (router,) = machine.shelf("router").values()
        assert {lease.mac for lease in router.dhcp.leases} == wanted
