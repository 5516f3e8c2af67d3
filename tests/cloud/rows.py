"""Rows for the tests of cloud folders, each complete but for what a test says; and a store that holds them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import zstack_appliance.cloud
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host, HostState, HostStatus
from zstack_appliance.cloud.host.simulated.schema import SimulatedHost
from zstack_appliance.cloud.image.schema import Image, ImageStatus, MediaType
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, IpRangeType, L3Network
from zstack_appliance.cloud.primary_storage.schema import (
    LocalStorageHostRef,
    PrimaryStorage,
    PrimaryStorageClusterRef,
    PrimaryStorageState,
    StorageStatus,
)
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmState
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.plugin import discover
from zstack_appliance.kernel.records import RECORDS
from zstack_appliance.kernel.schema import OnOff, Record
from zstack_appliance.kernel.store import Store
from zstack_appliance.kernel.world import TrioClock

R = TypeVar("R", bound=Record)
GIB = 2**30
EPOCH = 1_700_000_000_000

_numbers = itertools.count(1)


def uuid(label: str = "") -> str:
    """A uuid of its own; the same label gives the same one."""
    if label:
        return label.encode().hex()[:32].ljust(32, "0")
    return f"{next(_numbers):032x}"


def make(cls: type[R], defaults: dict[str, Any], changes: dict[str, Any]) -> R:
    """A row of a class: the defaults, changed."""
    common = {"uuid": uuid(), "create_date": EPOCH, "last_op_date": EPOCH}
    return cls(**{**common, **defaults, **changes})


def zone(**changes: Any) -> Zone:
    """A zone."""
    base = {"uuid": uuid("zone"), "name": "zone1", "state": OnOff.ENABLED, "type": "zstack", "is_default": True}
    return make(Zone, base, changes)


def cluster(**changes: Any) -> Cluster:
    """A cluster in the zone."""
    base = {
        "uuid": uuid("cluster"),
        "name": "cluster1",
        "zone_uuid": uuid("zone"),
        "hypervisor_type": "Simulator",
        "state": OnOff.ENABLED,
        "type": "zstack",
    }
    return make(Cluster, base, changes)


def host(name: str = "host1", **changes: Any) -> Host:
    """A connected host with 40 virtual CPUs and 8 GiB."""
    base = {
        "uuid": uuid(name),
        "name": name,
        "zone_uuid": uuid("zone"),
        "cluster_uuid": uuid("cluster"),
        "management_ip": name,
        "hypervisor_type": "Simulator",
        "state": HostState.ENABLED,
        "status": HostStatus.CONNECTED,
        "cpu_num": 4,
        "cpu_sockets": 1,
        "total_cpu_capacity": 40,
        "available_cpu_capacity": 40,
        "total_memory_capacity": 8 * GIB,
        "available_memory_capacity": 8 * GIB,
        "vm_count": 0,
        "simulated_cpus": 4,
        "simulated_memory": 8 * GIB,
    }
    return make(SimulatedHost, base, changes)


def primary_storage(name: str = "ps1", **changes: Any) -> PrimaryStorage:
    """A connected primary storage of 100 GiB."""
    base = {
        "uuid": uuid(name),
        "name": name,
        "zone_uuid": uuid("zone"),
        "url": f"/{name}",
        "type": "LocalStorage",
        "state": PrimaryStorageState.ENABLED,
        "status": StorageStatus.CONNECTED,
        "mount_path": f"/{name}",
        "total_capacity": 100 * GIB,
        "available_capacity": 100 * GIB,
        "total_physical_capacity": 100 * GIB,
        "available_physical_capacity": 100 * GIB,
        "system_used_capacity": 0,
    }
    return make(PrimaryStorage, base, changes)


def storage_on_cluster(name: str = "ps1", **changes: Any) -> PrimaryStorageClusterRef:
    """The storage serves the cluster."""
    base = {"primary_storage_uuid": uuid(name), "cluster_uuid": uuid("cluster")}
    return make(PrimaryStorageClusterRef, base, changes)


def share(storage: str = "ps1", on: str = "host1", size: int = 50 * GIB, **changes: Any) -> LocalStorageHostRef:
    """One host's share of a storage."""
    base = {
        "primary_storage_uuid": uuid(storage),
        "host_uuid": uuid(on),
        "total_capacity": size,
        "available_capacity": size,
        "total_physical_capacity": size,
        "available_physical_capacity": size,
    }
    return make(LocalStorageHostRef, base, changes)


def l2(name: str = "l2", **changes: Any) -> L2Network:
    """An L2 network inside the host."""
    base = {
        "uuid": uuid(name),
        "name": name,
        "zone_uuid": uuid("zone"),
        "physical_interface": "",
        "type": "L2NoVlanNetwork",
        "v_switch_type": "LinuxBridge",
    }
    return make(L2Network, base, changes)


def l3(name: str = "net1", **changes: Any) -> L3Network:
    """A private L3 network on the L2 network."""
    base = {
        "uuid": uuid(name),
        "name": name,
        "l2_network_uuid": uuid("l2"),
        "zone_uuid": uuid("zone"),
        "type": "L3BasicNetwork",
        "category": Category.PRIVATE,
        "state": OnOff.ENABLED,
        "system": False,
        "ip_version": 4,
        "enable_ipam": True,
    }
    return make(L3Network, base, changes)


def ip_range(first: int = 2, last: int = 254, **changes: Any) -> IpRange:
    """10.0.0.`first` to 10.0.0.`last`, of a /24 whose gateway is 10.0.0.1."""
    start = 10 << 24
    base = {
        "name": "range",
        "l3_network_uuid": uuid("net1"),
        "start_ip": f"10.0.0.{first}",
        "end_ip": f"10.0.0.{last}",
        "netmask": "255.255.255.0",
        "prefix_len": 24,
        "gateway": "10.0.0.1",
        "network_cidr": "10.0.0.0/24",
        "ip_version": 4,
        "ip_range_type": IpRangeType.NORMAL,
        "start_number": start + first,
        "end_number": start + last,
    }
    return make(IpRange, base, changes)


def image(**changes: Any) -> Image:
    """A Ready image of 1 GiB."""
    base = {
        "uuid": uuid("image"),
        "name": "tiny",
        "state": OnOff.ENABLED,
        "status": ImageStatus.READY,
        "size": GIB,
        "actual_size": GIB // 4,
        "media_type": MediaType.ROOT_VOLUME_TEMPLATE,
        "platform": "Linux",
        "format": "qcow2",
        "type": "zstack",
        "url": "http://mirror.example/tiny.qcow2",
        "system": False,
        "virtio": True,
    }
    return make(Image, base, changes)


def vm(name: str = "web", **changes: Any) -> VmInstance:
    """A stopped VM with one CPU and 128 MiB."""
    base = {
        "uuid": uuid(name),
        "name": name,
        "state": VmState.STOPPED,
        "type": "UserVm",
        "hypervisor_type": "KVM",
        "platform": "Linux",
        "cpu_num": 1,
        "cpu_speed": 0,
        "memory_size": 128 * 2**20,
        "reserved_memory_size": 0,
        "allocator_strategy": "LeastVmPreferredHostAllocatorStrategy",
    }
    return make(VmInstance, base, changes)


@asynccontextmanager
async def store_with(folder: Path, *rows: Record) -> AsyncIterator[Store]:
    """A store that knows every resource of the cloud and holds these rows."""
    plugins = discover(zstack_appliance.cloud.__name__)
    resources: tuple[type[Record], ...] = (*(cls for plugin in plugins for cls in plugin.resources), *RECORDS)
    clock = TrioClock(EPOCH)
    path = folder / "cloud.db"
    async with Store.open(path, resources, clock, sealer=_Plain(), threads=False, synchronous="OFF") as store:
        await store.write(lambda tx: [tx.insert(row) for row in rows])
        yield store


class _Plain:
    """Seals nothing."""

    def seal(self, plain: bytes) -> str:
        return plain.hex()

    def unseal(self, sealed: str) -> bytes:
        return bytes.fromhex(sealed)
