"""The plain operation on VMs: change what is said of one."""

from __future__ import annotations

from zstack_appliance.cloud.vm_instance import checks
from zstack_appliance.cloud.vm_instance.messages import UpdateVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.schema import fields_of


@handles(UpdateVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def update(m: UpdateVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `UpdateVmInstance`. A size changes while the VM is stopped; it counts from its next start."""
    vm = await cloud.get(VmInstance, m.uuid)
    resized = (m.cpu_num or vm.cpu_num, m.memory_size or vm.memory_size) != (vm.cpu_num, vm.memory_size)
    if resized:
        checks.in_state(vm, "APIUpdateVmInstanceMsg", VmState.STOPPED)
    network = m.default_l3_network_uuid
    if network is not None and not await cloud.find(VmNic, vm_instance_uuid=vm.uuid, l3_network_uuid=network):
        refuse(Fault("defaultL3NetworkUuid", f"the VM has no NIC on L3 network[{network}]; attach it first"))
    names = [field.name for field in fields_of(UpdateVmInstance) if field.name in vm.__struct_fields__]
    changes = {name: getattr(m, name) for name in names if name != "uuid" and getattr(m, name) is not None}
    return await cloud.write(lambda tx: tx.update(tx.require(VmInstance, vm.uuid), **changes))
