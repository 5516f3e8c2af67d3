"""Network services at work: attach, detach, and bringing networks in line with the records."""

from __future__ import annotations

import logging

from zstack_appliance.cloud.l3_network.messages import L3NetworkChanged, L3NetworkDeleting
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.network_service.messages import (
    AttachNetworkServiceToL3Network,
    DetachNetworkServiceFromL3Network,
    ProvideServices,
    ServeL3Network,
)
from zstack_appliance.cloud.network_service.schema import NetworkServiceL3NetworkRef, NetworkServiceProvider
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import CloudError, Conflict, Fault, NotFound, refuse
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.rounds import Rounds
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.store import Tx

log = logging.getLogger(__name__)


class Attachment(Context):
    """An L3 network, and the services that come to it or leave it."""

    l3: L3Network
    refs: tuple[NetworkServiceL3NetworkRef, ...]


ATTACH = Flow("network_service.attach", Attachment, lambda: (
    Step("record", tx=record, with_next=True, keeps="`withdraw` takes the rows back, before the providers look"),
    Step("provide", do=provide, undo=withdraw),
))  # fmt: skip

DETACH = Flow("network_service.detach", Attachment, lambda: (
    Step("forget", tx=forget, with_next=True, keeps="`restore` brings the rows back, before the providers look"),
    Step("provide", do=provide, undo=restore),
))  # fmt: skip


@handles(AttachNetworkServiceToL3Network, queue=lambda m: L3Network.key(m.l3_network_uuid))
async def attach(m: AttachNetworkServiceToL3Network, cloud: Cloud) -> L3Network:
    """Serve `AttachNetworkServiceToL3Network`; a service that the provider gives already stays so."""
    network = await cloud.get(L3Network, m.l3_network_uuid)
    existing = {
        ref.network_service_type: ref
        for ref in await cloud.find(NetworkServiceL3NetworkRef, l3_network_uuid=network.uuid)
    }
    refs: list[NetworkServiceL3NetworkRef] = []
    for provider_uuid, services in m.network_services.items():
        provider = await _provider(provider_uuid, cloud)
        for service in dict.fromkeys(services):
            refuse(service_fault(provider, service))
            held = existing.get(service)
            if held is None:
                refs.append(_draft(network, provider, service, cloud))
            elif held.network_service_provider_uuid != provider.uuid:
                text = f"service {service} of L3 network[{network.name}] has another provider; detach it first"
                raise Conflict(text)
    if refs:
        await cloud.run(ATTACH, Attachment(l3=network, refs=tuple(refs)))
    return network


@handles(DetachNetworkServiceFromL3Network, queue=lambda m: L3Network.key(m.l3_network_uuid))
async def detach(m: DetachNetworkServiceFromL3Network, cloud: Cloud) -> L3Network:
    """Serve `DetachNetworkServiceFromL3Network`."""
    network = await cloud.get(L3Network, m.l3_network_uuid)
    wanted = {(provider, service) for provider, services in m.network_services.items() for service in services}
    refs = tuple(
        ref
        for ref in await cloud.find(NetworkServiceL3NetworkRef, l3_network_uuid=network.uuid)
        if (ref.network_service_provider_uuid, ref.network_service_type) in wanted
    )
    if refs:
        await cloud.run(DETACH, Attachment(l3=network, refs=refs))
    return network


def service_fault(provider: NetworkServiceProvider, service: str) -> Fault | None:
    """Whether a provider gives a service."""
    if service in provider.network_service_types:
        return None
    offered = ", ".join(provider.network_service_types)
    return Fault("networkServices", f"provider[{provider.name}] gives {offered}, not {service}")


async def _provider(uuid: str, cloud: Cloud) -> NetworkServiceProvider:
    found = cloud.store.get(NetworkServiceProvider, uuid)
    if found is None:
        names = ", ".join(f"{p.name} ({p.uuid})" for p in await cloud.find(NetworkServiceProvider))
        raise NotFound(f"no network service provider[uuid:{uuid}]; there are {names}")
    return found


def _draft(
    network: L3Network, provider: NetworkServiceProvider, service: str, cloud: Cloud
) -> NetworkServiceL3NetworkRef:
    now = cloud.clock.millis()
    return NetworkServiceL3NetworkRef(
        uuid=cloud.entropy.uuid(),
        create_date=now,
        last_op_date=now,
        l3_network_uuid=network.uuid,
        network_service_provider_uuid=provider.uuid,
        network_service_type=service,
    )


def record(tx: Tx, d: Attachment) -> None:
    """Write the services down."""
    for ref in d.refs:
        if tx.get(NetworkServiceL3NetworkRef, ref.uuid) is None:
            tx.insert(ref)


def forget(tx: Tx, d: Attachment) -> None:
    """Forget the services."""
    for ref in d.refs:
        tx.delete(NetworkServiceL3NetworkRef, ref.uuid)


async def provide(d: Attachment, cloud: Cloud) -> None:
    """Have the providers do what the records say now."""
    await cloud.call(ServeL3Network(l3_network_uuid=d.l3.uuid))


async def withdraw(d: Attachment, cloud: Cloud) -> None:
    """Undo `provide` of an attachment: the rows go first, so that providers see the network without them."""
    await cloud.write(lambda tx: forget(tx, d))
    await provide(d, cloud)


async def restore(d: Attachment, cloud: Cloud) -> None:
    """Undo `provide` of a detachment: the rows come back first."""
    await cloud.write(lambda tx: record(tx, d))
    await provide(d, cloud)


def _rounds_key(m: ServeL3Network) -> Key:
    return Key("l3_services", m.l3_network_uuid)


@handles(ServeL3Network, home=_rounds_key)
async def serve(m: ServeL3Network, cloud: Cloud) -> None:
    """Serve `ServeL3Network`."""

    async def work() -> None:
        await cloud.gather(ProvideServices(l3=await cloud.get(L3Network, m.l3_network_uuid)))

    await cloud.use(Rounds).join(_rounds_key(m), work)


async def on_changed(event: L3NetworkChanged, cloud: Cloud) -> None:
    """A network's ranges or name servers changed."""
    try:
        await cloud.call(ServeL3Network(l3_network_uuid=event.l3.uuid))
    except CloudError as error:
        log.warning("the services of L3 network %s are not in line with it now: %s", event.l3.name, error)


async def on_deleting(event: L3NetworkDeleting, cloud: Cloud) -> None:
    """A network is about to go: take its services away, on hosts too."""
    refs = tuple(await cloud.find(NetworkServiceL3NetworkRef, l3_network_uuid=event.l3.uuid))
    await cloud.run(DETACH, Attachment(l3=event.l3, refs=refs))
