"""Connect to a host: reach it, learn what it has, make on it what VMs need, and compare its VMs.

Primitives: `connect` and `disconnect`; both change the host's status, nobody else does.
"""

from __future__ import annotations

import logging

from zstack_appliance.cloud.global_config.messages import SettingChanged
from zstack_appliance.cloud.host.driver import Connect, HostFacts, ListVms
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import (
    HostConnected,
    HostLost,
    PrepareHost,
    ReconnectHost,
    TakeOverHost,
    on_host,
)
from zstack_appliance.cloud.host.schema import Host, HostCharge, HostStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError, Unavailable
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.remote import HostCommandFailed, HostUnreachable
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

CPU_RATIO = "host.cpu.overProvisioning.ratio"


@handles(ReconnectHost, queue=lambda m: Host.key(m.uuid))
async def reconnect(m: ReconnectHost, cloud: Cloud) -> Host:
    """Serve `ReconnectHost`."""
    return await connect(await cloud.get(Host, m.uuid), cloud)


@handles(TakeOverHost, queue=lambda m: Host.key(m.uuid))
async def take_over(m: TakeOverHost, cloud: Cloud) -> None:
    """Serve `TakeOverHost`."""
    host = cloud.store.get(Host, m.uuid)
    if host is None or host.status is not HostStatus.CONNECTED:
        return
    try:
        await cloud.use(HostLinks).of(host).connect()
    except (HostCommandFailed, HostUnreachable, LookupError) as error:
        raise Unavailable(f"host[{host.name}] cannot be reached: {error}", code="HOST.1003") from error
    listed = await cloud.call(on_host(host.uuid, ListVms()))
    await cloud.publish(HostConnected(host=host, vms={vm.uuid: vm.state.value for vm in listed.vms}))


async def connect(host: Host, cloud: Cloud) -> Host:
    """Have a host Connected; the caller holds its queue.

    Raises:
        Unavailable: it does not answer, or could not be made ready; it is Disconnected then.
    """
    host = await _set_status(host, HostStatus.CONNECTING, cloud)
    try:
        links = cloud.use(HostLinks)
        await links.of(host).connect()
        facts = await cloud.call(on_host(host.uuid, Connect(accelerator=links.accelerator)))
        ratio = cloud.configs_of(host).number(CPU_RATIO)
        host = await cloud.write(lambda tx: measure(tx, host.uuid, facts, ratio))
        await cloud.gather(PrepareHost(host=host))
        listed = await cloud.call(on_host(host.uuid, ListVms()))
    except (CloudError, HostCommandFailed, HostUnreachable, LookupError) as error:
        await disconnect(host, cloud)
        text = f"host[{host.name}] cannot be connected: {error}"
        raise Unavailable(text, code="HOST.1003") from error
    host = await _set_status(host, HostStatus.CONNECTED, cloud)
    vms = {vm.uuid: vm.state.value for vm in listed.vms}
    booted = host.boot_id is not None and host.boot_id != facts.boot_id
    await cloud.publish(HostConnected(host=host, vms=vms, booted=booted))
    if host.boot_id == facts.boot_id:
        return host
    # Only now, so that after a kill who listens is told again that the host was started anew.
    return await cloud.write(lambda tx: tx.update(tx.require(Host, host.uuid), boot_id=facts.boot_id))


async def disconnect(host: Host, cloud: Cloud) -> None:
    """Write down that a host does not answer, and tell who needs to know."""
    if await _set_status(host, HostStatus.DISCONNECTED, cloud) != host:
        log.warning("host %s (%s) is disconnected", host.name, host.management_ip)
        await cloud.publish(HostLost(host=host))


def measure(tx: Tx, host_uuid: str, facts: HostFacts, ratio: int) -> Host:
    """Write down what a host has; what its VMs hold is subtracted anew, so that the sums always add up.

    Args:
        tx: the transaction.
        host_uuid: which host.
        facts: what it says of itself.
        ratio: virtual CPUs per thread (``host.cpu.overProvisioning.ratio``).
    """
    charges = tx.find(HostCharge, host_uuid=host_uuid)
    cpu = facts.cpu_threads * ratio
    return tx.update(
        tx.require(Host, host_uuid),
        cpu_num=facts.cpu_threads,
        cpu_sockets=facts.cpu_sockets,
        architecture=facts.architecture,
        total_cpu_capacity=cpu,
        available_cpu_capacity=cpu - sum(charge.cpu for charge in charges),
        total_memory_capacity=facts.memory,
        available_memory_capacity=facts.memory - sum(charge.memory for charge in charges),
        vm_count=len(charges),
    )


async def on_setting(event: SettingChanged, cloud: Cloud) -> None:
    """Another ratio of CPUs holds for VMs from now on, on every host that it concerns."""
    if event.path != CPU_RATIO:
        return
    ratios = {host.uuid: cloud.configs_of(host).number(CPU_RATIO) for host in await cloud.find(Host)}

    def commit(tx: Tx) -> None:
        for uuid, ratio in ratios.items():
            host = tx.get(Host, uuid)
            if host is not None:
                total = host.cpu_num * ratio
                held = host.total_cpu_capacity - host.available_cpu_capacity
                tx.update(host, total_cpu_capacity=total, available_cpu_capacity=total - held)

    await cloud.write(commit)


async def _set_status(host: Host, status: HostStatus, cloud: Cloud) -> Host:
    row = await cloud.write(lambda tx: tx.update(tx.require(Host, host.uuid), status=status))
    cloud.use(HostLinks).announce()
    return row
