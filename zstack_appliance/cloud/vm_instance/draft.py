"""The rows of a VM as they will be, drawn up before anything is done. Pure but for reading the rows it names."""

from __future__ import annotations

from typing import Any

from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.vm_instance.schema import NicState, VmInstance, VmNic, VmState
from zstack_appliance.cloud.volume.schema import Volume, VolumeStatus, VolumeType
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Fault, refuse
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.world import Entropy

DEFAULT_STRATEGY = "LeastVmPreferredHostAllocatorStrategy"
"""ZStack's default for instance offerings."""


def draft_vm(m: CreateVmInstance, image: Image, offering: InstanceOffering | None, cloud: Cloud) -> VmInstance:
    """The VM as the request, its image and its offering describe it. Its places are wishes as yet."""
    networks = m.l3_network_uuids or ()
    return cloud.draft(
        VmInstance,
        m,
        **_size_of(m, offering),
        state=VmState.CREATED,
        hypervisor_type="KVM",
        platform=m.platform or image.platform,
        guest_os_type=m.guest_os_type or image.guest_os_type,
        architecture=m.architecture or image.architecture,
        default_l3_network_uuid=m.default_l3_network_uuid or (networks[0] if networks else None),
        root_volume_uuid=cloud.entropy.uuid(),
    )


def _size_of(m: CreateVmInstance, offering: InstanceOffering | None) -> dict[str, Any]:
    """CPUs and memory: those of the offering, unless the request says otherwise; 0 says nothing."""
    if offering is None:
        return {
            "cpu_num": m.cpu_num,
            "memory_size": m.memory_size,
            "cpu_speed": 0,
            "reserved_memory_size": m.reserved_memory_size or 0,
            "allocator_strategy": DEFAULT_STRATEGY,
        }
    return {
        "cpu_num": m.cpu_num or offering.cpu_num,
        "memory_size": m.memory_size or offering.memory_size,
        "cpu_speed": offering.cpu_speed,
        "reserved_memory_size": m.reserved_memory_size or offering.reserved_memory_size,
        "allocator_strategy": offering.allocator_strategy,
    }


async def draft_root_volume(m: CreateVmInstance, vm: VmInstance, image: Image, cloud: Cloud) -> Volume:
    """The root volume: as large as was asked for, at least as large as the image.

    Raises:
        InvalidArgument: the wished size is smaller than the image.
    """
    size = m.root_disk_size or image.size
    if m.root_disk_offering_uuid:
        size = (await cloud.get(DiskOffering, m.root_disk_offering_uuid)).disk_size
    if size < image.size:
        refuse(Fault("rootDiskSize", f"a root disk of {size} bytes is smaller than its image of {image.size}"))
    return Volume(
        uuid=vm.root_volume_uuid or cloud.entropy.uuid(),
        create_date=vm.create_date,
        last_op_date=vm.last_op_date,
        name=f"ROOT-for-{vm.name}"[:255],
        description=f"Root volume for VM[uuid:{vm.uuid}]",
        type=VolumeType.ROOT,
        format="qcow2",
        size=size,
        state=OnOff.ENABLED,
        status=VolumeStatus.CREATING,
        is_shareable=False,
        vm_instance_uuid=vm.uuid,
        root_image_uuid=image.uuid,
        disk_offering_uuid=m.root_disk_offering_uuid,
        device_id=0,
    )


def draft_nics(
    vm: VmInstance, networks: list[L3Network], entropy: Entropy, macs: dict[str, str] | None = None
) -> tuple[VmNic, ...]:
    """One NIC per network, in the order asked for; their addresses are taken when the rows are written.

    Args:
        vm: whose they are.
        networks: the L3 networks.
        entropy: draws what is random.
        macs: by the uuid of their L3 network, the hardware addresses that were asked for.
    """
    wished = macs or {}
    return tuple(
        VmNic(
            uuid=entropy.uuid(),
            create_date=vm.create_date,
            last_op_date=vm.last_op_date,
            vm_instance_uuid=vm.uuid,
            l3_network_uuid=network.uuid,
            mac=wished.get(network.uuid) or draw_mac(entropy, device_id),
            internal_name=f"vnic{vm.uuid[:7]}.{device_id}",
            device_id=device_id,
            hypervisor_type=vm.hypervisor_type,
            driver_type="virtio",
            type="VNIC",
            state=NicState.ENABLE,
            served=False,
        )
        for device_id, network in enumerate(networks)
    )


def draw_mac(entropy: Entropy, device_id: int) -> str:
    """``fa``, four random octets, and the device's number, as ZStack makes them."""
    digits = f"fa{entropy.hex(8)}{device_id & 0xFF:02x}"
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
