"""The plain operations on hosts: change state, delete."""

from __future__ import annotations

from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import ChangeHostState, DeleteHost
from zstack_appliance.cloud.host.schema import Host, HostState
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.plugin import handles

_TARGETS = {
    "enable": HostState.ENABLED,
    "disable": HostState.DISABLED,
    "maintain": HostState.MAINTENANCE,
}


@handles(ChangeHostState, queue=lambda m: Host.key(m.uuid))
async def change_state(m: ChangeHostState, cloud: Cloud) -> Host:
    """Serve `ChangeHostState`. Maintenance wants an empty host: VMs cannot be migrated away yet."""
    host = await cloud.get(Host, m.uuid)
    if m.state_event == "maintain" and host.vm_count:
        raise Conflict(
            f"host[{host.name}] still has {host.vm_count} VMs; stop them first, then put it into maintenance",
            code="HOST.1001",
        )
    return await cloud.write(lambda tx: tx.update(tx.require(Host, m.uuid), state=_TARGETS[m.state_event]))


async def forget_host(host: Host, cloud: Cloud) -> None:
    """Drop the connection to a host whose row has gone."""
    cloud.use(HostLinks).drop(host.uuid)
    cloud.use(HostLinks).announce()


__all__ = ["DeleteHost", "change_state", "forget_host"]
