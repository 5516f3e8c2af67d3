"""Destroy, recover and expunge a VM.

By the policy ``vm.deletionPolicy``: Direct removes everything at once; Delay keeps the disk for
``vm.expungePeriod``, so that the VM can be recovered; Never keeps it until it is expunged by hand.

A run that is stuck, because its host does not answer, may be overtaken by another one that does the same and
succeeds. Then it ends without doing anything: the VM may have been recovered since, or be gone.
"""

from __future__ import annotations

from zstack_appliance.cloud.host.ledger import vacate
from zstack_appliance.cloud.primary_storage.ledger import return_space
from zstack_appliance.cloud.primary_storage.messages import RemoveVolumeBits
from zstack_appliance.cloud.vm_instance import checks, hypervisor, nics
from zstack_appliance.cloud.vm_instance.messages import (
    DestroyVmInstance,
    ExpungeVmInstance,
    RecoverVmInstance,
    RemoveVm,
)
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.cloud.volume.schema import Volume, VolumeStatus, VolumeType
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.store import Tx

DESTROYED = (VmState.DESTROYED, VmState.EXPUNGING)
"""States in which only the disk is left of a VM. One that is being expunged, by a run that is stuck, must not be
destroyed anew: that run would take it for another's, and forget the disk instead of deleting it."""


class DoomedVm(Context):
    """The VM as it was, and what goes with it."""

    vm: VmInstance
    nics: tuple[VmNic, ...]
    roots: tuple[Volume, ...]


DESTROY = Flow("vm_instance.destroy", DoomedVm, lambda: (
    Step("begin", tx=begin_destroy, keeps="the pivot begins in the same commit", with_next=True),
    Step("remove_from_hypervisor", do=remove_from_hypervisor, pivot=True),
    Step("stop_serving_nics", do=stop_serving_nics),
    Step("settle", tx=settle_destroyed),
))  # fmt: skip

EXPUNGE = Flow("vm_instance.expunge", DoomedVm, lambda: (
    Step("begin", tx=begin_expunge, keeps="the pivot begins in the same commit", with_next=True),
    Step("delete_root_volume", do=delete_root_volume, pivot=True),
    Step("forget", tx=forget),
))  # fmt: skip


async def destroy(m: DestroyVmInstance, cloud: Cloud) -> None:
    """Serve `DestroyVmInstance`; a VM that is destroyed already stays so."""
    d = await _doomed(m.uuid, cloud)
    if d.vm.state not in DESTROYED:
        d = await cloud.run(DESTROY, d)
    if cloud.configs.text("vm.deletionPolicy") == "Direct":
        await cloud.run(EXPUNGE, await _doomed(m.uuid, cloud))


@handles(RecoverVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def recover(m: RecoverVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `RecoverVmInstance`: the VM is stopped again, and takes new addresses when it starts."""
    vm = await cloud.get(VmInstance, m.uuid)
    checks.in_state(vm, "APIRecoverVmInstanceMsg", VmState.DESTROYED)

    def commit(tx: Tx) -> VmInstance:
        for volume in tx.find(Volume, vm_instance_uuid=vm.uuid, status=VolumeStatus.DELETED):
            tx.update(volume, status=VolumeStatus.READY)
        return tx.update(tx.require(VmInstance, vm.uuid), state=VmState.STOPPED)

    return await cloud.write(commit)


@handles(ExpungeVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def expunge(m: ExpungeVmInstance, cloud: Cloud) -> None:
    """Serve `ExpungeVmInstance`."""
    d = await _doomed(m.uuid, cloud)
    checks.in_state(d.vm, "APIExpungeVmInstanceMsg", VmState.DESTROYED)
    await cloud.run(EXPUNGE, d)


@handles(RemoveVm, queue=lambda m: VmInstance.key(m.uuid))
async def remove_for_good(m: RemoveVm, cloud: Cloud) -> None:
    """Serve `RemoveVm`."""
    if cloud.store.get(VmInstance, m.uuid) is None:
        return
    d = await _doomed(m.uuid, cloud)
    if m.force and not await hypervisor.is_reachable(d.vm, cloud):
        await cloud.write(lambda tx: forget_everything(tx, d))
        return
    if d.vm.state not in DESTROYED:
        await cloud.run(DESTROY, d)
    await cloud.run(EXPUNGE, await _doomed(m.uuid, cloud))


async def _doomed(uuid: str, cloud: Cloud) -> DoomedVm:
    return DoomedVm(
        vm=await cloud.get(VmInstance, uuid),
        nics=tuple(await cloud.find(VmNic, vm_instance_uuid=uuid)),
        roots=tuple(await cloud.find(Volume, vm_instance_uuid=uuid, type=VolumeType.ROOT)),
    )


def begin_destroy(tx: Tx, d: DoomedVm) -> None:
    """Say that the VM is being destroyed."""
    tx.update(tx.require(VmInstance, d.vm.uuid), state=VmState.DESTROYING)


def begin_expunge(tx: Tx, d: DoomedVm) -> None:
    """Say that the VM is being expunged."""
    tx.update(tx.require(VmInstance, d.vm.uuid), state=VmState.EXPUNGING)


async def remove_from_hypervisor(d: DoomedVm, cloud: Cloud) -> None:
    """Have nothing of the VM on its host; a stopped one may still be defined on its last."""
    host_uuid = d.vm.host_uuid or d.vm.last_host_uuid
    if host_uuid and _is(VmState.DESTROYING, cloud.store.get(VmInstance, d.vm.uuid)):
        await hypervisor.remove(d.vm.uuid, host_uuid, cloud)


async def stop_serving_nics(d: DoomedVm, cloud: Cloud) -> None:
    """Have the networks forget the VM."""
    if _is(VmState.DESTROYING, cloud.store.get(VmInstance, d.vm.uuid)):
        await nics.stop_serving(d.nics, cloud)


def settle_destroyed(tx: Tx, d: DoomedVm) -> None:
    """Free the addresses and the place on the host; the root volume waits to be expunged or recovered."""
    if _is(VmState.DESTROYING, tx.get(VmInstance, d.vm.uuid)):
        _settle_destroyed(tx, d)


def _is(state: VmState, vm: VmInstance | None) -> bool:
    """Whether a VM is still in the state that a run has put it into."""
    return vm is not None and vm.state is state


def _settle_destroyed(tx: Tx, d: DoomedVm) -> None:
    vacate(tx, d.vm.uuid)
    nics.give_up_addresses(tx, d.nics)
    for root in d.roots:
        tx.update(tx.require(Volume, root.uuid), status=VolumeStatus.DELETED)
    tx.update(
        tx.require(VmInstance, d.vm.uuid),
        state=VmState.DESTROYED,
        host_uuid=None,
        last_host_uuid=d.vm.host_uuid or d.vm.last_host_uuid,
    )


async def delete_root_volume(d: DoomedVm, cloud: Cloud) -> None:
    """Delete the disk for good."""
    if _is(VmState.EXPUNGING, cloud.store.get(VmInstance, d.vm.uuid)):
        for root in d.roots:
            await cloud.call(RemoveVolumeBits(volume_uuid=root.uuid))


def forget(tx: Tx, d: DoomedVm) -> None:
    """Delete the rows, and give back the space, once the disk has gone."""
    if _is(VmState.EXPUNGING, tx.get(VmInstance, d.vm.uuid)):
        _forget(tx, d)


def _forget(tx: Tx, d: DoomedVm) -> None:
    nics.forget(tx, d.nics)
    for root in d.roots:
        return_space(tx, root.uuid)
        remove(tx, Volume, root.uuid)
    for volume in tx.find(Volume, vm_instance_uuid=d.vm.uuid):
        tx.update(volume, vm_instance_uuid=None, device_id=None, last_vm_instance_uuid=d.vm.uuid)
    remove(tx, VmInstance, d.vm.uuid)


def forget_everything(tx: Tx, d: DoomedVm) -> None:
    """Delete the rows of a VM that is out of reach. Should its host come back, the VM is a stranger there."""
    _settle_destroyed(tx, d)
    _forget(tx, d)
