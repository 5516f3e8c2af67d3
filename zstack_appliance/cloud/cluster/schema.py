"""What is stored of a cluster."""

from __future__ import annotations

from typing import Annotated

from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.schema import DELETE, OnOff, Ref, Resource, Uuid, resource


@resource(
    wire="org.zstack.header.cluster",
    path="/clusters",
    readable=True,
    aliases={"l2Network": "l2NetworkRef.l2Network", "primaryStorage": "primaryStorageRef.primaryStorage"},
)
class Cluster(Resource, frozen=True, kw_only=True):
    """Hosts of one hypervisor type in one zone."""

    zone_uuid: Annotated[Uuid, Ref(Zone, back="cluster", on_delete=DELETE)]
    hypervisor_type: str
    state: OnOff
    type: str
    architecture: str | None = None
