"""Add a simulated host."""

from __future__ import annotations

from zstack_appliance.cloud.host.add import add_host, draft_host
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.messages import AddSimulatedHost
from zstack_appliance.cloud.host.simulated.schema import SimulatedHost
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.plugin import handles

TYPE = "Simulator"


@handles(AddSimulatedHost, queue=lambda m: Host.key(m.resource_uuid))
async def add_simulated_host(m: AddSimulatedHost, cloud: Cloud) -> Host:
    """Serve `AddSimulatedHost`."""
    if TYPE not in cloud.use(HostLinks).hypervisor_types:
        raise Conflict("this cloud has no simulated hosts; start one with `zstack-appliance simulate`")
    host = await draft_host(
        SimulatedHost,
        m,
        cloud,
        hypervisor_type=TYPE,
        simulated_cpus=m.cpu_capacity,
        simulated_memory=m.memory_capacity,
    )
    return await add_host(host, cloud)
