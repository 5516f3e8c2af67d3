"""A small cloud, declared for the tests of edges, inventories and queries: one of each kind of edge and owner.

Zones are readable by all; clusters and hosts are the administrator's alone; networks, VMs and what belongs
to them are owned. A host has a sub-type with fields of its own, and a kind that has none.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any

from zstack_appliance.kernel.schema import (
    DELETE,
    FOLLOWS,
    HIDDEN,
    SECRET,
    SET_NULL,
    STOP,
    ByteSize,
    Embed,
    OnOff,
    Record,
    Ref,
    Resource,
    Timestamp,
    Uuid,
    resource,
)
from zstack_appliance.kernel.tag import SystemTagRow, UserTag


@resource(wire="org.zstack.header.zone", path="/zones", readable=True)
class Zone(Resource, frozen=True, kw_only=True):
    """A zone."""

    state: OnOff
    is_default: bool


@resource(wire="org.zstack.header.cluster", path="/clusters", aliases={"vm": "host.vmInstance"})
class Cluster(Resource, frozen=True, kw_only=True):
    """A cluster."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="cluster", on_delete=DELETE)]
    state: OnOff


@resource(wire="org.zstack.header.host", path="/hosts", discriminator="hypervisor_type")
class Host(Resource, frozen=True, kw_only=True):
    """A host of any hypervisor."""

    zone_uuid: Annotated[Uuid, Ref(Zone, on_delete=FOLLOWS)]
    cluster_uuid: Annotated[Uuid, Ref(Cluster, back="host", on_delete=DELETE)]
    hypervisor_type: str
    management_ip: str


@resource(wire="org.zstack.kvm", path="/hosts/kvm", kind="KVM", inventory="KVMHostInventory", vo="KVMHostVO")
class KvmHost(Host, frozen=True, kw_only=True):
    """A KVM host."""

    ssh_port: int
    username: str
    password: Annotated[str, SECRET]
    os_version: str | None = None


@resource(wire="org.zstack.header.network.l3", path="/l3-networks", owned=True)
class L3Network(Resource, frozen=True, kw_only=True):
    """An L3 network."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="l3Network", on_delete=FOLLOWS)]
    system: bool


@resource(wire="org.zstack.header.network.l3")
class L3NetworkDns(Record, frozen=True, kw_only=True):
    """A name server of an L3 network."""

    l3_network_uuid: Annotated[Uuid, Ref(L3Network, back="dns", embed=Embed(pluck="dns"), on_delete=DELETE, owner=True)]
    dns: str


class VmState(enum.Enum):
    """States of a VM."""

    RUNNING = "Running"
    STOPPED = "Stopped"


def _view(vm: VmInstance) -> dict[str, Any]:
    return {"memoryMiB": vm.memory_size >> 20, "lastHostUuid": None}


@resource(wire="org.zstack.header.vm", path="/vm-instances", owned=True, view=_view)
class VmInstance(Resource, frozen=True, kw_only=True):
    """A VM."""

    cluster_uuid: Annotated[Uuid | None, Ref(Cluster, on_delete=FOLLOWS)] = None
    host_uuid: Annotated[Uuid | None, Ref(Host, back="vmInstance", on_delete=STOP)] = None
    default_l3_network_uuid: Annotated[Uuid | None, Ref(L3Network, edge="defaultL3Network", on_delete=SET_NULL)] = None
    state: VmState
    memory_size: ByteSize
    cpu_num: int
    labels: list[str]
    process: Annotated[int | None, HIDDEN] = None
    stop_date: Timestamp | None = None


@resource(wire="org.zstack.header.vm", path="/vm-instances/nics", owned=True)
class VmNic(Record, frozen=True, kw_only=True):
    """A NIC of a VM."""

    vm_instance_uuid: Annotated[
        Uuid, Ref(VmInstance, back="vmNics", embed=Embed(order="device_id"), on_delete=DELETE, owner=True)
    ]
    l3_network_uuid: Annotated[Uuid | None, Ref(L3Network, back="vmNic", on_delete=SET_NULL)] = None
    device_id: int
    ip: str | None = None


@resource(wire="org.zstack.header.network.l3", path="/l3-networks/ip-address")
class UsedIp(Record, frozen=True, kw_only=True):
    """An address in use."""

    vm_nic_uuid: Annotated[Uuid | None, Ref(VmNic, back="usedIps", embed=Embed(), on_delete=DELETE, owner=True)] = None
    ip: str


@resource(wire="org.zstack.header.volume", path="/volumes", owned=True)
class Volume(Resource, frozen=True, kw_only=True):
    """A volume."""

    vm_instance_uuid: Annotated[
        Uuid | None, Ref(VmInstance, back="allVolumes", embed=Embed(order="size"), on_delete=DELETE)
    ] = None
    size: ByteSize


@resource(wire="org.zstack.network.securitygroup", path="/security-groups", owned=True)
class SecurityGroup(Resource, frozen=True, kw_only=True):
    """A security group."""

    state: OnOff


@resource(
    wire="org.zstack.network.securitygroup",
    aliases={
        "VmNic.securityGroup": "securityGroupRef.securityGroup",
        "SecurityGroup.vmNic": "vmNicRef.vmNic",
    },
)
class VmNicSecurityGroupRef(Record, frozen=True, kw_only=True):
    """A NIC in a security group."""

    vm_nic_uuid: Annotated[
        Uuid,
        Ref(
            VmNic,
            back="securityGroupRef",
            hidden=True,
            on_delete=DELETE,
            owner=True,
            embed=Embed(name="securityGroupUuids", pluck="security_group_uuid"),
        ),
    ]
    security_group_uuid: Annotated[
        Uuid, Ref(SecurityGroup, back="vmNicRef", hidden=True, on_delete=DELETE, embed=Embed(name="vmNicRefs"))
    ]


RESOURCES: tuple[type[Record], ...] = (
    KvmHost,
    Zone,
    Cluster,
    Host,
    L3Network,
    L3NetworkDns,
    VmInstance,
    VmNic,
    UsedIp,
    Volume,
    SecurityGroup,
    VmNicSecurityGroupRef,
    UserTag,
    SystemTagRow,
)
"""Every resource of the small cloud; a sub-type stands before its base, as discovery may find them."""
