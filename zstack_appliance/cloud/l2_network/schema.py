"""What is stored of an L2 network, and which clusters it reaches."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import DELETE, DETACH, Embed, Record, Ref, Resource, Uuid, resource


@resource(
    wire="org.zstack.header.network.l2",
    path="/l2-networks",
    readable=True,
    discriminator="type",
    aliases={"cluster": "clusterRef.cluster"},
)
class L2Network(Resource, frozen=True, kw_only=True):
    """A broadcast domain: one bridge on every host of the clusters that it is attached to."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="l2Network", on_delete=DELETE)]
    physical_interface: str
    """The host's interface that joins the bridge; empty for a network that stays inside the host."""
    type: str
    v_switch_type: str


@resource(
    wire="org.zstack.header.network.l2",
    path="/l2-networks/cluster-refs",
    readable=True,
    unique=(("l2_network_uuid", "cluster_uuid"),),
)
class L2NetworkClusterRef(Record, frozen=True, kw_only=True):
    """An L2 network reaches the hosts of a cluster."""

    l2_network_uuid: Annotated[
        Uuid,
        Ref(
            L2Network,
            back="clusterRef",
            on_delete=DELETE,
            hidden=True,
            embed=Embed(name="attachedClusterUuids", pluck="cluster_uuid"),
        ),
    ]
    cluster_uuid: Annotated[Uuid, Ref(Cluster, back="l2NetworkRef", on_delete=DETACH, hidden=True)]
