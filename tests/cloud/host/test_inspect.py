"""What of hosts and records does not agree, folder by folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cloud.job.test_service import new_vm
from tests.running import INSTANCE, Caller, SimulatedCloud, simulated_cloud
from zstack_appliance.cloud.host.driver import VmState
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.host.simulated.fleet import Machine
from zstack_appliance.cloud.l2_network.wire import ApplyBridge
from zstack_appliance.hostkit.simulated_files import SimulatedFile

STRAY = "f" * 32
DISK = SimulatedFile("qcow2", 2**20, 2**16, sha256="0" * 64, md5="0" * 32)


class Inspected:
    """A cloud with one VM, and what its doctor says."""

    def __init__(self, cloud: SimulatedCloud, admin: Caller, vm: dict[str, Any]) -> None:
        self.cloud, self.admin, self.vm = cloud, admin, vm

    @property
    def machine(self) -> Machine:
        """The host that the VM runs on."""
        return next(one for one in self.cloud.fleet.machines.values() if one.uuid == self.vm["hostUuid"])

    async def rows(self) -> list[tuple[str, str, str]]:
        """The differences."""
        answer = await self.admin.send("GET", "/appliance/orphans")
        assert answer.status_code == 200, answer.text
        return [(row["kind"], row["name"], row["problem"]) for row in answer.json()["orphans"]]


@pytest.fixture
async def inspected(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> AsyncIterator[Inspected]:
    async with simulated_cloud(tmp_path) as cloud, cloud.login() as admin:
        vm = await admin.do("POST", "/vm-instances", await new_vm(admin, "web"))
        yield Inspected(cloud, admin, vm)


async def test_they_agree_all_along_a_vms_life(inspected: Inspected) -> None:
    assert await inspected.rows() == []
    path = f"/vm-instances/{inspected.vm['uuid']}"
    for method, at, body in (
        ("PUT", f"{path}/actions", {"stopVmInstance": {}}),
        ("DELETE", path, None),
        ("PUT", f"{path}/actions", {"expungeVmInstance": {}}),
    ):
        await inspected.admin.do(method, at, body)
        assert await inspected.rows() == []


async def test_an_image_that_is_deleted_but_not_expunged_is_no_orphan(inspected: Inspected) -> None:
    (image,) = await inspected.admin.query("/images", "name=tiny")
    await inspected.admin.do("DELETE", f"/images/{image['uuid']}")
    assert await inspected.rows() == []
    await inspected.admin.do("PUT", f"/images/{image['uuid']}/actions", {"expungeImage": {}})
    assert await inspected.rows() == [], "its cached copy stays for the VM that stands on it"


async def test_what_no_record_accounts_for(inspected: Inspected, tmp_path: Path) -> None:
    machine = inspected.machine
    machine.shelf("vm")[STRAY] = VmState.RUNNING
    machine.shelf("bridge")[f"zb{INSTANCE}fffffff"] = ApplyBridge(l2_network_uuid="f" * 32)
    machine.shelf("router")[f"zs-{INSTANCE}-fffffff"] = None
    machine.files.put(str(tmp_path / "primary" / "rootVolumes" / STRAY / f"{STRAY}.qcow2"), DISK)
    machine.files.put(str(tmp_path / "primary" / "imagecache" / STRAY / f"{STRAY}.qcow2"), DISK)
    machine.files.put(str(tmp_path / "backup" / "images" / STRAY / f"{STRAY}.qcow2"), DISK)
    assert sorted(await inspected.rows()) == [
        ("bridge", f"zb{INSTANCE}fffffff", "orphan"),
        ("cached image", STRAY, "orphan"),
        ("domain", STRAY, "orphan"),
        ("image", STRAY, "orphan"),
        ("namespace", f"zs-{INSTANCE}-fffffff", "orphan"),
        ("router folder", f"zs-{INSTANCE}-fffffff", "orphan"),
        ("volume", STRAY, "orphan"),
    ]


async def test_what_records_want_and_is_not_there(inspected: Inspected, tmp_path: Path) -> None:
    vm, machine = inspected.vm, inspected.machine
    (image,) = await inspected.admin.query("/images", "name=tiny")
    machine.files.remove(str(tmp_path / "primary" / "rootVolumes" / vm["rootVolumeUuid"]))
    machine.files.remove(str(tmp_path / "primary" / "imagecache" / image["uuid"]))
    machine.files.remove(str(tmp_path / "backup" / "images" / image["uuid"]))
    del machine.shelf("vm")[vm["uuid"]]
    for each in inspected.cloud.fleet.machines.values():
        each.shelf("bridge").clear()
        each.shelf("router").clear()
        each.shelf("host_network").clear()
    rows = await inspected.rows()
    assert {problem for _, _, problem in rows} == {"missing"}
    assert {("domain", vm["uuid"]), ("volume", vm["rootVolumeUuid"])} <= {row[:2] for row in rows}
    assert {("image", image["uuid"]), ("cached image", image["uuid"])} <= {row[:2] for row in rows}
    kinds = [kind for kind, _, _ in rows]
    hosts = len(inspected.cloud.fleet.machines)
    assert (kinds.count("bridge"), kinds.count("nft table")) == (2 * hosts, hosts)
    assert (kinds.count("namespace"), kinds.count("dnsmasq")) == (1, 1)


async def test_a_host_that_does_not_answer_is_missing_itself(inspected: Inspected) -> None:
    kernel = inspected.cloud.appliance.kernel
    host = kernel.store.find(Host, name="host2")[0]
    await kernel.as_system().write(lambda tx: tx.update(tx.require(Host, host.uuid), status=HostStatus.DISCONNECTED))
    assert ("host", "host2", "missing") in await inspected.rows()


async def test_only_administrators_look(inspected: Inspected) -> None:
    async with inspected.cloud.client() as client:
        answer = await client.get("/zstack/v1/appliance/orphans", headers={"authorization": "OAuth 0"})
    assert answer.json()["error"]["code"] == "ID.1001"
