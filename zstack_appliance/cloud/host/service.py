"""The plain operations on hosts: change state, delete."""

from __future__ import annotations

from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import ChangeHostState, DeleteHost, HostLeaving, HostLost
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove

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


async def delete(m: DeleteHost, cloud: Cloud) -> None:
    """Serve `DeleteHost`, once the cascade has taken away what lies on the host."""
    host = await cloud.get(Host, m.uuid)
    if host.status is HostStatus.CONNECTED:
        await cloud.gather(HostLeaving(host=host))
    await cloud.write(lambda tx: remove(tx, Host, host.uuid))
    cloud.use(HostLinks).drop(host.uuid)
    await cloud.publish(HostLost(host=host))
    cloud.use(HostLinks).announce()
