"""Compare the VMs on a host with the records: domains, their folders, and their taps."""

from __future__ import annotations

from zstack_appliance.cloud.host.driver import ListVms
from zstack_appliance.cloud.host.messages import HostLeftover, InspectHost, differences, on_host
from zstack_appliance.cloud.network_service.host_network.wire import ListHostNetwork
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.hostkit.marks import Kind, interface_name
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.instance import Instance

_GONE = (VmState.DESTROYED, VmState.EXPUNGING)
"""States in which nothing of a VM but its disk may be on a host."""

_THERE = (VmState.RUNNING, VmState.PAUSED)
"""States in which a VM must be on its host."""


async def inspect(hook: InspectHost, cloud: Cloud) -> tuple[HostLeftover, ...]:
    """What of VMs there is too much and too little."""
    uuid = hook.host.uuid
    listed = await cloud.call(on_host(uuid, ListVms()))
    network = await cloud.call(on_host(uuid, ListHostNetwork()))
    vms = await cloud.find(VmInstance)
    # A stopped VM stays defined on its last host.
    at_home = {vm.uuid for vm in vms if vm.state not in _GONE and uuid in (vm.host_uuid, vm.last_host_uuid)}
    running = {vm.uuid for vm in vms if vm.state in _THERE and vm.host_uuid == uuid}
    domains = {vm.uuid for vm in listed.vms}
    instance = cloud.use(Instance).id
    taps = {
        interface_name(Kind.TAP, instance, nic.uuid)
        for nic in await cloud.find(VmNic)
        if nic.vm_instance_uuid in at_home
    }
    found = {one.name for one in network.interfaces if one.kind != "bridge" and one.name[1] == Kind.TAP}
    return (
        *differences("domain", domains - at_home, running - domains),
        *differences("vm folder", set(listed.folders) - at_home, ()),
        *differences("tap", found - taps, ()),
    )
