"""Expunge destroyed VMs once nobody can want them back: a background task."""

from __future__ import annotations

import logging

from zstack_appliance.cloud.vm_instance.messages import ExpungeVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError

log = logging.getLogger(__name__)


async def expunge_old(cloud: Cloud) -> None:
    """Every ``vm.expungeInterval`` seconds, expunge what was destroyed ``vm.expungePeriod`` seconds ago."""
    while True:
        await cloud.configs.pause("vm.expungeInterval")
        if cloud.configs.text("vm.deletionPolicy") != "Never":
            await expunge_due(cloud)


async def expunge_due(cloud: Cloud) -> None:
    """Expunge what is due now; what fails stays for the next round."""
    latest = cloud.clock.millis() - cloud.configs.number("vm.expungePeriod") * 1000
    for vm in await cloud.find(VmInstance, state=VmState.DESTROYED):
        if vm.last_op_date <= latest:
            try:
                await cloud.call(ExpungeVmInstance(uuid=vm.uuid))
            except CloudError as error:
                log.warning("VM %s (%s) cannot be expunged yet: %s", vm.uuid, vm.name, error)
