"""Stop, reboot, pause and resume a VM: one command on its host, from which the flow only goes forward.

Each is begin → command → settle. The command is the pivot: a guest that was told to stop cannot be told to
have gone on, so after a crash the command is repeated instead of undone. A run that is stuck, because its host
does not answer, may be overtaken by one that destroys the VM; then there is nothing left for it to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from zstack_appliance.cloud.host.driver import PauseVm, RebootVm, ResumeVm, StopVm
from zstack_appliance.cloud.host.ledger import vacate
from zstack_appliance.cloud.host.messages import on_host
from zstack_appliance.cloud.vm_instance import checks
from zstack_appliance.cloud.vm_instance.messages import (
    PauseVmInstance,
    RebootVmInstance,
    ResumeVmInstance,
    StopVmInstance,
)
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx


class PoweredVm(Context):
    """The VM, and how the guest is told."""

    vm: VmInstance
    grace: bool = True


def _flow(
    name: str,
    during: VmState,
    command: Callable[[PoweredVm, Cloud], Awaitable[object]],
    settle: Callable[[Tx, PoweredVm], None],
) -> Flow[PoweredVm]:
    def begin(tx: Tx, d: PoweredVm) -> None:
        d.vm = tx.update(tx.require(VmInstance, d.vm.uuid), state=during)

    async def tell(d: PoweredVm, cloud: Cloud) -> None:
        vm = cloud.store.get(VmInstance, d.vm.uuid)
        if vm is not None and vm.state is during:
            await command(d, cloud)

    def conclude(tx: Tx, d: PoweredVm) -> None:
        vm = tx.get(VmInstance, d.vm.uuid)
        if vm is not None and vm.state is during:
            settle(tx, d)

    return Flow(name, PoweredVm, lambda: (
        Step("begin", tx=begin, keeps="the pivot begins in the same commit", with_next=True),
        Step("tell_hypervisor", do=tell, pivot=True),
        Step("settle", tx=conclude),
    ))  # fmt: skip


async def _stop(d: PoweredVm, cloud: Cloud) -> None:
    if d.vm.host_uuid:
        grace = cloud.configs_of(d.vm).number("vm.stop.graceSeconds")
        await cloud.call(on_host(d.vm.host_uuid, StopVm(uuid=d.vm.uuid, grace=d.grace, grace_seconds=float(grace))))


def settle_stopped(tx: Tx, d: PoweredVm) -> None:
    """Write down that the VM is stopped; its place on the host is free."""
    vacate(tx, d.vm.uuid)
    d.vm = tx.update(
        tx.require(VmInstance, d.vm.uuid),
        state=VmState.STOPPED,
        host_uuid=None,
        last_host_uuid=d.vm.host_uuid or d.vm.last_host_uuid,
    )


async def _reboot(d: PoweredVm, cloud: Cloud) -> None:
    grace = float(cloud.configs_of(d.vm).number("vm.stop.graceSeconds"))
    await cloud.call(on_host(d.vm.host_uuid or "", RebootVm(uuid=d.vm.uuid, grace_seconds=grace)))


async def _pause(d: PoweredVm, cloud: Cloud) -> None:
    await cloud.call(on_host(d.vm.host_uuid or "", PauseVm(uuid=d.vm.uuid)))


async def _resume(d: PoweredVm, cloud: Cloud) -> None:
    await cloud.call(on_host(d.vm.host_uuid or "", ResumeVm(uuid=d.vm.uuid)))


def _settle_running(tx: Tx, d: PoweredVm) -> None:
    d.vm = tx.update(tx.require(VmInstance, d.vm.uuid), state=VmState.RUNNING)


def _settle_paused(tx: Tx, d: PoweredVm) -> None:
    d.vm = tx.update(tx.require(VmInstance, d.vm.uuid), state=VmState.PAUSED)


STOP = _flow("vm_instance.stop", VmState.STOPPING, _stop, settle_stopped)
REBOOT = _flow("vm_instance.reboot", VmState.REBOOTING, _reboot, _settle_running)
PAUSE = _flow("vm_instance.pause", VmState.PAUSING, _pause, _settle_paused)
RESUME = _flow("vm_instance.resume", VmState.RESUMING, _resume, _settle_running)


@handles(StopVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def stop(m: StopVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `StopVmInstance`; one that is stopped already stays so."""
    vm = await cloud.get(VmInstance, m.uuid)
    if vm.state is VmState.STOPPED:
        return vm
    checks.in_state(
        vm,
        "APIStopVmInstanceMsg",
        VmState.RUNNING,
        VmState.PAUSED,
        VmState.UNKNOWN,
        VmState.CRASHED,
        VmState.NO_STATE,
    )
    return (await cloud.run(STOP, PoweredVm(vm=vm, grace=m.type == "grace"))).vm


@handles(RebootVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def reboot(m: RebootVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `RebootVmInstance`."""
    vm = await cloud.get(VmInstance, m.uuid)
    checks.in_state(vm, "APIRebootVmInstanceMsg", VmState.RUNNING)
    return (await cloud.run(REBOOT, PoweredVm(vm=vm))).vm


@handles(PauseVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def pause(m: PauseVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `PauseVmInstance`."""
    vm = await cloud.get(VmInstance, m.uuid)
    checks.in_state(vm, "APIPauseVmInstanceMsg", VmState.RUNNING)
    return (await cloud.run(PAUSE, PoweredVm(vm=vm))).vm


@handles(ResumeVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def resume(m: ResumeVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `ResumeVmInstance`."""
    vm = await cloud.get(VmInstance, m.uuid)
    checks.in_state(vm, "APIResumeVmInstanceMsg", VmState.PAUSED)
    return (await cloud.run(RESUME, PoweredVm(vm=vm))).vm
