"""What is true once nothing is under way and every host answers: `at_rest`, and `visible_rows`."""

from __future__ import annotations

from typing import Any

from tests.model.mirror import BUSY
from tests.model.site import Site
from tests.model.truths import Problems
from zstack_appliance.cloud.account.messages import GetAccountQuotaUsage
from zstack_appliance.cloud.host.driver import VmState as GuestState
from zstack_appliance.cloud.host.messages import ListOrphans
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.l3_network.schema import Category, L3Network
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.hostkit.marks import namespace_name
from zstack_appliance.kernel.conditions import Query
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT, SYSTEM, Principal
from zstack_appliance.kernel.schema import Record, describe, root_of

_KEPT = ("cached image",)
"""A copy of an image whose answer was lost stays without a record: the next VM of that image there finds it."""

SETTLED = ("Running", "Paused", "Stopped", "Destroyed")


async def at_rest(site: Site) -> Problems:
    """What is wrong; empty when all is well."""
    return [
        *_jobs(site),
        *_guests(site),
        *_disks(site),
        *_routers(site),
        *await _orphans(site),
        *await _usages(site),
    ]


def _jobs(site: Site) -> Problems:
    return [f"job {job.api} still runs" for job in site.store.find(Job, state=JobState.RUNNING)]


def _guests(site: Site) -> Problems:
    """What runs is recorded as running there, and the other way round; nothing runs twice."""
    recorded: dict[str, tuple[str, str]] = {}
    found: Problems = []
    for vm in site.store.find(VmInstance):
        if vm.state.value not in SETTLED:
            found.append(f"VM {vm.name} is {vm.state.value}, though nothing is under way")
        if vm.state.value in BUSY:
            recorded[vm.uuid] = (vm.host_uuid or "", vm.state.value)
    running: dict[str, tuple[str, str]] = {}
    for host in site.store.find(Host):
        for uuid, state in site.fleet.machines[host.uuid].shelf("vm").items():
            if state in (GuestState.RUNNING, GuestState.PAUSED):
                if uuid in running:
                    found.append(f"VM {uuid} runs on two hosts, {host.name} is one of them")
                running[uuid] = (host.uuid, state.value)
    differing = {uuid for uuid in {*recorded, *running} if recorded.get(uuid) != running.get(uuid)}
    return found + [f"VM {uuid}: recorded {recorded.get(uuid)}, really {running.get(uuid)}" for uuid in differing]


def _disks(site: Site) -> Problems:
    """Every host has the disks that the records say, and no others."""
    found: Problems = []
    for host in site.store.find(Host):
        files = [path for path, _ in site.fleet.machines[host.uuid].files.below("") if "rootVolumes" in path]
        there = {path.rpartition("/")[2].removesuffix(".qcow2") for path in files}
        wanted = {volume.uuid for volume in site.store.find(Volume, host_uuid=host.uuid)}
        found += [f"disk {uuid} on {host.name} belongs to no record" for uuid in there - wanted]
        found += [f"disk {uuid} is recorded on {host.name} and not there" for uuid in wanted - there]
    return found


def _routers(site: Site) -> Problems:
    """A router with DHCP hands out addresses to the served NICs of its network, and to no others."""
    nics = site.store.find(VmNic)
    found: Problems = []
    for host in site.store.find(Host):
        for router in site.fleet.machines[host.uuid].shelf("router").values():
            if router.dhcp is None:
                continue
            leases = {(lease.mac, lease.ip) for lease in router.dhcp.leases}
            mine = [nic for nic in nics if nic.l3_network_uuid == router.l3_network_uuid]
            wanted = {(nic.mac, nic.ip) for nic in mine if nic.served and nic.ip is not None}
            where = f"the router of {router.l3_network_uuid} on {host.name}"
            found += [f"{where} serves {lease}, which no NIC has" for lease in leases - wanted]
            found += [f"{where} does not serve {lease}" for lease in wanted - leases]
    return found


async def _orphans(site: Site) -> Problems:
    """What the appliance itself says of hosts and records."""
    orphans = (await site.cloud.portal.serve(ListOrphans(), SYSTEM)).orphans
    impossible = _without_a_way_out(site)
    return [
        f"{one.problem}: {one.kind} {one.name}"
        for one in orphans
        if one.kind not in _KEPT and not (one.problem == "missing" and one.name in impossible)
    ]


def _without_a_way_out(site: Site) -> set[str]:
    """The namespaces of routers that no host can make: inside and outside would be the same L2 network."""
    instance, networks = site.cloud.kernel.services[Instance].id, site.store.find(L3Network)
    outer = {network.l2_network_uuid for network in networks if network.category is Category.PUBLIC}
    inner = [network for network in networks if network.category is not Category.PUBLIC]
    return {namespace_name(instance, one.uuid) for one in inner if outer <= {one.l2_network_uuid}}


async def _usages(site: Site) -> Problems:
    """What an account is said to have of VMs is what it has."""
    owners = {vm.uuid: site.store.owner(VmInstance, vm.uuid) for vm in site.store.find(VmInstance)}
    found: Problems = []
    for account in {*owners.values()} - {ADMIN_ACCOUNT, None}:
        mine = [vm for vm in site.store.find(VmInstance) if owners[vm.uuid] == account]
        busy = [vm for vm in mine if vm.state.value in BUSY]
        counted = {
            "vm.num": len(busy),
            "vm.totalNum": sum(vm.state.value != "Destroyed" for vm in mine),
            "vm.cpuNum": sum(vm.cpu_num for vm in busy),
            "vm.memorySize": sum(vm.memory_size for vm in busy),
        }
        asked = await site.cloud.portal.serve(GetAccountQuotaUsage(uuid=account or ""), SYSTEM)
        said = {usage.name: usage.used for usage in asked if usage.name in counted}
        if said != counted:
            found.append(f"account {account} is said to have {said} and has {counted}")
    return found


async def visible_rows(site: Site, cls: type[Record], principal: Principal) -> Problems:
    """Rows that a query answers although they are neither the account's own, nor shared with it, nor everybody's."""
    body: dict[str, Any] = await site.cloud.answers.query(cls, Query(limit=1000), principal)
    root = root_of(cls)
    if root.options.readable or describe(cls).options.readable:
        return []
    sql = "SELECT resource_uuid FROM shared_resource WHERE to_public = 1 OR receiver_account_uuid = ?"
    shared = {uuid for (uuid,) in site.store.reader.select(sql, (principal.account_uuid,))}
    return [
        f"account {principal.account_uuid} sees {cls.__name__} {row['uuid']} of another account"
        for row in body["inventories"]
        if row["uuid"] not in shared and site.store.owner(cls, row["uuid"]) != principal.account_uuid
    ]
