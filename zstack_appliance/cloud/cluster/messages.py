"""What can be asked about clusters."""

from __future__ import annotations

from typing import Annotated, Literal

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import ADMIN, Action, Create, Delete, StateEvent, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid


@api("POST", "/clusters", access=ADMIN)
class CreateCluster(Create[Cluster], frozen=True, kw_only=True):
    """Make an empty cluster in a zone."""

    zone_uuid: Annotated[Uuid, Ref(Zone)]
    name: Name
    hypervisor_type: Literal["KVM", "Simulator"]
    description: Text | None = None
    type: Literal["zstack"] = "zstack"
    architecture: Literal["x86_64", "aarch64"] | None = None


@api("PUT", "/clusters/{uuid}/actions", access=ADMIN)
class UpdateCluster(Update[Cluster], frozen=True, kw_only=True):
    """Change a cluster's name or description."""

    uuid: Annotated[Uuid, Ref(Cluster)]
    name: Name | None = None
    description: Text | None = None


@api("PUT", "/clusters/{uuid}/actions", access=ADMIN)
class ChangeClusterState(Action[Cluster], frozen=True, kw_only=True):
    """Enable a cluster, or keep new VMs out of it."""

    uuid: Annotated[Uuid, Ref(Cluster)]
    state_event: StateEvent


@api("DELETE", "/clusters/{uuid}", access=ADMIN, reply=None)
class DeleteCluster(Delete, frozen=True, kw_only=True):
    """Delete a cluster with its hosts; VMs that ran there are stopped."""

    uuid: Annotated[Uuid, Ref(Cluster)]
