"""Give L3 networks their services by namespace routers: where each one is, and having it there."""

from __future__ import annotations

import logging

import trio

from zstack_appliance.cloud.host.messages import HostLost, PrepareHost, on_host
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.cloud.l2_network.messages import L2NetworkLeaving
from zstack_appliance.cloud.l2_network.schema import L2NetworkClusterRef
from zstack_appliance.cloud.l3_network.ledger import AddressWish, give_back_address, take_address
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, L3Network, UsedIp
from zstack_appliance.cloud.network_service.messages import ProvideServices, ServeL3Network
from zstack_appliance.cloud.network_service.namespace_router.desired import SERVICES, SNAT, desired
from zstack_appliance.cloud.network_service.namespace_router.messages import WithdrawRouter
from zstack_appliance.cloud.network_service.namespace_router.schema import NamespaceRouter
from zstack_appliance.cloud.network_service.namespace_router.wire import ApplyRouter, RemoveRouter
from zstack_appliance.cloud.network_service.schema import NetworkServiceL3NetworkRef, NetworkServiceProvider
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError, Conflict
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)

TYPE = "Namespace"

RETRY_SECONDS = 60.0
"""How often routers that are not in line with the records are looked for."""


async def register(cloud: Cloud) -> None:
    """At start-up: have the provider's row, with the services of this version."""
    uuid = cloud.entropy.uuid()

    def commit(tx: Tx) -> None:
        found = tx.find(NetworkServiceProvider, type=TYPE)
        if found:
            tx.update(found[0], network_service_types=list(SERVICES))
            return
        tx.insert(
            NetworkServiceProvider(
                uuid=uuid,
                create_date=tx.now,
                last_op_date=tx.now,
                name=TYPE,
                description="A router in a network namespace of a host",
                type=TYPE,
                network_service_types=list(SERVICES),
            )
        )

    await cloud.write(commit)


async def provide(hook: ProvideServices, cloud: Cloud) -> None:
    """Bring the router of an L3 network in line with the records; without services it goes."""
    network = hook.l3
    services = await services_of(network, cloud)
    found = await cloud.find(NamespaceRouter, l3_network_uuid=network.uuid)
    if not services or not await cloud.find(IpRange, l3_network_uuid=network.uuid):
        for router in found:
            await _take_away(router, cloud)
        return
    router = found[0] if found else await _place(network, cloud)
    try:
        router = await _have_public_address(router, network, cloud, wanted=SNAT in services)
        spec = await desired(network, router, services, cloud)
        await cloud.call(on_host(router.host_uuid, ApplyRouter(router=spec)))
    except CloudError:
        await _mark(router, cloud, in_line=False)
        raise
    await _mark(router, cloud, in_line=True)


async def _mark(router: NamespaceRouter, cloud: Cloud, *, in_line: bool) -> None:
    if router.in_line is not in_line:
        await cloud.write(lambda tx: _update(tx, router, in_line=in_line))


def _update(tx: Tx, router: NamespaceRouter, *, in_line: bool) -> None:
    row = tx.get(NamespaceRouter, router.uuid)
    if row is not None:
        tx.update(row, in_line=in_line)


async def bring_in_line(cloud: Cloud) -> None:
    """Serve again the networks whose router could not be told of a change; a background task.

    A host may miss a word without being found lost, and nobody else would come back to it.
    """
    while True:
        await trio.sleep(RETRY_SECONDS)
        for router in await cloud.find(NamespaceRouter, in_line=False):
            if (await cloud.get(Host, router.host_uuid)).status is HostStatus.CONNECTED:
                await _serve_again(router.l3_network_uuid, cloud)


async def _serve_again(network_uuid: str, cloud: Cloud) -> None:
    try:
        await cloud.call(ServeL3Network(l3_network_uuid=network_uuid))
    except CloudError as error:
        log.warning("the router of L3 network %s is not in line yet: %s", network_uuid, error)


async def on_prepare_host(hook: PrepareHost, cloud: Cloud) -> None:
    """A host is being connected: have the routers that are on it, in turn with whoever serves their networks now.

    A network that nothing could serve as it is made must not keep its host away from all the others.
    """
    for router in await cloud.find(NamespaceRouter, host_uuid=hook.host.uuid):
        try:
            await cloud.call(ServeL3Network(l3_network_uuid=router.l3_network_uuid))
        except Conflict as error:
            log.warning("the router of L3 network %s cannot be made: %s", router.l3_network_uuid, error)


@handles(WithdrawRouter)
async def withdraw(m: WithdrawRouter, cloud: Cloud) -> None:
    """Serve `WithdrawRouter`."""
    router = cloud.store.get(NamespaceRouter, m.uuid)
    if router is None:
        return
    if (await cloud.get(Host, router.host_uuid)).status is HostStatus.CONNECTED:
        await _take_away(router, cloud)
    else:
        await cloud.write(lambda tx: _forget(tx, router))


async def on_l2_leaving(hook: L2NetworkLeaving, cloud: Cloud) -> None:
    """Take away the routers that stand on the network's bridges in the cluster, by either side."""
    for host in await cloud.find(Host, cluster_uuid=hook.cluster_uuid):
        for router in await cloud.find(NamespaceRouter, host_uuid=host.uuid):
            if hook.l2.uuid in await _sides(router, cloud):
                await cloud.call(WithdrawRouter(uuid=router.uuid))


async def _sides(router: NamespaceRouter, cloud: Cloud) -> set[str]:
    """The L2 networks that a router stands on."""
    networks = {router.l3_network_uuid}
    if router.public_ip_uuid is not None:
        networks.add((await cloud.get(UsedIp, router.public_ip_uuid)).l3_network_uuid)
    return {(await cloud.get(L3Network, uuid)).l2_network_uuid for uuid in networks}


async def on_host_lost(_event: HostLost, cloud: Cloud) -> None:
    """Networks whose router went with its host get one on another host, if there is any."""
    for network in await cloud.find(L3Network):
        routers = await cloud.find(NamespaceRouter, l3_network_uuid=network.uuid)
        if not routers and await services_of(network, cloud):
            try:
                await cloud.call(ServeL3Network(l3_network_uuid=network.uuid))
            except CloudError as error:
                log.warning("L3 network %s has no router now: %s", network.name, error)


async def services_of(network: L3Network, cloud: Cloud) -> set[str]:
    """The services that this provider gives the network."""
    provider = (await cloud.find(NetworkServiceProvider, type=TYPE))[0]
    refs = await cloud.find(
        NetworkServiceL3NetworkRef, l3_network_uuid=network.uuid, network_service_provider_uuid=provider.uuid
    )
    return {ref.network_service_type for ref in refs}


async def _place(network: L3Network, cloud: Cloud) -> NamespaceRouter:
    """Choose the router's host: connected, reached by the network, with the fewest routers."""
    clusters = {
        ref.cluster_uuid for ref in await cloud.find(L2NetworkClusterRef, l2_network_uuid=network.l2_network_uuid)
    }
    hosts = [
        host
        for host in await cloud.find(Host, status=HostStatus.CONNECTED)
        if host.cluster_uuid in clusters and host.state is HostState.ENABLED
    ]
    if not hosts:
        raise Conflict(
            f"no Enabled and Connected host has the L2 network of L3 network[{network.name}]; "
            "attach it to a cluster with hosts first"
        )
    load = {host.uuid: len(await cloud.find(NamespaceRouter, host_uuid=host.uuid)) for host in hosts}
    host = min(hosts, key=lambda candidate: load[candidate.uuid])
    uuid = cloud.entropy.uuid()
    return await cloud.write(
        lambda tx: tx.insert(
            NamespaceRouter(
                uuid=uuid,
                create_date=tx.now,
                last_op_date=tx.now,
                l3_network_uuid=network.uuid,
                host_uuid=host.uuid,
                in_line=True,
            )
        )
    )


async def _have_public_address(
    router: NamespaceRouter, network: L3Network, cloud: Cloud, *, wanted: bool
) -> NamespaceRouter:
    """Take an address in a public network that reaches the router's host, if one is wanted and not there yet."""
    if not wanted or router.public_ip_uuid is not None:
        return router
    public = await _public_network(router, network, cloud)
    wish = AddressWish(
        uuid=cloud.entropy.uuid(),
        l3_network_uuid=public.uuid,
        dice=0,
        used_for=f"router of L3 network {router.l3_network_uuid}",
    )

    def commit(tx: Tx) -> NamespaceRouter:
        used = take_address(tx, wish)
        return tx.update(tx.require(NamespaceRouter, router.uuid), public_ip_uuid=used.uuid)

    return await cloud.write(commit)


async def _public_network(router: NamespaceRouter, inner: L3Network, cloud: Cloud) -> L3Network:
    """One that the router's host reaches, and that is another wire than the network inside."""
    host = await cloud.get(Host, router.host_uuid)
    reached = {ref.l2_network_uuid for ref in await cloud.find(L2NetworkClusterRef, cluster_uuid=host.cluster_uuid)}
    for network in await cloud.find(L3Network, category=Category.PUBLIC):
        has_range = await cloud.find(IpRange, l3_network_uuid=network.uuid)
        if network.l2_network_uuid in reached - {inner.l2_network_uuid} and has_range:
            return network
    raise Conflict(
        f"SNAT for L3 network[{inner.name}] needs a Public L3 network with an IP range, on another L2 network than its"
        f" own and on the cluster of host[{host.name}]; make one first"
    )


async def _take_away(router: NamespaceRouter, cloud: Cloud) -> None:
    await cloud.call(on_host(router.host_uuid, RemoveRouter(l3_network_uuid=router.l3_network_uuid)))
    await cloud.write(lambda tx: _forget(tx, router))


def _forget(tx: Tx, router: NamespaceRouter) -> None:
    tx.delete(NamespaceRouter, router.uuid)
    if router.public_ip_uuid is not None:
        give_back_address(tx, router.public_ip_uuid)
