"""What an ordinary account can do in a fresh cloud: use what is shared, up to its quotas, and be deleted whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio
from trio.testing import MockClock

from tests.changes import unchanged
from tests.running import Caller, SimulatedCloud, simulated_cloud
from tests.scenarios.vms import act, named, new_vm, vm_params
from zstack_appliance.cloud.account.passwords import client_hash
from zstack_appliance.cloud.account.schema import AccountQuota
from zstack_appliance.cloud.host.schema import HostCharge
from zstack_appliance.cloud.l3_network.schema import UsedIp
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT
from zstack_appliance.kernel.sharing import SharedResource

ALICE, BOB = "a" * 32, "b" * 32


@asynccontextmanager
async def people(data: Path) -> AsyncIterator[tuple[SimulatedCloud, Caller, Caller, Caller]]:
    """A cloud, its administrator, and two ordinary accounts."""
    async with simulated_cloud(data) as cloud, cloud.login() as admin:
        for name, uuid in (("alice", ALICE), ("bob", BOB)):
            await admin.create("/accounts", name=name, password=client_hash(name), resourceUuid=uuid)
        async with cloud.login("alice", "alice") as alice, cloud.login("bob", "bob") as bob:
            yield cloud, admin, alice, bob


async def set_quota(admin: Caller, name: str, value: int, account: str = ALICE) -> Any:
    body = {"updateQuota": {"identityUuid": account, "name": name, "value": value}}
    return await admin.do("PUT", "/accounts/quotas/actions", body)


async def share(caller: Caller, *uuids: str, **how: object) -> None:
    await caller.do("PUT", "/accounts/resources/actions", {"shareResource": {"resourceUuids": list(uuids), **how}})


async def revoke(caller: Caller, *uuids: str, **how: object) -> None:
    body = {"revokeResourceSharing": {"resourceUuids": list(uuids), **how}}
    await caller.do("PUT", "/accounts/resources/actions", body)


async def test_a_fresh_account_makes_a_vm_of_what_is_shared(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, _admin, alice, bob):
        vm = await new_vm(alice, "hers")
        assert cloud.kernel.store.owner(VmInstance, vm["uuid"]) == ALICE
        [seen] = await alice.query("/vm-instances", "vmNics.l3Network.name=net1")
        assert seen["uuid"] == vm["uuid"]
        assert await alice.query("/l3-networks", "name=public1") == [], "only net1 is shared"
        assert await bob.query("/vm-instances") == []
        await act(alice, vm, "stopVmInstance", type="cold")
        network = await named(alice, "/l3-networks", "net1")
        assert network["ipRanges"][0]["gateway"] == "10.0.0.1", "a row is seen with its parts"
        for body in ({"updateL3Network": {"name": "mine"}}, {"changeL3NetworkState": {"stateEvent": "disable"}}):
            error = await alice.refused("PUT", f"/l3-networks/{network['uuid']}/actions", body)
            assert error["code"] == "ID.1002"
        assert (await alice.refused("DELETE", f"/l3-networks/{network['uuid']}"))["code"] == "ID.1002"
        dry = await alice.send("DELETE", f"/l3-networks/{network['uuid']}", params={"dryRun": "true"})
        assert dry.json()["error"]["code"] == "ID.1002"


async def test_sharing_and_taking_back(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, _admin, alice, bob):
        offering = await alice.create("/disk-offerings", name="hers", diskSize=2**30)
        uuid = offering["uuid"]
        assert await bob.query("/disk-offerings", "name=hers") == []
        await share(alice, uuid, accountUuids=[BOB])
        await share(alice, uuid, accountUuids=[BOB])
        assert len(await bob.query("/disk-offerings", "name=hers")) == 1
        [row] = await alice.query("/accounts/resources", f"resourceUuid={uuid}")
        assert (row["ownerAccountUuid"], row["receiverAccountUuid"], row["toPublic"]) == (ALICE, BOB, False)
        assert row["resourceType"] == "DiskOfferingVO"
        await revoke(alice, uuid, accountUuids=[BOB])
        assert await bob.query("/disk-offerings", "name=hers") == []
        await share(alice, uuid, toPublic=True)
        await revoke(alice, uuid, accountUuids=[BOB])
        assert len(await bob.query("/disk-offerings", "name=hers")) == 1, "the public still has it"
        await revoke(alice, uuid, all=True)
        assert await bob.query("/disk-offerings", "name=hers") == []
        await share(alice, uuid, accountUuids=[BOB])
        await alice.do("DELETE", f"/disk-offerings/{uuid}")
        assert cloud.kernel.store.find(SharedResource, resource_uuid=uuid) == []


async def test_what_cannot_be_shared(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, alice, bob):
        tiny = (await named(alice, "/images", "tiny"))["uuid"]
        zone = (await named(admin, "/zones", "zone1"))["uuid"]
        vm = (await new_vm(alice, "hers"))["uuid"]
        with unchanged(cloud.kernel.store):
            for caller, uuid, how, code in (
                (alice, tiny, {"accountUuids": [BOB]}, "SYS.1003"),  # it is the administrator's
                (bob, vm, {"toPublic": True}, "SYS.1003"),
                (alice, vm, {"toPublic": True}, "SYS.1007"),
                (admin, zone, {"toPublic": True}, "SYS.1007"),
                (admin, "f" * 32, {"toPublic": True}, "SYS.1003"),
                (admin, tiny, {"accountUuids": ["f" * 32]}, "SYS.1003"),
                (admin, tiny, {}, "SYS.1007"),
            ):
                for action in ("shareResource", "revokeResourceSharing"):
                    if action == "revokeResourceSharing" and how == {"accountUuids": ["f" * 32]}:
                        continue
                    body = {action: {"resourceUuids": [uuid], **how}}
                    error = await caller.refused("PUT", "/accounts/resources/actions", body)
                    assert error["code"] == code, error
        assert len(await alice.query("/images", "name=tiny")) == 1, "nobody took it from the public"


async def test_a_quota_holds_against_requests_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, alice, bob):
        assert (await set_quota(admin, "vm.num", 2))["value"] == 2
        body = {"params": await vm_params(alice, "vm")}
        answers: list[Any] = []

        async def create() -> None:
            answers.append((await alice.call("POST", "/vm-instances", body)).json())

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(create)
        errors = [answer["error"] for answer in answers if "error" in answer]
        assert [error["code"] for error in errors] == ["ID.1003"] * 3
        assert "may have 2 of quota[name:vm.num], has 2 and asks for 1 more" in errors[0]["details"]
        store = cloud.kernel.store
        assert [store.count(cls) for cls in (VmInstance, Volume, HostCharge)] == [2, 2, 2]
        await new_vm(admin, "no limit for the administrator")
        await new_vm(bob, "nor for others")


async def test_a_stopped_vm_makes_room_and_starts_within_its_quota(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, alice, _):
        await set_quota(admin, "vm.num", 1)
        one = await new_vm(alice, "one")
        await act(alice, one, "stopVmInstance", type="cold")
        two = await new_vm(alice, "two")
        start: dict[str, object] = {"startVmInstance": {}}
        error = await alice.refused("PUT", f"/vm-instances/{one['uuid']}/actions", start)
        assert error["code"] == "ID.1003"
        assert cloud.kernel.store.require(VmInstance, one["uuid"]).state is VmState.STOPPED
        await set_quota(admin, "vm.num", 0)
        await act(alice, two, "stopVmInstance", type="cold")
        await act(admin, one, "startVmInstance")


async def test_every_quota_is_counted(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (_cloud, _admin, alice, _):
        vm = await new_vm(alice, "one")
        usages = (await alice.send("GET", f"/accounts/quota/{ALICE}/usages")).json()["usages"]
        by_name = {usage["name"]: (usage["used"], usage["total"]) for usage in usages}
        size = (await alice.query("/volumes"))[0]["size"]
        assert by_name == {
            "vm.num": (1, 20),
            "vm.totalNum": (1, 20),
            "vm.cpuNum": (1, 80),
            "vm.memorySize": (128 * 2**20, 80 * 2**30),
            "volume.capacity": (size, 10 * 2**40),
            "volume.data.num": (0, 40),
            "image.num": (0, 20),
            "image.size": (0, 10 * 2**40),
            "l3.num": (0, 20),
        }
        await alice.do("DELETE", f"/vm-instances/{vm['uuid']}")
        usages = (await alice.send("GET", f"/accounts/quota/{ALICE}/usages")).json()["usages"]
        assert {usage["used"] for usage in usages} == {0}, "what is destroyed counts no more"
        rows = await alice.query("/accounts/quotas")
        assert {row["name"] for row in rows} == set(by_name)
        assert {(row["identityUuid"], row["identityType"]) for row in rows} == {(ALICE, "AccountVO")}
        foreign = (await alice.send("GET", f"/accounts/quota/{BOB}/usages")).json()["error"]
        assert foreign["code"] == "SYS.1003"


async def test_a_quota_that_is_unknown_or_not_theirs_to_change(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (_, admin, alice, _bob):
        for name, account in (("vm.nun", ALICE), ("vm.num", ADMIN_ACCOUNT)):
            body = {"updateQuota": {"identityUuid": account, "name": name, "value": 1}}
            assert (await admin.refused("PUT", "/accounts/quotas/actions", body))["code"] == "SYS.1003"
        body = {"updateQuota": {"identityUuid": ALICE, "name": "vm.num", "value": 99}}
        assert (await alice.refused("PUT", "/accounts/quotas/actions", body))["code"] == "ID.1002"


async def test_the_default_of_a_quota_is_a_setting(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, _alice, _bob):
        body = {"updateGlobalConfig": {"value": "7"}}
        await admin.do("PUT", "/global-configurations/quota/vm.num/actions", body)
        made = await admin.create("/accounts", name="carol", password=client_hash("carol"))
        store = cloud.kernel.store
        assert store.find(AccountQuota, identity_uuid=made["uuid"], name="vm.num")[0].value == 7
        assert store.find(AccountQuota, identity_uuid=ALICE, name="vm.num")[0].value == 20


async def test_a_deleted_account_leaves_nothing(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (cloud, admin, alice, bob):
        store = cloud.kernel.store
        used = store.count(UsedIp)
        await new_vm(alice, "one")
        gone = await new_vm(alice, "destroyed but kept")
        await alice.do("DELETE", f"/vm-instances/{gone['uuid']}")
        offering = await alice.create("/disk-offerings", name="hers", diskSize=2**30)
        await share(alice, offering["uuid"], accountUuids=[BOB])
        his = await bob.create("/disk-offerings", name="his", diskSize=2**30)
        await share(bob, his["uuid"], accountUuids=[ALICE])
        plan = (await admin.send("DELETE", f"/accounts/{ALICE}", params={"dryRun": "true"})).json()["plan"]
        assert {(row["type"], row["name"]) for row in plan if row["name"]} == {
            ("AccountVO", "alice"),
            ("VmInstanceVO", "one"),
            ("VmInstanceVO", "destroyed but kept"),
            ("VolumeVO", "ROOT-for-one"),
            ("VolumeVO", "ROOT-for-destroyed but kept"),
            ("DiskOfferingVO", "hers"),
        } | {("QuotaVO", row["name"]) for row in plan if row["type"] == "QuotaVO" and row["name"]}
        await admin.do("DELETE", f"/accounts/{ALICE}")
        assert [store.count(cls) for cls in (VmInstance, Volume, HostCharge)] == [0, 0, 0]
        assert store.count(UsedIp) == used, "only the routers keep theirs"
        assert {row.to_public for row in store.find(SharedResource)} == {True}
        assert store.count(AccountQuota, identity_uuid=ALICE) == 0
        assert len(await bob.query("/disk-offerings", "name=his")) == 1


async def test_a_plan_shows_an_account_no_foreign_row(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with people(tmp_path) as (_cloud, admin, alice, bob):
        l2 = await named(admin, "/l2-networks", "net1")
        network = await alice.create("/l3-networks", name="hers", l2NetworkUuid=l2["uuid"])
        await alice.create(f"/l3-networks/{network['uuid']}/ip-ranges/by-cidr", name="range", networkCidr="10.9.0.0/24")
        await share(alice, network["uuid"], accountUuids=[BOB])
        his = await new_vm(bob, "his")
        params = await vm_params(bob, "guest", l3NetworkUuids=[network["uuid"]])
        guest = await bob.create("/vm-instances", **params)
        await act(bob, guest, "stopVmInstance", type="cold")
        plan = (await alice.send("DELETE", f"/l3-networks/{network['uuid']}", params={"dryRun": "true"})).json()
        shown = {row["type"] for row in plan["plan"]}
        assert shown == {"IpRangeVO", "UsedIpVO", "L3NetworkVO"}, "the NIC is Bob's"
        await alice.do("DELETE", f"/l3-networks/{network['uuid']}")
        [left] = await bob.query("/vm-instances", "name=guest")
        assert left["vmNics"] == []
        assert len((await bob.query("/vm-instances", f"uuid={his['uuid']}"))[0]["vmNics"]) == 1
