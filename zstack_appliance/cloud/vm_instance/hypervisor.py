"""A VM on its host: what its rows say, put as the host's commands want it."""

from __future__ import annotations

import base64
import re

from zstack_appliance.cloud.host.driver import DestroyVm, DiskSpec, DomainSpec, NicSpec, SeedSpec, StartVm
from zstack_appliance.cloud.host.messages import on_host
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.l2_network.wire import bridge_name
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.vm_instance.configs import tuning_of
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.cloud.vm_instance.tags import CONSOLE_PASSWORD, HOSTNAME, SSH_KEY, USER_DATA
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.hostkit.marks import Kind, interface_name
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.tag import SystemTag, SystemTagRow


async def start(vm: VmInstance, host_uuid: str, cloud: Cloud) -> None:
    """Have the VM running on the host. Safe to repeat.

    Raises:
        CloudError: the host does not answer, or its hypervisor refuses.
    """
    await cloud.call(on_host(host_uuid, StartVm(domain=await domain_of(vm, cloud))))


async def remove(vm_uuid: str, host_uuid: str, cloud: Cloud) -> None:
    """Have nothing of the VM on the host but its volumes. Safe to repeat."""
    await cloud.call(on_host(host_uuid, DestroyVm(uuid=vm_uuid)))


async def domain_of(vm: VmInstance, cloud: Cloud) -> DomainSpec:
    """The VM whole, from its rows and tags."""
    volumes = sorted(await cloud.find(Volume, vm_instance_uuid=vm.uuid), key=lambda v: v.device_id or 0)
    nics = sorted(await cloud.find(VmNic, vm_instance_uuid=vm.uuid), key=lambda nic: nic.device_id)
    tags = [row.tag for row in await cloud.find(SystemTagRow, resource_uuid=vm.uuid)]
    return DomainSpec(
        uuid=vm.uuid,
        name=vm.name,
        vcpus=vm.cpu_num,
        memory=vm.memory_size,
        disks=tuple(_disk(volume, cloud) for volume in volumes if volume.install_path),
        nics=tuple([await _nic(nic, vm, cloud) for nic in nics]),
        seed=seed_of(vm, tags),
        console_password=_token(CONSOLE_PASSWORD, tags),
        tuning=tuning_of(cloud.configs_of(vm)),
    )


def _disk(volume: Volume, cloud: Cloud) -> DiskSpec:
    return DiskSpec(
        device_id=volume.uuid,
        path=volume.install_path or "",
        format=volume.format,
        boot_order=1 if volume.device_id == 0 else None,
        cache=cloud.configs_of(volume).text("kvm.vm.cacheMode"),
    )


async def _nic(nic: VmNic, vm: VmInstance, cloud: Cloud) -> NicSpec:
    network = await cloud.get(L3Network, nic.l3_network_uuid)
    instance = cloud.use(Instance).id
    return NicSpec(
        mac=nic.mac,
        bridge=bridge_name(instance, network.l2_network_uuid),
        tap=interface_name(Kind.TAP, instance, nic.uuid),
        queues=min(cloud.configs_of(nic).number("vm.nicMultiQueueNum"), vm.cpu_num),
    )


def seed_of(vm: VmInstance, tags: list[str]) -> SeedSpec:
    """What the guest learns at its first boot."""
    user_data = _token(USER_DATA, tags)
    key = _token(SSH_KEY, tags)
    return SeedSpec(
        hostname=hostname_of(vm, tags),
        ssh_keys=(key,) if key else (),
        user_data=base64.b64decode(user_data).decode("utf-8", errors="replace") if user_data else None,
    )


def hostname_of(vm: VmInstance, tags: list[str]) -> str:
    """The hostname tag, else the VM's name made fit for DNS, else ``vm-`` and the uuid's beginning."""
    tagged = _token(HOSTNAME, tags)
    slug = re.sub(r"[^a-z0-9]+", "-", vm.name.lower()).strip("-")[:63].rstrip("-")
    return tagged or slug or f"vm-{vm.uuid[:8]}"


def _token(pattern: SystemTag, tags: list[str]) -> str | None:
    for tag in tags:
        tokens = pattern.tokens(tag)
        if tokens:
            return next(iter(tokens.values()))
    return None


async def is_reachable(vm: VmInstance, cloud: Cloud) -> bool:
    """Whether nothing of the VM is on a host that does not answer now."""
    volumes = await cloud.find(Volume, vm_instance_uuid=vm.uuid)
    places = {vm.host_uuid or vm.last_host_uuid, *(volume.host_uuid for volume in volumes)} - {None}
    hosts = [cloud.store.get(Host, uuid) for uuid in places if uuid is not None]
    return all(host is None or host.status is HostStatus.CONNECTED for host in hosts)
