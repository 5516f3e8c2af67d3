"""What is stored of a VM instance and its NICs."""

from __future__ import annotations

import enum
from typing import Annotated

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.schema import L3Network, UsedIp
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import (
    DELETE,
    DETACH,
    HIDDEN,
    SET_NULL,
    STOP,
    ByteSize,
    Embed,
    Record,
    Ref,
    Resource,
    Uuid,
    resource,
)


class VmState(enum.Enum):
    """The states of a VM. What may follow what is in `states.py`."""

    CREATED = "Created"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    REBOOTING = "Rebooting"
    PAUSING = "Pausing"
    PAUSED = "Paused"
    RESUMING = "Resuming"
    DESTROYING = "Destroying"
    DESTROYED = "Destroyed"
    EXPUNGING = "Expunging"
    UNKNOWN = "Unknown"
    CRASHED = "Crashed"
    NO_STATE = "NoState"
    ERROR = "Error"


@resource(wire="org.zstack.header.vm", path="/vm-instances", owned=True, indexes=(("state",),))
class VmInstance(Resource, frozen=True, kw_only=True):
    """A virtual machine. `host_uuid` is where it runs now, `last_host_uuid` where it ran before."""

    state: VmState
    type: str
    hypervisor_type: str
    platform: str
    cpu_num: int
    cpu_speed: int
    memory_size: ByteSize
    reserved_memory_size: ByteSize
    allocator_strategy: str
    zone_uuid: Annotated[Uuid | None, Ref(Zone, back="vmInstance", on_delete=DELETE)] = None
    cluster_uuid: Annotated[Uuid | None, Ref(Cluster, back="vmInstance", on_delete=SET_NULL)] = None
    host_uuid: Annotated[Uuid | None, Ref(Host, back="vmInstance", on_delete=STOP)] = None
    last_host_uuid: Annotated[Uuid | None, Ref(Host, on_delete=SET_NULL)] = None
    image_uuid: Annotated[Uuid | None, Ref(Image, back="vmInstance", on_delete=SET_NULL)] = None
    instance_offering_uuid: Annotated[Uuid | None, Ref(InstanceOffering, back="vmInstance", on_delete=SET_NULL)] = None
    default_l3_network_uuid: Annotated[Uuid | None, Ref(L3Network, edge="defaultL3Network", on_delete=SET_NULL)] = None
    root_volume_uuid: Uuid | None = None
    guest_os_type: str | None = None
    architecture: str | None = None


@resource(wire="org.zstack.appliance")
class FallenVm(Record, frozen=True, kw_only=True):
    """A VM that went down with its host and is to be started again; its uuid is the VM's."""

    vm_instance_uuid: Annotated[Uuid, Ref(VmInstance, on_delete=DELETE)]


class NicState(enum.Enum):
    """Whether a NIC's link is up."""

    ENABLE = "enable"
    DISABLE = "disable"


@resource(
    wire="org.zstack.header.vm",
    path="/vm-instances/nics",
    owned=True,
    unique=(("mac",), ("vm_instance_uuid", "device_id")),
)
class VmNic(Record, frozen=True, kw_only=True):
    """A network interface of a VM, with its address."""

    vm_instance_uuid: Annotated[
        Uuid,
        Ref(VmInstance, back="vmNics", on_delete=DELETE, owner=True, embed=Embed(order="device_id")),
    ]
    l3_network_uuid: Annotated[Uuid, Ref(L3Network, back="vmNic", on_delete=DETACH)]
    mac: str
    internal_name: str
    device_id: int
    hypervisor_type: str
    driver_type: str
    type: str
    state: NicState
    served: Annotated[bool, HIDDEN]
    """Whether the network's services know it. False once it is being taken away."""
    ip: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    ip_version: int | None = None
    used_ip_uuid: Annotated[Uuid | None, Ref(UsedIp, back="vmNic", on_delete=DETACH), HIDDEN] = None
