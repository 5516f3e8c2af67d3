"""The first cloud is complete, and made once."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from tests.running import first_cloud, simulated_cloud
from tests.scenarios.vms import named
from zstack_appliance.first_cloud import make_first_cloud


async def test_everything_that_a_vm_needs_is_there(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=3) as cloud, cloud.login() as admin:
        hosts = await admin.query("/hosts")
        assert {(host["state"], host["status"]) for host in hosts} == {("Enabled", "Connected")}
        assert len(hosts) == 3
        primary = await named(admin, "/primary-storage", "ps1")
        backup = await named(admin, "/backup-storage", "bs1")
        assert primary["status"] == backup["status"] == "Connected"
        assert primary["attachedClusterUuids"] == [(await named(admin, "/clusters", "cluster1"))["uuid"]]
        assert backup["attachedZoneUuids"] == [(await named(admin, "/zones", "zone1"))["uuid"]]
        assert (await named(admin, "/images", "tiny"))["status"] == "Ready"
        offerings = await admin.query("/instance-offerings")
        assert {(o["name"], o["cpuNum"], o["memorySize"] >> 20) for o in offerings} == {
            ("tiny", 1, 128),
            ("small", 1, 512),
            ("medium", 2, 2048),
        }
        assert (await named(admin, "/disk-offerings", "disk-1g"))["diskSize"] == 2**30
        assert (await named(admin, "/l3-networks", "public1"))["category"] == "Public"
        net1 = await named(admin, "/l3-networks", "net1")
        assert {"DHCP", "DNS", "SNAT"} <= {ref["networkServiceType"] for ref in net1["networkServices"]}
        assert all(len(machine.shelf("bridge")) == 2 for machine in cloud.fleet.machines.values())


async def test_making_it_again_goes_on_where_it_stopped(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        before = await admin.query("/l3-networks")
        wish = first_cloud(tmp_path, 2)
        await make_first_cloud(cloud.appliance, wish)
        assert len(await admin.query("/hosts")) == 1, "the file that says that all is made was not looked at"
        (tmp_path / "first-cloud-made").unlink()
        await make_first_cloud(cloud.appliance, wish)
        assert len(await admin.query("/hosts")) == 2
        assert await admin.query("/l3-networks") == before
