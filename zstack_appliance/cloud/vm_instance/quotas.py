"""How many VMs an account may have, and how large they may be together. Names and defaults are ZStack's."""

from __future__ import annotations

from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.kernel.quota import Quota

IDLE = (
    VmState.CREATED,
    VmState.STOPPED,
    VmState.DESTROYING,
    VmState.DESTROYED,
    VmState.EXPUNGING,
    VmState.ERROR,
)
"""States in which a VM takes no CPU and no memory of a host."""

_BUSY = tuple(state for state in VmState if state not in IDLE)
_KEPT = tuple(state for state in VmState if state not in (VmState.DESTROYED, VmState.EXPUNGING))

QUOTAS = (
    Quota("vm.num", 20, "VMs that are not stopped", VmInstance, where={"state": _BUSY}),
    Quota("vm.totalNum", 20, "VMs that are not destroyed", VmInstance, where={"state": _KEPT}),
    Quota("vm.cpuNum", 80, "CPUs of VMs that are not stopped", VmInstance, "cpu_num", {"state": _BUSY}),
    Quota(
        "vm.memorySize",
        80 * 2**30,
        "memory of VMs that are not stopped, in bytes",
        VmInstance,
        "memory_size",
        {"state": _BUSY},
    ),
)
