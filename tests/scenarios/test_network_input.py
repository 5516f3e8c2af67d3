"""What hosts would refuse is refused when it is asked for: written down, it would keep them from working."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.eventually import eventually
from tests.running import simulated_cloud
from tests.scenarios.vms import named
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.schema import IpRange, L3Network, L3NetworkDns


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


async def test_a_private_network_does_not_overlap_a_public_one(tmp_path: Path, autojump_clock: MockClock) -> None:
    """No router could tell them apart: the second of the two is refused, whichever it is."""
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        store = cloud.kernel.store
        held = {network.name: store.find(IpRange, l3_network_uuid=network.uuid)[0] for network in store.find(L3Network)}
        zone = await named(admin, "/zones", "zone1")
        for category, other in (("Private", "public1"), ("Public", "net1")):
            l2 = await admin.create("/l2-networks/no-vlan", name=category, zoneUuid=zone["uuid"], physicalInterface="")
            l3 = await admin.create("/l3-networks", name=category, l2NetworkUuid=l2["uuid"], category=category)
            params = {"name": "r", "networkCidr": held[other].network_cidr}
            error = await admin.refused("POST", f"/l3-networks/{l3['uuid']}/ip-ranges/by-cidr", {"params": params})
            assert f"of L3 network[{other}]" in error["details"]
            assert not store.find(IpRange, l3_network_uuid=l3["uuid"])


async def test_a_router_that_cannot_be_made_does_not_hold_its_vms(tmp_path: Path, autojump_clock: MockClock) -> None:
    """The router is described whole each time, so the round that succeeds leaves the VM out."""
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        image = await named(admin, "/images", "tiny")
        offering = await named(admin, "/instance-offerings", "tiny")
        network = await named(admin, "/l3-networks", "net1")
        vm = await admin.create(
            "/vm-instances",
            name="web",
            imageUuid=image["uuid"],
            instanceOfferingUuid=offering["uuid"],
            l3NetworkUuids=[network["uuid"]],
        )
        for machine in cloud.fleet.machines.values():
            machine.shelf("bridge").clear()
        assert (await admin.call("DELETE", f"/vm-instances/{vm['uuid']}")).status_code == 200
        (found,) = await admin.query("/vm-instances", f"uuid={vm['uuid']}")
        assert found["state"] == "Destroyed"


async def test_a_network_on_the_public_wire_gets_its_router_once_there_is_another_way_out(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    """Its host works meanwhile, as if the network were not there."""
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        [machine] = cloud.fleet.machines.values()
        public = await named(admin, "/l3-networks", "public1")
        inner = await admin.create("/l3-networks", name="inner", l2NetworkUuid=public["l2NetworkUuid"])
        [provider] = await admin.query("/network-services/providers", "name=Namespace")
        services = {"params": {"networkServices": {provider["uuid"]: ["DHCP", "SNAT"]}}}
        await admin.do("POST", f"/l3-networks/{inner['uuid']}/network-services", services)
        await admin.create(f"/l3-networks/{inner['uuid']}/ip-ranges/by-cidr", name="r", networkCidr="10.9.0.0/24")
        [host] = cloud.kernel.store.find(Host)
        await admin.do("PUT", f"/hosts/{host.uuid}/actions", {"reconnectHost": {}})
        assert cloud.kernel.store.require(Host, host.uuid).status is HostStatus.CONNECTED
        assert inner["uuid"] not in {router.l3_network_uuid for router in machine.shelf("router").values()}

        zone, cluster = await named(admin, "/zones", "zone1"), await named(admin, "/clusters", "cluster1")
        l2 = await admin.create("/l2-networks/no-vlan", name="out", zoneUuid=zone["uuid"], physicalInterface="")
        await admin.do("POST", f"/l2-networks/{l2['uuid']}/clusters/{cluster['uuid']}")
        outer = await admin.create("/l3-networks", name="outer", l2NetworkUuid=l2["uuid"], category="Public")
        await admin.create(f"/l3-networks/{outer['uuid']}/ip-ranges/by-cidr", name="r", networkCidr="172.31.0.0/24")
        await eventually(
            lambda: inner["uuid"] in {router.l3_network_uuid for router in machine.shelf("router").values()},
            within=120.0,
            every=1.0,
        )
