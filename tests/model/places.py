"""What can be asked of zones, clusters, hosts, storages and networks, and what must become of it."""

from __future__ import annotations

from tests.model.mirror import BUSY, GONE, Thing
from tests.model.operations import Change, Operation, Pen, always, or_else, unless_gone
from zstack_appliance.cloud.cluster.messages import ChangeClusterState, CreateCluster, DeleteCluster
from zstack_appliance.cloud.host.messages import ChangeHostState, DeleteHost, ReconnectHost
from zstack_appliance.cloud.host.simulated.messages import AddSimulatedHost
from zstack_appliance.cloud.l2_network.messages import (
    AttachL2NetworkToCluster,
    CreateL2NoVlanNetwork,
    DeleteL2Network,
    DetachL2NetworkFromCluster,
)
from zstack_appliance.cloud.l3_network.messages import (
    AddDnsToL3Network,
    AddIpRange,
    ChangeL3NetworkState,
    CreateL3Network,
    DeleteIpRange,
    DeleteL3Network,
)
from zstack_appliance.cloud.network_service.messages import (
    AttachNetworkServiceToL3Network,
    DetachNetworkServiceFromL3Network,
)
from zstack_appliance.cloud.primary_storage.messages import (
    AddLocalPrimaryStorage,
    AttachPrimaryStorageToCluster,
    DeletePrimaryStorage,
    DetachPrimaryStorageFromCluster,
)
from zstack_appliance.cloud.zone.messages import CreateZone, DeleteZone
from zstack_appliance.kernel.message import Delete, DeleteMode, StateEvent
from zstack_appliance.kernel.principal import ADMIN_ACCOUNT

MOST = {"zone": 3, "cluster": 3, "host": 6, "l2": 5, "l3": 6, "range": 9, "ps": 3}
DELETES: dict[str, type[Delete]] = {
    "zone": DeleteZone,
    "cluster": DeleteCluster,
    "host": DeleteHost,
    "ps": DeletePrimaryStorage,
    "l2": DeleteL2Network,
    "l3": DeleteL3Network,
    "range": DeleteIpRange,
}
SWITCH = {
    "host": (ChangeHostState, {"enable": "Enabled", "disable": "Disabled"}),
    "cluster": (ChangeClusterState, {"enable": "Enabled", "disable": "Disabled"}),
    "l3": (ChangeL3NetworkState, {"enable": "Enabled", "disable": "Disabled"}),
}


def _new(pen: Pen, kind: str, *above: Thing, state: str = "Enabled", size: tuple[int, int] = (0, 0)) -> Thing | None:
    if len(pen.mirror.of(kind)) >= MOST[kind]:
        return None
    uuid = pen.mirror.fresh()
    name = f"{kind}-{pen.mirror.drawn}"
    uuids = tuple(one.uuid for one in above)
    return Thing(kind=kind, uuid=uuid, name=name, owner=ADMIN_ACCOUNT, state=state, above=uuids, size=size)


def zone_or_cluster(pen: Pen) -> Operation | None:
    """A new zone, or a cluster in one."""
    if pen.chance(3):
        zone = _new(pen, "zone")
        if zone is None:
            return None
        message = CreateZone(resource_uuid=zone.uuid, name=zone.name)
        return pen.operation(f"create {zone.name}", message, makes=(zone,), verdict=True)
    parent = pen.thing("zone")
    cluster = parent and _new(pen, "cluster", parent)
    if parent is None or cluster is None:
        return None
    new = CreateCluster(
        resource_uuid=cluster.uuid, name=cluster.name, zone_uuid=parent.uuid, hypervisor_type="Simulator"
    )
    return pen.operation(f"create {cluster.name} in {parent.name}", new, makes=(cluster,), verdict=True)


def host(pen: Pen) -> Operation | None:
    """A new host, or a word to one."""
    old = pen.thing("host")
    if old is not None and pen.chance(3):
        return pen.operation(f"reconnect {old.name}", ReconnectHost(uuid=old.uuid), verdict=True)
    cluster = pen.thing("cluster")
    made = cluster and _new(pen, "host", cluster, size=(40, 8 * 2**30))
    if cluster is None or made is None:
        return None
    message = AddSimulatedHost(
        resource_uuid=made.uuid,
        name=made.name,
        management_ip=made.name,
        cluster_uuid=cluster.uuid,
        cpu_capacity=4,
        memory_capacity=8 * 2**30,
    )
    return pen.operation(f"add {made.name} to {cluster.name}", message, makes=(made,), verdict=True)


def storage(pen: Pen) -> Operation | None:
    """A new primary storage, or one that comes to a cluster or leaves it."""
    old, cluster, zone = pen.thing("ps"), pen.thing("cluster"), pen.thing("zone")
    if old is not None and cluster is not None and pen.chance(2):
        if pen.chance(3):
            off = DetachPrimaryStorageFromCluster(primary_storage_uuid=old.uuid, cluster_uuid=cluster.uuid)
            return None if old.first else pen.operation(f"detach {old.name} from {cluster.name}", off)
        on = AttachPrimaryStorageToCluster(primary_storage_uuid=old.uuid, cluster_uuid=cluster.uuid)
        return pen.operation(f"attach {old.name} to {cluster.name}", on)
    made = zone and _new(pen, "ps", zone)
    if zone is None or made is None:
        return None
    new = AddLocalPrimaryStorage(
        resource_uuid=made.uuid, name=made.name, url=f"/model/{made.name}", zone_uuid=zone.uuid
    )
    return pen.operation(f"add {made.name} to {zone.name}", new, makes=(made,), verdict=True)


def l2(pen: Pen) -> Operation | None:
    """A new L2 network, or one that comes to a cluster or leaves it."""
    old, cluster, zone = pen.thing("l2"), pen.thing("cluster"), pen.thing("zone")
    if old is not None and cluster is not None and pen.chance(2):
        if pen.chance(3):
            off = DetachL2NetworkFromCluster(l2_network_uuid=old.uuid, cluster_uuid=cluster.uuid)
            return None if old.first else pen.operation(f"detach {old.name} from {cluster.name}", off)
        on = AttachL2NetworkToCluster(l2_network_uuid=old.uuid, cluster_uuid=cluster.uuid)
        return pen.operation(f"attach {old.name} to {cluster.name}", on)
    made = zone and _new(pen, "l2", zone, state="there")
    if zone is None or made is None:
        return None
    new = CreateL2NoVlanNetwork(resource_uuid=made.uuid, name=made.name, zone_uuid=zone.uuid, physical_interface="")
    return pen.operation(f"create {made.name} in {zone.name}", new, makes=(made,), verdict=True)


def l3(pen: Pen) -> Operation | None:
    """A new L3 network, a narrow range for one, or its name server."""
    old, under = pen.thing("l3"), pen.thing("l2")
    if old is not None and pen.chance(2):
        return _range(pen, old)
    if old is not None and pen.chance(4):
        message = AddDnsToL3Network(l3_network_uuid=old.uuid, dns="9.9.9.9")
        return pen.operation(f"add a name server to {old.name}", message)
    made = under and _new(pen, "l3", under)
    if under is None or made is None:
        return None
    new = CreateL3Network(resource_uuid=made.uuid, name=made.name, l2_network_uuid=under.uuid)
    return pen.operation(f"create {made.name} on {under.name}", new, makes=(made,), verdict=True)


def _range(pen: Pen, network: Thing) -> Operation | None:
    made = _new(pen, "range", network, state="there")
    if made is None or network.first:
        return None
    # Neighbouring narrow ranges, so that they overlap at times and addresses run out.
    third = int(network.uuid, 16) % 200
    begin = pen.pick((10, 12, 14, 20))
    message = AddIpRange(
        resource_uuid=made.uuid,
        name=made.name,
        l3_network_uuid=network.uuid,
        start_ip=f"10.66.{third}.{begin}",
        end_ip=f"10.66.{third}.{begin + 2}",
        netmask="255.255.255.0",
        gateway=f"10.66.{third}.1",
    )
    return pen.operation(f"add {made.name} from .{begin} to {network.name}", message, makes=(made,))


def services(pen: Pen, provider: str, types: tuple[str, ...]) -> Operation | None:
    """Services come to a network, or leave it."""
    network = pen.thing("l3")
    if network is None or network.name == "public1":
        return None
    chosen = {provider: [pen.pick(types)] if pen.chance(2) else list(types)}
    if pen.chance(3):
        off = DetachNetworkServiceFromL3Network(l3_network_uuid=network.uuid, network_services=chosen)
        return pen.operation(f"detach {len(chosen[provider])} services from {network.name}", off)
    on = AttachNetworkServiceToL3Network(l3_network_uuid=network.uuid, network_services=chosen)
    return pen.operation(f"attach {len(chosen[provider])} services to {network.name}", on)


def switch(pen: Pen) -> Operation | None:
    """Something is enabled, or disabled."""
    kind = pen.pick(list(SWITCH))
    found = pen.thing(kind)
    if found is None or (kind == "l3" and found.name == "public1"):
        return None
    message, states = SWITCH[kind]
    # What is disabled soon comes back, or nothing would ever be tried.
    event = "enable" if found.state == "Disabled" else pen.pick(list(states))
    value = event if kind == "host" else StateEvent(event)
    return pen.operation(
        f"{event} {found.name}",
        message(uuid=found.uuid, state_event=value),
        changes={found.uuid: unless_gone(states[event])},
        verdict=True,
    )


def delete(pen: Pen) -> Operation | None:
    """Something goes, with all that stands on it."""
    kind = pen.pick(list(DELETES))
    found = pen.thing(kind)
    if found is None or found.first:
        return None
    mode = DeleteMode.ENFORCING if not pen.foul and pen.chance(4) else DeleteMode.PERMISSIVE
    doomed = pen.mirror.below(found.uuid)
    changes: dict[str, Change] = {one.uuid: always(GONE) for one in doomed}
    touched = _touched_vms(pen, doomed)
    changes |= {vm.uuid: change for vm, change in touched.items() if vm.uuid not in changes}
    busy = [vm for vm in touched if vm.state in BUSY]
    return pen.operation(
        f"delete {found.name} with {len(doomed) - 1} things, {len(touched)} VMs concerned, {mode.value}",
        DELETES[kind](uuid=found.uuid, delete_mode=mode),
        changes=changes,
        deletes=kind,
        # A network lets running VMs keep their NICs, unless it is told not to.
        verdict=True if mode is DeleteMode.ENFORCING or not touched else None if busy or kind != "host" else True,
    )


def _touched_vms(pen: Pen, doomed: list[Thing]) -> dict[Thing, Change]:
    """VMs that stand on what goes: stopped with their host, gone with their storage or zone."""
    uuids = {thing.uuid for thing in doomed}
    kinds = {thing.kind for thing in doomed}
    found: dict[Thing, Change] = {}
    for vm in pen.mirror.of("vm"):
        if vm.place in uuids:
            found[vm] = or_else({"Running": "Stopped", "Paused": "Stopped"})
        if kinds & {"zone", "ps"}:
            found[vm] = lambda before: (before, "Stopped", "Destroyed", GONE) if before != GONE else (GONE,)
        elif uuids & set(vm.uses):
            found.setdefault(vm, lambda before: (before,))
    return found
