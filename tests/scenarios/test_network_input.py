"""What hosts would refuse is refused when it is asked for: written down, it would keep them from working."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.running import simulated_cloud
from tests.scenarios.vms import named
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.schema import L3NetworkDns


@pytest.mark.parametrize("interface", ["a b", "a/b", "a\x00b"])
async def test_an_interface_that_no_host_can_have(tmp_path: Path, autojump_clock: MockClock, interface: str) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        before = cloud.kernel.store.count(L2Network)
        zone = await named(admin, "/zones", "zone1")
        params = {"name": "l2", "zoneUuid": zone["uuid"], "physicalInterface": interface}
        error = await admin.refused("POST", "/l2-networks/no-vlan", {"params": params})
        assert "field[physicalInterface]" in error["details"]
        assert cloud.kernel.store.count(L2Network) == before


@pytest.mark.parametrize("dns", ["0.0.0.0", "224.0.0.1"])
async def test_an_address_that_no_name_server_has(tmp_path: Path, autojump_clock: MockClock, dns: str) -> None:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        network = await named(admin, "/l3-networks", "net1")
        error = await admin.refused("POST", f"/l3-networks/{network['uuid']}/dns", {"params": {"dns": dns}})
        assert "cannot be a name server's address" in error["details"]
        assert cloud.kernel.store.count(L3NetworkDns, dns=dns) == 0
