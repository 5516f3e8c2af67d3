"""What is stored of a simulated host beyond any host."""

from __future__ import annotations

from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.schema import ByteSize, resource


@resource(
    wire="org.zstack.header.simulator", kind="Simulator", vo="SimulatorHostVO", inventory="SimulatorHostInventory"
)
class SimulatedHost(Host, frozen=True, kw_only=True):
    """A host that exists in this process only."""

    simulated_cpus: int
    simulated_memory: ByteSize
