"""The first cloud is made once, and what an administrator deletes of it stays deleted."""

from __future__ import annotations

from pathlib import Path

import trio

from tests.running import every_plugin, first_cloud, on, running, simulated_fleet
from zstack_appliance.cloud.disk_offering.messages import DeleteDiskOffering
from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.first_cloud import is_made, make_first_cloud
from zstack_appliance.kernel.principal import SYSTEM


async def test_made_once(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    """Before it is complete another start goes on with it; afterwards none looks at it."""
    plugins, wish = every_plugin(), first_cloud(tmp_path, 2)
    fleet = simulated_fleet(plugins, tmp_path)
    async with running(tmp_path, plugins=plugins, hosts=on(fleet)) as cloud:
        assert not is_made(tmp_path)
        await make_first_cloud(cloud.appliance, wish)
        assert is_made(tmp_path)
        (offering,) = cloud.kernel.store.find(DiskOffering, name="disk-1g")
        await cloud.portal.serve(DeleteDiskOffering(uuid=offering.uuid), SYSTEM)
        await make_first_cloud(cloud.appliance, wish)
        assert cloud.kernel.store.find(DiskOffering) == []
        assert sorted(host.name for host in cloud.kernel.store.find(Host)) == ["host1", "host2"]
