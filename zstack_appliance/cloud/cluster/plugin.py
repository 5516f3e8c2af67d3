"""What clusters add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.cluster.messages import ChangeClusterState, CreateCluster, DeleteCluster, UpdateCluster
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.cluster.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import OnOff
from zstack_appliance.kernel.standard import creates, deletes, switches_state, updates

plugin = Plugin(
    name="cluster",
    resources=(Cluster,),
    handlers=(
        creates(CreateCluster, Cluster, state=OnOff.ENABLED),
        updates(UpdateCluster),
        switches_state(ChangeClusterState),
        deletes(DeleteCluster),
    ),
    presentations=PRESENTATIONS,
)
