"""Add a host of any hypervisor: write it down, connect it, or take it back."""

from __future__ import annotations

from typing import Any, TypeVar

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.connect import connect
from zstack_appliance.cloud.host.links import HostLinks
from zstack_appliance.cloud.host.messages import HostLeaving
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, Fault, refuse
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.message import Create
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.store import Tx

H = TypeVar("H", bound=Host)


class NewHost(Context):
    """The host as it will be."""

    host: Host


ADD = Flow("host.add", NewHost, lambda: (
    Step("record", tx=record, undo_tx=forget),
    Step("connect", do=connect_new, undo=drop),
))  # fmt: skip


async def draft_host(cls: type[H], m: Create[Any], cloud: Cloud, *, hypervisor_type: str, **values: Any) -> H:
    """A new host's row; its capacity is measured when it is connected.

    Raises:
        InvalidArgument: the cluster is for another hypervisor.
    """
    cluster = await cloud.get(Cluster, values.get("cluster_uuid") or m.cluster_uuid)  # type: ignore[attr-defined]
    if cluster.hypervisor_type != hypervisor_type:
        text = f"cluster[{cluster.name}] is for {cluster.hypervisor_type} hosts, not for {hypervisor_type}"
        refuse(Fault("clusterUuid", text))
    return cloud.draft(
        cls,
        m,
        zone_uuid=cluster.zone_uuid,
        hypervisor_type=hypervisor_type,
        state=HostState.ENABLED,
        status=HostStatus.CONNECTING,
        cpu_num=0,
        cpu_sockets=0,
        total_cpu_capacity=0,
        available_cpu_capacity=0,
        total_memory_capacity=0,
        available_memory_capacity=0,
        vm_count=0,
        **values,
    )


async def add_host(host: Host, cloud: Cloud) -> Host:
    """Write a host down and connect it.

    Raises:
        Conflict: a host with its management IP exists.
        Unavailable: it cannot be connected; nothing is left of it.
    """
    done = await cloud.run(ADD, NewHost(host=host))
    cloud.use(HostLinks).announce()
    return await cloud.get(Host, done.host.uuid)


def record(tx: Tx, d: NewHost) -> None:
    """Write the host down."""
    twins = tx.find(Host, management_ip=d.host.management_ip)
    if twins:
        raise Conflict(f"host[{twins[0].name}] has managementIp[{d.host.management_ip}] already", code="HOST.1000")
    d.host = tx.insert(d.host)


def forget(tx: Tx, d: NewHost) -> None:
    """Undo `record`."""
    remove(tx, Host, d.host.uuid)


async def connect_new(d: NewHost, cloud: Cloud) -> None:
    """Connect the host for the first time."""
    await connect(d.host, cloud)


async def drop(d: NewHost, cloud: Cloud) -> None:
    """Undo `connect_new`: whoever prepared the host takes back what it did."""
    await cloud.gather(HostLeaving(host=d.host))
    cloud.use(HostLinks).drop(d.host.uuid)
