"""What VM instances add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import HostConnected, HostLost, InspectHost, VmReported, VmsListed
from zstack_appliance.cloud.tag.messages import BeforeSystemTag
from zstack_appliance.cloud.vm_instance import (
    bereft,
    console,
    create,
    destroy,
    expunge_task,
    fallen,
    hostnames,
    inspect,
    placement,
    power,
    service,
    start,
    sync,
)
from zstack_appliance.cloud.vm_instance.configs import CONFIGS
from zstack_appliance.cloud.vm_instance.messages import DestroyVmInstance, LeaveHost, RemoveVm, TakeNicAway
from zstack_appliance.cloud.vm_instance.quotas import QUOTAS
from zstack_appliance.cloud.vm_instance.schema import FallenVm, VmInstance, VmNic
from zstack_appliance.cloud.vm_instance.tags import TAGS
from zstack_appliance.cloud.vm_instance.ui import PRESENTATIONS
from zstack_appliance.kernel.message import BeforeDelete, DeleteMode
from zstack_appliance.kernel.meter import Gauge
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import DELETE, DETACH, STOP
from zstack_appliance.kernel.standard import deletes

plugin = Plugin(
    name="vm_instance",
    resources=(VmInstance, VmNic, FallenVm),
    handlers=(
        create.create,
        placement.placements,
        start.start,
        power.stop,
        power.reboot,
        power.pause,
        power.resume,
        deletes(DestroyVmInstance, act=destroy.destroy),
        destroy.remove_for_good,
        bereft.leave_host,
        bereft.take_nic_away,
        destroy.recover,
        destroy.expunge,
        sync.sync,
        console.address,
        console.request_access,
        service.update,
    ),
    listeners=(
        (VmReported, sync.on_report),
        # First: it has to see what was running before the records say that it is stopped.
        (HostConnected, fallen.on_connected),
        (HostConnected, sync.on_listed),
        (VmsListed, sync.on_listed),
        (HostLost, sync.on_lost),
    ),
    hooks=(
        (InspectHost, inspect.inspect),
        (BeforeDelete, bereft.before_delete),
        (BeforeSystemTag, hostnames.before_tag),
    ),
    flows=(
        create.CREATE,
        start.START,
        power.STOP,
        power.REBOOT,
        power.PAUSE,
        power.RESUME,
        destroy.DESTROY,
        destroy.EXPUNGE,
    ),
    cascades={
        (VmInstance, DELETE): lambda vm, mode: RemoveVm(uuid=vm.uuid, force=mode is DeleteMode.ENFORCING),
        (VmInstance, STOP): lambda vm, _mode: LeaveHost(uuid=vm.uuid),
        (VmNic, DETACH): lambda nic, mode: TakeNicAway(
            uuid=nic.uuid, vm_instance_uuid=nic.vm_instance_uuid, force=mode is DeleteMode.ENFORCING
        ),
    },
    quotas=QUOTAS,
    tags=TAGS,
    singletons=(expunge_task.expunge_old, fallen.restart_fallen),
    configs=(console.TOKEN_TIMEOUT, console.OVERRIDDEN_IP, *CONFIGS),
    presentations=PRESENTATIONS,
    gauges=(Gauge("zstack_vms", "Virtual machines, by their state.", VmInstance, by=("state",)),),
)
