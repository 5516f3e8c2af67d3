"""What web hooks add to the cloud."""

from __future__ import annotations

from zstack_appliance.cloud.web_hook.courier import Courier
from zstack_appliance.cloud.web_hook.settings import ALLOWED
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import Plugin


async def deliver(cloud: Cloud) -> None:
    """Send web hooks, until cancelled; in a cluster one node does it for all."""
    # Imported on use: httpx takes over 100 ms, and the command line reads plugins too.
    from zstack_appliance.cloud.web_hook.post import poster

    await Courier(cloud, poster(cloud)).run()


plugin = Plugin(name="web_hook", configs=(ALLOWED,), singletons=(deliver,))
