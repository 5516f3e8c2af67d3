"""Whether a VM can be created as asked: first the arguments by themselves, then the state of what they name."""

from __future__ import annotations

from collections.abc import Iterator

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.messages import HostWish
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.cloud.image.schema import Image, ImageStatus, MediaType
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l2_network.schema import L2NetworkClusterRef
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.primary_storage.ledger import VolumeWish
from zstack_appliance.cloud.vm_instance import hostnames, root_storage
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, Fault, refuse
from zstack_appliance.kernel.schema import OnOff


def arguments(m: CreateVmInstance) -> Iterator[Fault | None]:
    """Every fault of the request by itself."""
    networks = m.l3_network_uuids or ()
    if not m.image_uuid:
        yield Fault("imageUuid", "field[imageUuid] is needed: name the image that the VM begins as")
    if not m.instance_offering_uuid and not (m.cpu_num and m.memory_size):
        yield Fault(
            "instanceOfferingUuid",
            "Missing CPU/memory settings: give instanceOfferingUuid, or both cpuNum and memorySize",
        )
    if not (networks or m.zone_uuid or m.cluster_uuid or m.host_uuid):
        yield Fault(
            "l3NetworkUuids", "say where the VM goes: one of l3NetworkUuids, zoneUuid, clusterUuid and hostUuid"
        )
    if len(set(networks)) != len(networks):
        yield Fault("l3NetworkUuids", "an L3 network is named twice; name each once")
    if m.default_l3_network_uuid and m.default_l3_network_uuid not in networks:
        yield Fault("defaultL3NetworkUuid", "the default L3 network must be one of l3NetworkUuids")
    if len(networks) > 1 and not m.default_l3_network_uuid:
        yield Fault("defaultL3NetworkUuid", "with several L3 networks, say which is the default one")
    if m.root_disk_size is not None and m.root_disk_size < 0:
        yield Fault("rootDiskSize", "the root disk's size is given in bytes and cannot be negative")
    yield _size_fault(m)
    yield from _unserved(m)


def _unserved(m: CreateVmInstance) -> Iterator[Fault]:
    """What ZStack's API has and this version has not: refused, never silently left out of the VM."""
    for field, value in (
        ("dataDiskSizes", m.data_disk_sizes),
        ("dataDiskOfferingUuids", m.data_disk_offering_uuids),
        ("rootVolumeSystemTags", m.root_volume_system_tags),
        ("dataVolumeSystemTags", m.data_volume_system_tags),
        ("sshKeyPairUuids", m.ssh_key_pair_uuids),
        ("vmNicParams", m.vm_nic_params),
    ):
        if value:
            yield Fault(field, f"field[{field}] is not served by this version; leave it out")


def _size_fault(m: CreateVmInstance) -> Fault | None:
    if not m.instance_offering_uuid and m.cpu_num is not None and not 0 <= m.cpu_num <= 1024:
        return Fault("cpuNum", "cpuNum must be in range of [1, 1024]")
    if m.memory_size is not None and m.memory_size < 0:
        return Fault("memorySize", "memorySize is given in bytes and cannot be negative")
    return None


async def state(
    m: CreateVmInstance,
    image: Image,
    offering: InstanceOffering | None,
    networks: list[L3Network],
    cloud: Cloud,
) -> None:
    """Whether everything that the request names is in a state to be used.

    Raises:
        InvalidArgument: something is disabled, not ready, or not fit for a VM.
    """
    refuse(
        *_image_faults(image),
        _disabled("instanceOfferingUuid", "instance offering", offering),
        *(_network_fault(network) for network in networks),
        _disabled("zoneUuid", "zone", await cloud.get(Zone, m.zone_uuid) if m.zone_uuid else None),
        _disabled("clusterUuid", "cluster", await cloud.get(Cluster, m.cluster_uuid) if m.cluster_uuid else None),
        _host_fault(await cloud.get(Host, m.host_uuid) if m.host_uuid else None),
    )
    await hostnames.refuse_taken(m.system_tags or (), {network.uuid for network in networks}, None, cloud)


def _image_faults(image: Image) -> Iterator[Fault | None]:
    if image.status is not ImageStatus.READY:
        yield Fault("imageUuid", f"image[{image.name}] is {image.status.value}; it must be Ready")
    yield _disabled("imageUuid", "image", image)
    if image.media_type is not MediaType.ROOT_VOLUME_TEMPLATE:
        yield Fault("imageUuid", f"image[{image.name}] is of type {image.media_type.value}, not RootVolumeTemplate")
    if image.system:
        yield Fault("imageUuid", f"image[{image.name}] is for the system's own use; choose another one")


def _disabled(field: str, kind: str, row: Image | InstanceOffering | Zone | Cluster | None) -> Fault | None:
    if row is None or row.state is OnOff.ENABLED:
        return None
    return Fault(field, f"{kind}[{row.name}] is Disabled; enable it first")


def _network_fault(network: L3Network) -> Fault | None:
    if network.system:
        return Fault("l3NetworkUuids", f"L3 network[{network.name}] is for the system's own use")
    if network.state is not OnOff.ENABLED:
        return Fault("l3NetworkUuids", f"L3 network[{network.name}] is Disabled; enable it first")
    return None


def _host_fault(host: Host | None) -> Fault | None:
    if host is None or (host.state, host.status) == (HostState.ENABLED, HostStatus.CONNECTED):
        return None
    return Fault(
        "hostUuid",
        f"host[{host.name}] is {host.state.value} and {host.status.value}; it must be Enabled and Connected",
    )


async def host_wish(
    vm: VmInstance,
    networks: list[L3Network],
    cloud: Cloud,
    *,
    prefer: str | None = None,
    storage: VolumeWish | None = None,
) -> HostWish:
    """What the VM needs of its host; `zone_uuid`, `cluster_uuid` and `host_uuid` of `vm` are wishes."""
    return HostWish(
        vm_uuid=vm.uuid,
        cpu=vm.cpu_num,
        memory=vm.memory_size,
        reserved_memory=cloud.configs.number("kvm.reservedMemory"),
        memory_ratio=cloud.configs.fraction("mevoco.overProvisioning.memory"),
        within_physical=cloud.configs.flag("hostAllocator.hostAllocator.checkHostMem"),
        reserve_levels=tuple(
            vo
            for vo, level in (("HostVO", "host"), ("ClusterVO", "cluster"), ("ZoneVO", "zone"))
            if cloud.configs.flag(f"hostAllocator.reservedCapacity.{level}Level")
        ),
        zone_uuid=vm.zone_uuid,
        cluster_uuid=vm.cluster_uuid,
        host_uuid=vm.host_uuid,
        clusters_by_need=await _clusters_by_need(networks, storage, cloud),
        prefer=prefer,
    )


async def _clusters_by_need(
    networks: list[L3Network], storage: VolumeWish | None, cloud: Cloud
) -> dict[str, tuple[str, ...]]:
    needs = {"a primary storage": await root_storage.clusters_of(storage, cloud)}
    for network in networks:
        refs = await cloud.find(L2NetworkClusterRef, l2_network_uuid=network.l2_network_uuid)
        needs[f"the L2 network of L3 network[{network.name}]"] = tuple(ref.cluster_uuid for ref in refs)
    return needs


def in_state(vm: VmInstance, operation: str, *allowed: VmState) -> None:
    """Whether a VM's state allows an operation.

    Raises:
        Conflict: with code ``VM.1010`` and the states that would.
    """
    if vm.state not in allowed:
        states = ", ".join(state.value for state in allowed)
        raise Conflict(
            f"current vm instance state[{vm.state.value}] doesn't allow to proceed message[{operation}], "
            f"allowed states are [{states}]",
            code="VM.1010",
        )
