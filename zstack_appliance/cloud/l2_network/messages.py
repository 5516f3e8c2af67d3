"""What can be asked about L2 networks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import ADMIN, Action, Create, Delete, Hook, Request, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_appliance.kernel.unserved import UNSERVED


@api(
    "POST",
    "/l2-networks/no-vlan",
    access=ADMIN,
    answer="org.zstack.header.network.l2.APICreateL2NetworkEvent",
)
class CreateL2NoVlanNetwork(Create[L2Network], frozen=True, kw_only=True):
    """Make an untagged L2 network. Without a physical interface it stays inside the host."""

    name: Name
    zone_uuid: Annotated[Uuid, Ref(Zone)]
    physical_interface: Annotated[str, msgspec.Meta(max_length=15, pattern=r"^[^\s/\x00]*$")]
    v_switch_type: Literal["LinuxBridge"] = "LinuxBridge"
    description: Text | None = None
    type: Literal["L2NoVlanNetwork"] | None = None
    isolated: Annotated[bool, UNSERVED] = False
    pvlan: Annotated[str, UNSERVED] | None = None


@api("PUT", "/l2-networks/{uuid}/actions", access=ADMIN)
class UpdateL2Network(Update[L2Network], frozen=True, kw_only=True):
    """Change an L2 network's name or description."""

    uuid: Annotated[Uuid, Ref(L2Network)]
    name: Name | None = None
    description: Text | None = None


@api("DELETE", "/l2-networks/{uuid}", access=ADMIN, reply=None)
class DeleteL2Network(Delete, frozen=True, kw_only=True):
    """Delete an L2 network, and its bridge on every host."""

    uuid: Annotated[Uuid, Ref(L2Network)]


@api("POST", "/l2-networks/{l2NetworkUuid}/clusters/{clusterUuid}", access=ADMIN, key="null")
class AttachL2NetworkToCluster(Action[L2Network], frozen=True, kw_only=True):
    """Have the L2 network's bridge on every host of a cluster."""

    l2_network_uuid: Annotated[Uuid, Ref(L2Network)]
    cluster_uuid: Annotated[Uuid, Ref(Cluster)]
    l2_provider_type: Literal["LinuxBridge"] | None = None


@api("DELETE", "/l2-networks/{l2NetworkUuid}/clusters/{clusterUuid}", access=ADMIN)
class DetachL2NetworkFromCluster(Action[L2Network], frozen=True, kw_only=True):
    """Take the L2 network from a cluster; refused while VMs there have NICs on it."""

    l2_network_uuid: Annotated[Uuid, Ref(L2Network)]
    cluster_uuid: Annotated[Uuid, Ref(Cluster)]


class RealiseL2Network(Request[None], frozen=True, kw_only=True):
    """Bring the bridges of an L2 network in line with the records, on every connected host that it reaches."""

    l2_network_uuid: Uuid


class BridgeAddresses(Hook[tuple[str, ...]], frozen=True, kw_only=True):
    """Which addresses hosts have on the bridge of an L2 network, with prefix lengths; by default none."""

    l2: L2Network


class LeaveCluster(Request[None], frozen=True, kw_only=True):
    """The cluster goes, its VMs are stopped: detach the network from it."""

    l2_network_uuid: Uuid
    cluster_uuid: Uuid


class L2NetworkLeaving(Hook[None], frozen=True, kw_only=True):
    """An L2 network is about to leave a cluster: whoever has something on its bridges there takes it away first."""

    l2: L2Network
    cluster_uuid: Uuid
