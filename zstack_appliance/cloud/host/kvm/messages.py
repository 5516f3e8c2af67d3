"""What can be asked about KVM hosts."""

from __future__ import annotations

from typing import Annotated

import msgspec

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.message import ADMIN, Create, api
from zstack_appliance.kernel.schema import SECRET, Name, Ref, Text, Uuid


@api(
    "POST",
    "/hosts/kvm",
    access=ADMIN,
    wire="org.zstack.kvm",
    name="APIAddKVMHostMsg",
    timeout=3 * 3600.0,
    answer="org.zstack.header.host.APIAddHostEvent",
)
class AddKvmHost(Create[Host], frozen=True, kw_only=True):
    """Add a machine as a KVM host. This version serves the machine that the appliance itself runs on."""

    name: Name
    management_ip: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    username: Name
    password: Annotated[str, msgspec.Meta(max_length=255), SECRET]
    cluster_uuid: Annotated[Uuid, Ref(Cluster)]
    ssh_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 22
    description: Text | None = None
