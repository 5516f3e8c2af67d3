"""What is stored of a host, whatever its hypervisor."""

from __future__ import annotations

import enum
from typing import Annotated

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import DELETE, FOLLOWS, HIDDEN, ByteSize, Record, Ref, Resource, Uuid, resource


class HostState(enum.Enum):
    """What the administrator wants of a host."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PRE_MAINTENANCE = "PreMaintenance"
    MAINTENANCE = "Maintenance"


class HostStatus(enum.Enum):
    """Whether the host answers."""

    CONNECTING = "Connecting"
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"


@resource(
    wire="org.zstack.header.host",
    path="/hosts",
    discriminator="hypervisor_type",
    unique=(("management_ip",),),
    indexes=(("status",),),
)
class Host(Resource, frozen=True, kw_only=True):
    """A machine that runs VMs, with what is left of its capacity.

    CPU capacity is counted in virtual CPUs: threads times ``host.cpu.overProvisioning.ratio``.
    """

    zone_uuid: Annotated[Uuid, Ref(Zone, back="host", on_delete=FOLLOWS)]
    cluster_uuid: Annotated[Uuid, Ref(Cluster, back="host", on_delete=DELETE)]
    management_ip: str
    hypervisor_type: str
    state: HostState
    status: HostStatus
    cpu_num: int
    cpu_sockets: int
    total_cpu_capacity: int
    available_cpu_capacity: int
    total_memory_capacity: ByteSize
    available_memory_capacity: int
    vm_count: Annotated[int, HIDDEN]
    """VMs that hold capacity here; the allocator prefers the host with the fewest."""
    architecture: str | None = None
    boot_id: Annotated[str | None, HIDDEN] = None
    """Of the host's last connection; another one means that it was restarted and its VMs have gone."""


@resource(wire="org.zstack.appliance", indexes=(("vm_uuid",),))
class HostCharge(Record, frozen=True, kw_only=True):
    """What one VM holds of a host's capacity; its uuid is the VM's, so that no VM is charged twice."""

    vm_uuid: Uuid
    host_uuid: Annotated[Uuid, Ref(Host, on_delete=DELETE)]
    cpu: int
    memory: ByteSize
