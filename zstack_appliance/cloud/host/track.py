"""Watch hosts: connect them at start-up, ping them, hear what they say, reconnect those that come back.

Primitives: `connect_all` (before the doors open) and `watch` (as long as the appliance runs).
"""

from __future__ import annotations

import logging
import math
from contextlib import aclosing

import trio

from zstack_appliance.cloud.host.connect import disconnect
from zstack_appliance.cloud.host.driver import HostNotice, ListVms, Ping, VmStateChanged
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import (
    AwaitHosts,
    ReconnectHost,
    TakeOverHost,
    VmReported,
    VmsListed,
    on_host,
)
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.errors import CloudError
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.remote import HostUnreachable
from zstack_appliance.kernel.schema import root_of
from zstack_appliance.kernel.store import Batch, Change, Tx

log = logging.getLogger(__name__)

START_SECONDS = 10.0
"""How long the doors wait for hosts at start-up. A host that is later is connected behind open doors."""

AWAIT_SECONDS = 30.0
"""How long a new VM waits for hosts that are Connecting."""


async def connect_all(cloud: Cloud) -> None:
    """Connect every host; one that fails, or takes too long, is left to `watch`.

    Where there are other nodes they watch the hosts, and `watch` takes over those that come to this one.
    """
    if cloud.kernel.nodes.others:
        return
    hosts = [host for host in await cloud.find(Host) if cloud.store.missing_plugin(host) is None]
    await cloud.write(_all_connecting)
    at_once = math.inf if cloud.configs.flag("host.load.all") else cloud.configs.number("host.load.parallelismDegree")
    limiter = trio.CapacityLimiter(at_once)
    with trio.move_on_after(START_SECONDS):
        async with trio.open_nursery() as nursery:
            for host in hosts:
                nursery.start_soon(_connect_in_turn, host, limiter, cloud)


async def _connect_in_turn(host: Host, limiter: trio.CapacityLimiter, cloud: Cloud) -> None:
    async with limiter:
        await _try_to_connect(host, cloud)


def _all_connecting(tx: Tx) -> None:
    """What the records say of connections is from before; nobody may rely on it now."""
    for host in tx.find(Host):
        is_lost = tx.missing_plugin(host) is not None
        tx.update(host, status=HostStatus.DISCONNECTED if is_lost else HostStatus.CONNECTING)


async def watch(cloud: Cloud) -> None:
    """Watch every host that belongs to this node, as hosts and nodes come and go, until cancelled."""
    links, nodes = cloud.use(HostLinks), cloud.kernel.nodes
    nodes.on_change(links.announce)
    links.watched.clear()
    pings = trio.CapacityLimiter(1)
    with cloud.store.feed.listening(lambda batch: _announce(batch, links)):
        async with trio.open_nursery() as nursery:
            while True:
                changed = links.changed
                mine = [
                    host.uuid
                    for host in await cloud.find(Host)
                    if nodes.owns(Host.key(host.uuid)) and cloud.store.missing_plugin(host) is None
                ]
                for uuid in links.watched.keys() - set(mine):
                    links.watched.pop(uuid).cancel()
                for uuid in mine:
                    if uuid not in links.watched:
                        links.watched[uuid] = trio.CancelScope()
                        nursery.start_soon(_watch_in, links.watched[uuid], uuid, pings, cloud)
                await changed.wait()


def _announce(batch: Batch, links: HostLinks) -> None:
    """Whoever waits for hosts hears of them, whichever node changes them."""
    table = root_of(Host).table
    if any(change.table == table and _is_news(change) for change in batch.changes):
        links.announce()


def _is_news(change: Change) -> bool:
    """Whether a host came, went, or is in another state; its capacity changes with every VM."""
    before, after = change.before, change.after
    if not isinstance(before, Host) or not isinstance(after, Host):
        return True
    return (before.state, before.status) != (after.state, after.status)


async def _watch_in(scope: trio.CancelScope, host_uuid: str, pings: trio.CapacityLimiter, cloud: Cloud) -> None:
    """Watch a host until it is deleted or comes to another node."""
    with scope:
        await _watch_one(host_uuid, pings, cloud)


@handles(AwaitHosts)
async def await_hosts(m: AwaitHosts, cloud: Cloud) -> None:
    """Serve `AwaitHosts`."""
    links = cloud.use(HostLinks)
    with trio.move_on_after(AWAIT_SECONDS):
        while cloud.store.find(Host, status=HostStatus.CONNECTING):
            await links.changed.wait()


async def _watch_one(host_uuid: str, pings: trio.CapacityLimiter, cloud: Cloud) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_listen, host_uuid, cloud)
        attempts = 0
        if cloud.kernel.nodes.clustered:
            await _take_over(host_uuid, cloud)
        while (host := cloud.store.get(Host, host_uuid)) is not None:
            attempts = 0 if host.status is HostStatus.CONNECTED else attempts
            if host.state is HostState.MAINTENANCE:
                pass
            elif host.status is HostStatus.CONNECTED:
                await _ping(host, pings, cloud)
            elif may_reconnect(host.status, attempts, cloud.configs):
                attempts += 1
                await _connect_unless_connected(host, cloud)
            await cloud.configs.pause("host.ping.interval")
        cloud.use(HostLinks).drop(host_uuid)
        nursery.cancel_scope.cancel()


def may_reconnect(status: HostStatus, attempts: int, configs: Configs) -> bool:
    """Whether a host that is not connected is tried again by itself.

    Args:
        status: one that was never connected since the start is always tried.
        attempts: how often in a row it was tried already.
        configs: the settings in force.
    """
    if status is HostStatus.CONNECTING:
        return True
    most = configs.number("host.connection.autoReconnectOnError.maxAttemptsNum")
    return configs.flag("host.connection.autoReconnectOnError") and (most == 0 or attempts < most)


async def _ping(host: Host, pings: trio.CapacityLimiter, cloud: Cloud) -> None:
    """Have the host Disconnected unless it answers one of a few pings."""
    for attempt in range(cloud.configs.number("host.ping.maxFailure")):
        if attempt:
            await trio.sleep(cloud.configs.number("host.ping.sleepPeriodAfterFailure"))
        pings.total_tokens = cloud.configs.number("host.ping.parallelismDegree")
        async with pings:
            answered = await _answers(host, cloud)
        if answered:
            await _tell_what_runs(host, cloud)
            return
    await disconnect(host, cloud)


async def _tell_what_runs(host: Host, cloud: Cloud) -> None:
    """Have the host's VMs compared with the records, in case that a notice was lost."""
    if not cloud.configs.flag("kvm.vmSyncOnHostPing"):
        return
    try:
        listed = await cloud.call(on_host(host.uuid, ListVms()))
    except CloudError as error:
        log.info("host %s does not say what runs on it: %s", host.name, error)
        return
    await cloud.publish(VmsListed(host=host, vms={vm.uuid: vm.state.value for vm in listed.vms}))


async def _answers(host: Host, cloud: Cloud) -> bool:
    with trio.move_on_after(cloud.configs.number("host.ping.timeout")):
        try:
            await cloud.call(on_host(host.uuid, Ping()))
        except CloudError as error:
            log.info("host %s does not answer its ping: %s", host.name, error)
        else:
            return True
    return False


async def _take_over(host_uuid: str, cloud: Cloud) -> None:
    """Go on where another node stopped: what the host said since then is found by comparing."""
    host = cloud.store.get(Host, host_uuid)
    if host is not None and host.status is HostStatus.CONNECTED:
        try:
            await cloud.call(TakeOverHost(uuid=host_uuid))
        except CloudError as error:
            log.warning("host %s has to be connected anew: %s", host.name, error)
            await _try_to_connect(host, cloud)


async def _connect_unless_connected(host: Host, cloud: Cloud) -> None:
    """A host that was just added is being connected already; a second time would only close it to callers again."""
    await cloud.kernel.queues.idle(Host.key(host.uuid))
    now = cloud.store.get(Host, host.uuid)
    if now is not None and now.status is not HostStatus.CONNECTED and now.state is not HostState.MAINTENANCE:
        await _try_to_connect(now, cloud)


async def _try_to_connect(host: Host, cloud: Cloud) -> None:
    try:
        await cloud.call(ReconnectHost(uuid=host.uuid))
    except CloudError as error:
        log.warning("%s", error)


async def _listen(host_uuid: str, cloud: Cloud) -> None:
    """Pass on what the host says. After a silence its VMs are compared by connecting anew."""
    while True:
        host = cloud.store.get(Host, host_uuid)
        if host is None:
            return
        try:
            async with aclosing(cloud.use(HostLinks).of(host).notices()) as notices:
                async for notice in notices:
                    await _pass_on(notice, host, cloud)
        except (HostUnreachable, LookupError) as error:  # Or nothing here reaches hosts of its type.
            log.info("host %s is not heard: %s", host.name, error)
        await trio.sleep(1.0)


async def _pass_on(notice: HostNotice, host: Host, cloud: Cloud) -> None:
    if not isinstance(notice, VmStateChanged):
        await _try_to_connect(host, cloud)
        return
    await cloud.publish(
        VmReported(host_uuid=host.uuid, vm_uuid=notice.uuid, state=notice.state.value, reason=notice.reason)
    )
