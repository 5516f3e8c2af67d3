"""What simulated hosts add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.host.simulated.add import add_simulated_host
from zstack_appliance.cloud.host.simulated.schema import SimulatedHost
from zstack_appliance.kernel.plugin import Plugin

plugin = Plugin(name="host.simulated", resources=(SimulatedHost,), handlers=(add_simulated_host,))
