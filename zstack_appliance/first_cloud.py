"""The first cloud: what a fresh appliance makes of itself, so that a VM can be created at once.

Primitives: `FirstCloud` (what to make) and `make_first_cloud`. It calls the same APIs as everybody, as the
administrator, and finds each thing by name before it makes it: interrupted anywhere, the next start goes on.
Once it is complete a file says so, and what an administrator deletes later stays deleted.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import trio

from zstack_appliance.appliance import Appliance
from zstack_appliance.cloud.account.messages import ShareResource
from zstack_appliance.cloud.backup_storage.messages import AddLocalBackupStorage, AttachBackupStorageToZone
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.cluster.messages import CreateCluster
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.disk_offering.messages import CreateDiskOffering
from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.global_config.messages import UpdateGlobalConfig
from zstack_appliance.cloud.host.kvm.messages import AddKvmHost
from zstack_appliance.cloud.host.messages import AwaitHosts
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.messages import AddSimulatedHost
from zstack_appliance.cloud.image.messages import AddImage
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.messages import CreateInstanceOffering
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l2_network.messages import AttachL2NetworkToCluster, CreateL2NoVlanNetwork
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.messages import AddDnsToL3Network, AddIpRangeByNetworkCidr, CreateL3Network
from zstack_appliance.cloud.l3_network.schema import Category, IpRange, L3Network
from zstack_appliance.cloud.network_service.messages import AttachNetworkServiceToL3Network
from zstack_appliance.cloud.network_service.schema import NetworkServiceProvider
from zstack_appliance.cloud.primary_storage.messages import AddLocalPrimaryStorage, AttachPrimaryStorageToCluster
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage
from zstack_appliance.cloud.zone.messages import CreateZone
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import Create, Request
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.schema import Resource

log = logging.getLogger(__name__)

R = TypeVar("R", bound=Resource)
MIB = 2**20

OFFERINGS = (("tiny", 1, 128 * MIB), ("small", 1, 512 * MIB), ("medium", 2, 2048 * MIB))
"""Name, virtual CPUs, bytes of memory."""

_PARALLEL_HOSTS = 16
"""Simulated hosts added at once."""


@dataclass(frozen=True, kw_only=True)
class FirstCloud:
    """What to make.

    Args:
        folder: the data folder.
        image: path of the ``tiny`` image; below one of `image_folders`.
        image_folders: what ``file:`` URLs of images may point below.
        public_cidr: the network of ``public1``.
        private_cidr: the network of ``net1``.
        dns: name servers that ``net1``'s router asks.
        simulated_hosts: how many; 0 means the local machine by KVM.
        simulated_cpus: threads of each simulated host.
        simulated_memory: bytes of each simulated host.
    """

    folder: Path
    image: Path
    image_folders: tuple[Path, ...]
    public_cidr: str
    private_cidr: str
    dns: tuple[str, ...]
    simulated_hosts: int = 0
    simulated_cpus: int = 64
    simulated_memory: int = 512 * 2**30


def is_made(folder: Path) -> bool:
    """Whether the first cloud of a data folder is complete: then nothing needs to be looked up for it.

    One look at a name takes no thread, whose slowness a virtual clock would take for idleness.
    """
    return _mark(folder).exists()


async def make_first_cloud(appliance: Appliance, wish: FirstCloud) -> None:
    """Make what is missing.

    Raises:
        CloudError: something could not be made; the text says what.
    """
    if is_made(wish.folder):
        return
    maker = _Maker(appliance)
    zone = await maker.have(Zone, CreateZone(name="zone1", is_default=True))
    cluster = await maker.have(
        Cluster,
        CreateCluster(
            name="cluster1",
            zone_uuid=zone.uuid,
            hypervisor_type="Simulator" if wish.simulated_hosts else "KVM",
        ),
    )
    await _networks(maker, wish, zone, cluster)
    host = await _hosts(maker, wish, cluster)
    await _storages(maker, wish, zone, cluster, host)
    await _offerings(maker)
    # A host that was just added is connected once more by whoever watches it, and takes no router meanwhile.
    await appliance.kernel.as_system().call(AwaitHosts())
    await _net1(maker, wish)
    await _share(maker)
    _note(wish.folder)


def _note(folder: Path) -> None:
    _mark(folder).touch()


def _mark(folder: Path) -> Path:
    """The file that says that everything has been made."""
    return folder / "first-cloud-made"


async def _hosts(maker: _Maker, wish: FirstCloud, cluster: Cluster) -> Host:
    if not wish.simulated_hosts:
        # The login is unused: the local host's agent runs in this process.
        return await maker.have(
            Host,
            AddKvmHost(
                name="host1", management_ip="127.0.0.1", cluster_uuid=cluster.uuid, username="root", password=""
            ),
        )
    limiter = trio.CapacityLimiter(_PARALLEL_HOSTS)

    async def add(number: int) -> None:
        async with limiter:
            await maker.have(
                Host,
                AddSimulatedHost(
                    name=f"host{number}",
                    management_ip=f"simulated-{number}",
                    cluster_uuid=cluster.uuid,
                    cpu_capacity=wish.simulated_cpus,
                    memory_capacity=wish.simulated_memory,
                ),
            )

    async with trio.open_nursery() as nursery:
        for number in range(1, wish.simulated_hosts + 1):
            nursery.start_soon(add, number)
    return maker.find(Host, "host1")


async def _networks(maker: _Maker, wish: FirstCloud, zone: Zone, cluster: Cluster) -> None:
    for name, category, cidr in (
        ("public1", Category.PUBLIC, wish.public_cidr),
        ("net1", Category.PRIVATE, wish.private_cidr),
    ):
        l2 = await maker.have(L2Network, CreateL2NoVlanNetwork(name=name, zone_uuid=zone.uuid, physical_interface=""))
        await maker.call(AttachL2NetworkToCluster(l2_network_uuid=l2.uuid, cluster_uuid=cluster.uuid))
        l3 = await maker.have(L3Network, CreateL3Network(name=name, l2_network_uuid=l2.uuid, category=category))
        await maker.have(IpRange, AddIpRangeByNetworkCidr(name=name, l3_network_uuid=l3.uuid, network_cidr=cidr))
        for server in wish.dns:
            await maker.call(AddDnsToL3Network(l3_network_uuid=l3.uuid, dns=server))


async def _storages(maker: _Maker, wish: FirstCloud, zone: Zone, cluster: Cluster, host: Host) -> None:
    primary = await maker.have(
        PrimaryStorage,
        AddLocalPrimaryStorage(name="ps1", url=str(wish.folder / "primary"), zone_uuid=zone.uuid),
    )
    await maker.call(AttachPrimaryStorageToCluster(cluster_uuid=cluster.uuid, primary_storage_uuid=primary.uuid))
    backup = await maker.have(
        BackupStorage, AddLocalBackupStorage(name="bs1", url=str(wish.folder / "backup"), host_uuid=host.uuid)
    )
    await maker.call(AttachBackupStorageToZone(zone_uuid=zone.uuid, backup_storage_uuid=backup.uuid))
    await maker.call(
        UpdateGlobalConfig(
            category="image",
            name="download.localPath.directories",
            value=";".join(str(folder) for folder in wish.image_folders),
        )
    )
    await maker.have(
        Image,
        AddImage(
            name="tiny",
            description="A small Linux for a first look: serial shell, SSH, a web page",
            url=f"file://{wish.image}",
            backup_storage_uuids=(backup.uuid,),
        ),
    )


async def _offerings(maker: _Maker) -> None:
    for name, cpus, memory in OFFERINGS:
        await maker.have(InstanceOffering, CreateInstanceOffering(name=name, cpu_num=cpus, memory_size=memory))
    await maker.have(DiskOffering, CreateDiskOffering(name="disk-1g", disk_size=2**30))


async def _net1(maker: _Maker, wish: FirstCloud) -> None:
    provider = maker.find(NetworkServiceProvider, "Namespace")
    await maker.call(
        AttachNetworkServiceToL3Network(
            l3_network_uuid=maker.find(L3Network, "net1").uuid,
            network_services={provider.uuid: list(provider.network_service_types)},
        )
    )


async def _share(maker: _Maker) -> None:
    """Let every account make a VM: with the image, the offerings and the private network."""
    offerings = [maker.find(InstanceOffering, name) for name, _, _ in OFFERINGS]
    rows = (*offerings, maker.find(DiskOffering, "disk-1g"), maker.find(Image, "tiny"), maker.find(L3Network, "net1"))
    await maker.call(ShareResource(resource_uuids=tuple(row.uuid for row in rows), to_public=True))


class _Maker:
    """Calls APIs as the administrator; makes by name what is not there yet."""

    def __init__(self, appliance: Appliance) -> None:
        self._portal = appliance.portal
        self._store = appliance.kernel.store

    async def call(self, message: Request[Any]) -> Any:
        """One API call."""
        return await self._portal.serve(message, SYSTEM)

    async def have(self, cls: type[R], message: Create[R]) -> R:
        """The resource with the message's name, made by the message if there is none."""
        name: str = message.name  # type: ignore[attr-defined]
        found = self._store.find(cls, name=name)
        if found:
            return found[0]
        log.info("making %s %s", cls.__name__, name)
        made: R = await self._portal.serve(message, SYSTEM)
        return made

    def find(self, cls: type[R], name: str) -> R:
        """The resource of this name, which exists."""
        return self._store.find(cls, name=name)[0]
