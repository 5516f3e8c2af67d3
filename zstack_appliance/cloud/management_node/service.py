"""The node's version and its clock."""

from __future__ import annotations

from zstack_appliance.cloud.management_node.messages import (
    CurrentTime,
    GetCurrentTime,
    GetVersion,
    IsReadyToGo,
    Ready,
    Version,
)
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import handles

API_LEVEL = "5.1.0"
"""The version of ZStack whose API is served; clients switch on it."""


@handles(GetVersion)
async def version(m: GetVersion, cloud: Cloud) -> Version:
    """Serve `GetVersion`."""
    return Version(version=API_LEVEL)


@handles(GetCurrentTime)
async def current_time(m: GetCurrentTime, cloud: Cloud) -> CurrentTime:
    """Serve `GetCurrentTime`."""
    now = cloud.clock.millis()
    return CurrentTime(current_time={"MillionSeconds": now, "Seconds": now // 1000})


@handles(IsReadyToGo)
async def ready(m: IsReadyToGo, cloud: Cloud) -> Ready:
    """Serve `IsReadyToGo`: doors open once the node is ready."""
    return Ready()
