"""Keep the records true: what hosts report of VMs, and what is unknown while a host does not answer."""

from __future__ import annotations

import logging

from zstack_appliance.cloud.host.driver import DestroyVm, ListVms
from zstack_appliance.cloud.host.ledger import hold, vacate
from zstack_appliance.cloud.host.messages import HostConnected, HostLost, VmReported, VmsListed, on_host, scaled
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.vm_instance.messages import SyncVm
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

SETTLED = {
    VmState.RUNNING,
    VmState.STOPPED,
    VmState.PAUSED,
    VmState.UNKNOWN,
    VmState.CRASHED,
    VmState.NO_STATE,
    VmState.DESTROYED,
}
"""States in which no operation is under way. In any other, whoever runs the operation settles the record."""

ON_HOST = SETTLED - {VmState.STOPPED, VmState.DESTROYED}


async def on_report(event: VmReported, cloud: Cloud) -> None:
    """A host says that a VM came into a state."""
    vm = cloud.store.get(VmInstance, event.vm_uuid)
    if vm is not None and vm.state.value != event.state:
        await cloud.call(SyncVm(uuid=vm.uuid, host_uuid=event.host_uuid, state=event.state))


async def on_listed(event: HostConnected | VmsListed, cloud: Cloud) -> None:
    """A host is back, or was asked: compare all that it has with all that it should have."""
    host_uuid = event.host.uuid
    known = {vm.uuid: vm for vm in await cloud.find(VmInstance, host_uuid=host_uuid)}
    for uuid in sorted({*known, *event.vms}):
        state = event.vms.get(uuid, VmState.STOPPED.value)
        vm = known.get(uuid) or cloud.store.get(VmInstance, uuid)
        if vm is None:
            log.warning("host %s runs VM %s, which no record knows; see doctor --orphans", event.host.name, uuid)
        elif vm.state.value != state and vm.state in SETTLED:
            await cloud.call(SyncVm(uuid=uuid, host_uuid=host_uuid, state=state))


async def on_lost(event: HostLost, cloud: Cloud) -> None:
    """A host does not answer: nobody knows what its VMs do."""

    def commit(tx: Tx) -> None:
        for vm in tx.find(VmInstance, host_uuid=event.host.uuid):
            if vm.state in ON_HOST:
                tx.update(vm, state=VmState.UNKNOWN)

    await cloud.write(commit)


@handles(SyncVm, queue=lambda m: VmInstance.key(m.uuid))
async def sync(m: SyncVm, cloud: Cloud) -> VmInstance | None:
    """Serve `SyncVm`. By its turn the report may be old, so the host is asked for the state as it is now."""
    vm = cloud.store.get(VmInstance, m.uuid)
    if vm is None or vm.state not in SETTLED:
        return vm
    listed = await cloud.call(on_host(m.host_uuid, ListVms()))
    states = {status.uuid: VmState(status.state.value) for status in listed.vms}
    found = states.get(vm.uuid, VmState.STOPPED)
    if vm.state is VmState.DESTROYED:
        if vm.uuid in states:
            await cloud.call(on_host(m.host_uuid, DestroyVm(uuid=vm.uuid)))
        return vm
    if found is vm.state or (vm.host_uuid not in (None, m.host_uuid) and found is VmState.STOPPED):
        return vm
    log.info("VM %s (%s) is %s by itself, it was %s", vm.uuid, vm.name, found.value, vm.state.value)
    host = await cloud.get(Host, m.host_uuid)
    memory = scaled(vm.memory_size, cloud.configs_of(host).fraction("mevoco.overProvisioning.memory"))
    return await cloud.write(lambda tx: settle(tx, vm, m.host_uuid, found, memory))


def settle(tx: Tx, vm: VmInstance, host_uuid: str, found: VmState, memory: int) -> VmInstance:
    """Write down a state that a VM came into by itself; running ones hold a place on their host, others none."""
    row = tx.require(VmInstance, vm.uuid)
    vacate(tx, row.uuid)
    if found is VmState.STOPPED:
        return tx.update(row, state=found, host_uuid=None, last_host_uuid=host_uuid)
    host = hold(tx, row.uuid, host_uuid, cpu=row.cpu_num, memory=memory)
    return tx.update(
        row,
        state=found,
        host_uuid=host.uuid,
        cluster_uuid=host.cluster_uuid,
        zone_uuid=host.zone_uuid,
        last_host_uuid=host.uuid,
    )
