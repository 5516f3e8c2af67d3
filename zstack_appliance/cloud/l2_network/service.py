"""L2 networks at work: create, attach, detach, delete, and the bridges that realise them."""

from __future__ import annotations

import functools
from collections.abc import Set

from zstack_appliance.cloud.host.messages import PrepareHost, on_host
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.l2_network.messages import (
    AttachL2NetworkToCluster,
    BridgeAddresses,
    CreateL2NoVlanNetwork,
    DeleteL2Network,
    DetachL2NetworkFromCluster,
    L2NetworkLeaving,
    LeaveCluster,
    RealiseL2Network,
)
from zstack_appliance.cloud.l2_network.schema import L2Network, L2NetworkClusterRef
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, RemoveBridge
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.network_service.host_network.wire import HostNetworkInventory, ListHostNetwork
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import attach as attach_tags
from zstack_appliance.kernel.tags import draft_tags
from zstack_appliance.kernel.together import together

NO_VLAN = "L2NoVlanNetwork"


class Attachment(Context):
    """An L2 network and a cluster that it comes to, or leaves."""

    l2: L2Network
    cluster_uuid: str
    ref_uuid: str


ATTACH = Flow("l2_network.attach", Attachment, lambda: (
    Step("record", tx=record, undo_tx=forget),
    Step("make_bridges", do=make_bridges, undo=remove_bridges),
))  # fmt: skip

DETACH = Flow("l2_network.detach", Attachment, lambda: (
    Step("remove_bridges", do=remove_bridges, undo=make_bridges),
    Step("forget", tx=forget, with_next=True, keeps="nothing comes after it, and a commit is never half done"),
))  # fmt: skip


@handles(CreateL2NoVlanNetwork)
async def create_no_vlan(m: CreateL2NoVlanNetwork, cloud: Cloud) -> L2Network:
    """Serve `CreateL2NoVlanNetwork`."""
    l2 = cloud.draft(L2Network, m, type=NO_VLAN)
    tagging = draft_tags(m, l2, cloud)

    def commit(tx: Tx) -> L2Network:
        row = tx.insert(l2)
        attach_tags(tx, tagging)
        return row

    return await cloud.write(commit)


@handles(AttachL2NetworkToCluster, queue=lambda m: L2Network.key(m.l2_network_uuid))
async def attach(m: AttachL2NetworkToCluster, cloud: Cloud) -> L2Network:
    """Serve `AttachL2NetworkToCluster`; attached already is done already."""
    l2 = await cloud.get(L2Network, m.l2_network_uuid)
    if not await cloud.find(L2NetworkClusterRef, l2_network_uuid=l2.uuid, cluster_uuid=m.cluster_uuid):
        await _refuse_twin(l2, m.cluster_uuid, cloud)
        attachment = Attachment(l2=l2, cluster_uuid=m.cluster_uuid, ref_uuid=cloud.entropy.uuid())
        await cloud.run(ATTACH, attachment)
    return l2


@handles(DetachL2NetworkFromCluster, queue=lambda m: L2Network.key(m.l2_network_uuid))
async def detach(m: DetachL2NetworkFromCluster, cloud: Cloud) -> L2Network:
    """Serve `DetachL2NetworkFromCluster`."""
    l2 = await cloud.get(L2Network, m.l2_network_uuid)
    for network in await cloud.find(L3Network, l2_network_uuid=l2.uuid):
        for nic in await cloud.find(VmNic, l3_network_uuid=network.uuid):
            vm = await cloud.get(VmInstance, nic.vm_instance_uuid)
            if vm.cluster_uuid == m.cluster_uuid:
                raise Conflict(f"VM[{vm.name}] of the cluster has a NIC on L2 network[{l2.name}]; detach it first")
    for ref in await cloud.find(L2NetworkClusterRef, l2_network_uuid=l2.uuid, cluster_uuid=m.cluster_uuid):
        await _take_off(l2, ref, cloud)
    return l2


@handles(LeaveCluster, queue=lambda m: L2Network.key(m.l2_network_uuid))
async def leave(m: LeaveCluster, cloud: Cloud) -> None:
    """Serve `LeaveCluster`."""
    l2 = await cloud.get(L2Network, m.l2_network_uuid)
    for ref in await cloud.find(L2NetworkClusterRef, l2_network_uuid=l2.uuid, cluster_uuid=m.cluster_uuid):
        await _take_off(l2, ref, cloud)


async def delete(m: DeleteL2Network, cloud: Cloud) -> None:
    """Serve `DeleteL2Network`: it is detached from every cluster first."""
    l2 = await cloud.get(L2Network, m.uuid)
    for ref in await cloud.find(L2NetworkClusterRef, l2_network_uuid=l2.uuid):
        await _take_off(l2, ref, cloud)
    await cloud.write(lambda tx: remove(tx, L2Network, l2.uuid))


async def _take_off(l2: L2Network, ref: L2NetworkClusterRef, cloud: Cloud) -> None:
    """Detach a network from a cluster, once nobody has anything on its bridges there."""
    await cloud.gather(L2NetworkLeaving(l2=l2, cluster_uuid=ref.cluster_uuid))
    await cloud.run(DETACH, Attachment(l2=l2, cluster_uuid=ref.cluster_uuid, ref_uuid=ref.uuid))


@handles(RealiseL2Network)
async def realise(m: RealiseL2Network, cloud: Cloud) -> None:
    """Serve `RealiseL2Network`."""
    l2 = await cloud.get(L2Network, m.l2_network_uuid)
    for ref in await cloud.find(L2NetworkClusterRef, l2_network_uuid=l2.uuid):
        await _apply_on(l2, await _connected(ref.cluster_uuid, cloud), cloud)


async def on_prepare_host(hook: PrepareHost, cloud: Cloud) -> None:
    """A host is being connected: make the bridges of its cluster's L2 networks, and remove those of others, as it
    was not told while it was away.
    """
    for ref in await cloud.find(L2NetworkClusterRef, cluster_uuid=hook.host.cluster_uuid):
        await _apply_on(await cloud.get(L2Network, ref.l2_network_uuid), [hook.host], cloud)
    found = await cloud.call(on_host(hook.host.uuid, ListHostNetwork()))
    refs = await cloud.find(L2NetworkClusterRef, cluster_uuid=hook.host.cluster_uuid)
    for l2_network_uuid in strays(found, {ref.l2_network_uuid for ref in refs}):
        await cloud.call(on_host(hook.host.uuid, RemoveBridge(l2_network_uuid=l2_network_uuid)))


def strays(found: HostNetworkInventory, wanted: Set[str]) -> list[str]:
    """Uuids of L2 networks whose bridge is on a host and should not be; one with something on it stays."""
    masters = {one.master for one in found.interfaces}
    return [
        one.alias
        for one in found.interfaces
        if one.kind == "bridge" and one.alias is not None and one.alias not in wanted and one.name not in masters
    ]


async def _refuse_twin(l2: L2Network, cluster_uuid: str, cloud: Cloud) -> None:
    """Two untagged networks cannot share one interface of a cluster."""
    if not l2.physical_interface:
        return
    for ref in await cloud.find(L2NetworkClusterRef, cluster_uuid=cluster_uuid):
        other = await cloud.get(L2Network, ref.l2_network_uuid)
        if other.physical_interface == l2.physical_interface:
            text = f"L2 network[{other.name}] has interface {l2.physical_interface} in this cluster already"
            raise Conflict(text)


def record(tx: Tx, d: Attachment) -> None:
    """Write the attachment down."""
    tx.insert(
        L2NetworkClusterRef(
            uuid=d.ref_uuid,
            create_date=tx.now,
            last_op_date=tx.now,
            l2_network_uuid=d.l2.uuid,
            cluster_uuid=d.cluster_uuid,
        )
    )


def forget(tx: Tx, d: Attachment) -> None:
    """Forget the attachment."""
    tx.delete(L2NetworkClusterRef, d.ref_uuid)


async def make_bridges(d: Attachment, cloud: Cloud) -> None:
    """Have the bridge on every connected host of the cluster; the others get it when they connect."""
    await _apply_on(d.l2, await _connected(d.cluster_uuid, cloud), cloud)


async def remove_bridges(d: Attachment, cloud: Cloud) -> None:
    """Have the bridge on no connected host of the cluster."""
    for host in await _connected(d.cluster_uuid, cloud):
        await cloud.call(on_host(host.uuid, RemoveBridge(l2_network_uuid=d.l2.uuid)))


async def _connected(cluster_uuid: str, cloud: Cloud) -> list[Host]:
    return await cloud.find(Host, cluster_uuid=cluster_uuid, status=HostStatus.CONNECTED)


async def _apply_on(l2: L2Network, hosts: list[Host], cloud: Cloud) -> None:
    answers = await cloud.gather(BridgeAddresses(l2=l2))
    command = ApplyBridge(
        l2_network_uuid=l2.uuid,
        addresses=tuple(address for answer in answers for address in answer),
        physical_interface=l2.physical_interface or None,
    )
    await together(*(functools.partial(cloud.call, on_host(host.uuid, command)) for host in hosts))
