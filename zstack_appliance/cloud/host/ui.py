"""How hosts are shown."""

from __future__ import annotations

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.presentation import Gauge, Presentation

PRESENTATIONS = (
    Presentation(
        Host,
        many="Hosts",
        place=("Infrastructure", 3),
        icon="server",
        key="h",
        columns=(
            "name", "status", "state", "managementIp", "availableCpuCapacity", "totalCpuCapacity",
            "availableMemoryCapacity", "totalMemoryCapacity", "clusterUuid",
        ),
        sort="name",
        inputs=("name", "managementIp", "clusterUuid", "username", "password", "description"),
        first=("ChangeHostState", "ReconnectHost"),
        note="VMs run on hosts. Add a machine to have room for them.",
        gauges=(
            Gauge("CPU", "totalCpuCapacity", "availableCpuCapacity", is_bytes=False, rank=1),
            Gauge("Memory", "totalMemoryCapacity", "availableMemoryCapacity", rank=2),
        ),
        counted="status",
        step=3,
    ),
)  # fmt: skip
