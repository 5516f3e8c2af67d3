"""What can be asked about simulated hosts."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.message import ADMIN, Create, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid


@api(
    "POST",
    "/hosts/simulators",
    access=ADMIN,
    wire="org.zstack.header.simulator",
    name="APIAddSimulatorHostMsg",
)
class AddSimulatedHost(Create[Host], frozen=True, kw_only=True):
    """Add a host that exists in memory only. Only a simulated cloud has them."""

    name: Name
    management_ip: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    cluster_uuid: Annotated[Uuid, Ref(Cluster)]
    cpu_capacity: Annotated[int, msgspec.Meta(ge=1)] = 64
    memory_capacity: Annotated[int, msgspec.Meta(ge=1)] = 512 * 2**30
    description: Text | None = None
