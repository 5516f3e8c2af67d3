"""VMs that went down with their host are started again once it is back.

A row of `FallenVm` says that one is to be. It is written before the VM is recorded as stopped, so that a kill
in between forgets none, and goes once the VM runs, or cannot be helped.
"""

from __future__ import annotations

import logging

import trio

from zstack_appliance.cloud.host.messages import HostConnected
from zstack_appliance.cloud.vm_instance.messages import StartVmInstance
from zstack_appliance.cloud.vm_instance.schema import FallenVm, VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

SWITCH = "vm.startAfterHostBoot"
RAN = {VmState.RUNNING, VmState.UNKNOWN}
"""States of a VM that was meant to run, as far as anybody knows; a paused one was not."""

AT_ONCE = 4
"""VMs that are started at a time: a host that has just come up has other things to do as well."""
ATTEMPTS, PAUSE_SECONDS = 3, 10.0
LOOK_SECONDS = 2.0


async def on_connected(event: HostConnected, cloud: Cloud) -> None:
    """A host is back; if it was started anew, note which of its VMs went down with it."""
    if not event.booted:
        return
    known = await cloud.find(VmInstance, host_uuid=event.host.uuid)
    lost = [vm for vm in known if vm.state in RAN and event.vms.get(vm.uuid, "Stopped") == "Stopped"]
    fallen = [vm.uuid for vm in lost if cloud.configs_of(vm).flag(SWITCH)]
    now = cloud.clock.millis()

    def commit(tx: Tx) -> None:
        for uuid in fallen:
            if tx.get(VmInstance, uuid) is not None and tx.get(FallenVm, uuid) is None:
                tx.insert(FallenVm(uuid=uuid, create_date=now, last_op_date=now, vm_instance_uuid=uuid))

    if fallen:
        log.info("host %s was started anew; %d of its VMs are started again", event.host.name, len(fallen))
        await cloud.write(commit)


async def restart_fallen(cloud: Cloud) -> None:
    """As long as the appliance runs, start what has fallen."""
    limiter = trio.CapacityLimiter(AT_ONCE)
    under_way: set[str] = set()

    async def restart(uuid: str) -> None:
        async with limiter:
            await _restart(uuid, cloud)
        under_way.discard(uuid)

    async with trio.open_nursery() as nursery:
        while True:
            for row in cloud.store.find(FallenVm):
                if row.uuid not in under_way and _is_down(row.uuid, cloud):
                    under_way.add(row.uuid)
                    nursery.start_soon(restart, row.uuid)
            await trio.sleep(LOOK_SECONDS)


def _is_down(uuid: str, cloud: Cloud) -> bool:
    """Whether its record has come to say that it does not run; until then it is too early."""
    vm = cloud.store.get(VmInstance, uuid)
    return vm is None or vm.state not in RAN


async def _restart(uuid: str, cloud: Cloud) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        vm = cloud.store.get(VmInstance, uuid)
        if vm is None or vm.state is not VmState.STOPPED:
            # Somebody has done with it already what they wanted.
            break
        try:
            await cloud.call(StartVmInstance(uuid=uuid))
        except CloudError as error:
            log.warning(
                "VM %s (%s) does not start again, attempt %d of %d: %s", uuid, vm.name, attempt, ATTEMPTS, error
            )
            await trio.sleep(PAUSE_SECONDS)
    await cloud.write(lambda tx: _forget(tx, uuid))


def _forget(tx: Tx, uuid: str) -> None:
    row = tx.get(FallenVm, uuid)
    if row is not None:
        tx.delete(row)
