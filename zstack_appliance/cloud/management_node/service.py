"""The node's own row, its heartbeat, its version and its clock."""

from __future__ import annotations

import socket

from zstack_appliance.cloud.management_node.messages import (
    CurrentTime,
    GetCurrentTime,
    GetVersion,
    IsReadyToGo,
    Ready,
    Version,
)
from zstack_appliance.cloud.management_node.schema import ManagementNode
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx

API_LEVEL = "5.1.0"
"""The version of ZStack whose API is served; clients switch on it."""

INTERVAL = "managementServer.node.heartbeatInterval"


async def join(cloud: Cloud) -> None:
    """At start-up: have this node's row, and say that it joined now."""
    name = socket.gethostname()
    uuid = cloud.entropy.uuid()

    def commit(tx: Tx) -> None:
        found = tx.find(ManagementNode, host_name=name)
        if found:
            tx.update(found[0], join_date=tx.now, heart_beat=tx.now)
            return
        tx.insert(
            ManagementNode(
                uuid=uuid,
                create_date=tx.now,
                last_op_date=tx.now,
                host_name=name,
                join_date=tx.now,
                heart_beat=tx.now,
            )
        )

    await cloud.write(commit)


async def beat(cloud: Cloud) -> None:
    """Say that the node lives, until it does not."""
    name = socket.gethostname()
    while True:
        await cloud.configs.pause(INTERVAL)
        await cloud.write(
            lambda tx: [tx.update(row, heart_beat=tx.now) for row in tx.find(ManagementNode, host_name=name)]
        )


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
