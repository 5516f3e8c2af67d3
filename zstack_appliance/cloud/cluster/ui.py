"""How clusters are shown."""

from __future__ import annotations

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.kernel.presentation import Presentation

PRESENTATIONS = (
    Presentation(
        Cluster,
        many="Clusters",
        place=("Infrastructure", 2),
        icon="grid",
        key="c",
        columns=("name", "state", "hypervisorType", "zoneUuid", "createDate"),
        inputs=("name", "zoneUuid", "hypervisorType", "description"),
        note="A cluster is a group of hosts that reach the same networks and storage.",
        step=2,
    ),
)
