"""What L2 networks add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.messages import InspectHost, PrepareHost
from zstack_appliance.cloud.l2_network import inspect, service
from zstack_appliance.cloud.l2_network.host_side import HOST_SIDE
from zstack_appliance.cloud.l2_network.messages import DeleteL2Network, LeaveCluster, UpdateL2Network
from zstack_appliance.cloud.l2_network.schema import L2Network, L2NetworkClusterRef
from zstack_appliance.cloud.l2_network.ui import PRESENTATIONS
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.schema import DETACH
from zstack_appliance.kernel.standard import deletes, updates

plugin = Plugin(
    name="l2_network",
    resources=(L2Network, L2NetworkClusterRef),
    handlers=(
        service.create_no_vlan,
        service.attach,
        service.detach,
        service.leave,
        deletes(DeleteL2Network, act=service.delete),
        service.realise,
        updates(UpdateL2Network),
    ),
    cascades={
        (L2NetworkClusterRef, DETACH): lambda ref, _mode: LeaveCluster(
            l2_network_uuid=ref.l2_network_uuid, cluster_uuid=ref.cluster_uuid
        ),
    },
    flows=(service.ATTACH, service.DETACH),
    hooks=((PrepareHost, service.on_prepare_host), (InspectHost, inspect.inspect)),
    host_side=HOST_SIDE,
    presentations=PRESENTATIONS,
)
