"""What becomes of a VM when something that it needs is deleted: its host, a network, an address."""

from __future__ import annotations

from zstack_appliance.cloud.vm_instance import hypervisor, nics
from zstack_appliance.cloud.vm_instance.messages import LeaveHost, TakeNicAway
from zstack_appliance.cloud.vm_instance.power import STOP, PoweredVm, settle_stopped
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.message import BeforeDelete
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import OnDelete
from zstack_appliance.kernel.store import Tx

WITHOUT_GUEST = (VmState.CREATED, VmState.STOPPED, VmState.DESTROYED)
"""States in which no guest holds the VM's devices."""


@handles(LeaveHost, queue=lambda m: VmInstance.key(m.uuid))
async def leave_host(m: LeaveHost, cloud: Cloud) -> None:
    """Serve `LeaveHost`; a VM that is on no host any more has left it."""
    vm = cloud.store.get(VmInstance, m.uuid)
    if vm is None or vm.host_uuid is None:
        return
    d = PoweredVm(vm=vm, grace=False)
    if await hypervisor.is_reachable(vm, cloud):
        await cloud.run(STOP, d)
    else:
        await cloud.write(lambda tx: settle_stopped(tx, d))


@handles(TakeNicAway, queue=lambda m: VmInstance.key(m.vm_instance_uuid))
async def take_nic_away(m: TakeNicAway, cloud: Cloud) -> None:
    """Serve `TakeNicAway`."""
    nic = cloud.store.get(VmNic, m.uuid)
    if nic is None:
        return
    if not m.force:
        await _refuse_running(nic, cloud)
    await nics.stop_serving((nic,), cloud)
    await cloud.write(lambda tx: forget_nic(tx, nic))


def forget_nic(tx: Tx, nic: VmNic) -> None:
    """Delete a NIC; if its network was the VM's default one, the next NIC's is that from now on."""
    nics.forget(tx, (nic,))
    vm = tx.require(VmInstance, nic.vm_instance_uuid)
    if vm.default_l3_network_uuid == nic.l3_network_uuid:
        left = sorted(tx.find(VmNic, vm_instance_uuid=vm.uuid), key=lambda other: other.device_id)
        tx.update(vm, default_l3_network_uuid=left[0].l3_network_uuid if left else None)


async def before_delete(hook: BeforeDelete, cloud: Cloud) -> None:
    """A running VM keeps its NICs: they cannot be unplugged from a running guest yet."""
    if hook.effect is OnDelete.DETACH and isinstance(hook.row, VmNic):
        await _refuse_running(hook.row, cloud)


async def _refuse_running(nic: VmNic, cloud: Cloud) -> None:
    vm = await cloud.get(VmInstance, nic.vm_instance_uuid)
    if vm.state not in WITHOUT_GUEST:
        raise Conflict(
            f"VM[{vm.name}] is {vm.state.value} and has a NIC[{nic.ip or nic.mac}] there, which cannot be unplugged"
            " from a running guest; stop the VM first"
        )
