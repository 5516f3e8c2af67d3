"""From where each flow can start, and the call that runs it: `Scenario`, `SCENARIOS` and `scenarios_of`.

To add one: write a function ``async def name(world: World) -> Request`` that brings the cloud (a first cloud on
two simulated hosts) to where the flow can start and returns the API message that runs it, and list it in
`SCENARIOS` with the flow's name. Every proof of every step then follows by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.running import SimulatedCloud
from zstack_appliance.cloud.backup_storage.messages import AddLocalBackupStorage
from zstack_appliance.cloud.backup_storage.schema import BackupStorage
from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.host.simulated.messages import AddSimulatedHost
from zstack_appliance.cloud.image.messages import AddImage, DeleteImage, ExpungeImage
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l2_network.messages import (
    AttachL2NetworkToCluster,
    CreateL2NoVlanNetwork,
    DetachL2NetworkFromCluster,
)
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.messages import AddIpRangeByNetworkCidr, CreateL3Network
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.network_service.messages import (
    AttachNetworkServiceToL3Network,
    DetachNetworkServiceFromL3Network,
)
from zstack_appliance.cloud.network_service.schema import NetworkServiceProvider
from zstack_appliance.cloud.vm_instance.messages import (
    CreateVmInstance,
    DestroyVmInstance,
    ExpungeVmInstance,
    PauseVmInstance,
    RebootVmInstance,
    RecoverVmInstance,
    ResumeVmInstance,
    StartVmInstance,
    StopVmInstance,
)
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.principal import SYSTEM
from zstack_appliance.kernel.schema import Resource

R = TypeVar("R", bound=Resource)
MESSAGE_UUID = "0f" * 16
"""The resource that a scenario's create message makes."""


@dataclass(frozen=True)
class World:
    """A first cloud, in the words of a scenario."""

    cloud: SimulatedCloud

    async def call(self, message: Request[Any]) -> Any:
        """One API call by the administrator."""
        return await self.cloud.portal.serve(message, SYSTEM)

    def named(self, cls: type[R], name: str) -> R:
        """The resource of this name."""
        return self.cloud.kernel.store.find(cls, name=name)[0]

    def new_vm(self, name: str, **values: Any) -> CreateVmInstance:
        """A request for a tiny VM on ``net1``."""
        return CreateVmInstance(
            name=name,
            image_uuid=self.named(Image, "tiny").uuid,
            instance_offering_uuid=self.named(InstanceOffering, "tiny").uuid,
            l3_network_uuids=(self.named(L3Network, "net1").uuid,),
            **values,
        )

    async def vm(self) -> VmInstance:
        """A VM that runs."""
        made: VmInstance = await self.call(self.new_vm("vm"))
        return made


Prepare = Callable[[World], Awaitable[Request[Any]]]


@dataclass(frozen=True)
class Scenario:
    """One way to run one flow."""

    flow: str
    prepare: Prepare

    @property
    def name(self) -> str:
        """For people: the flow, and in which case if there are several."""
        return f"{self.flow}[{self.prepare.__name__}]"


async def first_vm(world: World) -> Request[Any]:
    """The image is in no cache yet; tags come along."""
    return world.new_vm(
        "new",
        resource_uuid=MESSAGE_UUID,
        system_tags=("hostname::web",),
        user_tags=("of the proof",),
    )


async def second_vm(world: World) -> Request[Any]:
    """The image is cached, and other VMs stand beside it."""
    await world.vm()
    await world.vm()
    return world.new_vm("new", resource_uuid=MESSAGE_UUID)


async def vm_created_stopped(world: World) -> Request[Any]:
    """A VM that is not to start."""
    return world.new_vm("new", resource_uuid=MESSAGE_UUID, strategy="CreateStopped")


async def stopped_vm(world: World) -> Request[Any]:
    """A VM that kept its address."""
    vm = await world.vm()
    await world.call(StopVmInstance(uuid=vm.uuid))
    return StartVmInstance(uuid=vm.uuid)


async def recovered_vm(world: World) -> Request[Any]:
    """A VM that lost its address when it was destroyed."""
    vm = await world.vm()
    await world.call(DestroyVmInstance(uuid=vm.uuid))
    await world.call(RecoverVmInstance(uuid=vm.uuid))
    return StartVmInstance(uuid=vm.uuid)


async def running_vm_to_stop(world: World) -> Request[Any]:
    """A VM that runs."""
    return StopVmInstance(uuid=(await world.vm()).uuid)


async def running_vm_to_reboot(world: World) -> Request[Any]:
    """A VM that runs."""
    return RebootVmInstance(uuid=(await world.vm()).uuid)


async def running_vm_to_pause(world: World) -> Request[Any]:
    """A VM that runs."""
    return PauseVmInstance(uuid=(await world.vm()).uuid)


async def paused_vm(world: World) -> Request[Any]:
    """A VM that is paused."""
    vm = await world.vm()
    await world.call(PauseVmInstance(uuid=vm.uuid))
    return ResumeVmInstance(uuid=vm.uuid)


async def running_vm_to_destroy(world: World) -> Request[Any]:
    """A VM that runs, beside another one."""
    await world.vm()
    return DestroyVmInstance(uuid=(await world.vm()).uuid)


async def stopped_vm_to_destroy(world: World) -> Request[Any]:
    """A VM that is still defined on its last host."""
    vm = await world.vm()
    await world.call(StopVmInstance(uuid=vm.uuid))
    return DestroyVmInstance(uuid=vm.uuid)


async def destroyed_vm(world: World) -> Request[Any]:
    """A VM that waits to be expunged."""
    vm = await world.vm()
    await world.call(DestroyVmInstance(uuid=vm.uuid))
    return ExpungeVmInstance(uuid=vm.uuid)


async def new_host(world: World) -> Request[Any]:
    """A third host in a cluster with networks and storage."""
    return AddSimulatedHost(
        resource_uuid=MESSAGE_UUID,
        name="host3",
        management_ip="simulated-3",
        cluster_uuid=world.named(Cluster, "cluster1").uuid,
        cpu_capacity=4,
        memory_capacity=8 * 2**30,
    )


async def new_image(world: World) -> Request[Any]:
    """An image with tags, to the one backup storage."""
    return AddImage(
        resource_uuid=MESSAGE_UUID,
        name="another",
        url=world.named(Image, "tiny").url,
        backup_storage_uuids=(world.named(BackupStorage, "bs1").uuid,),
        user_tags=("of the proof",),
    )


async def deleted_image(world: World) -> Request[Any]:
    """An image that a VM was made of."""
    await world.vm()
    image = world.named(Image, "tiny")
    await world.call(DeleteImage(uuid=image.uuid))
    return ExpungeImage(image_uuid=image.uuid)


async def new_l2(world: World) -> Request[Any]:
    """A network that no host has."""
    l2 = await world.call(
        CreateL2NoVlanNetwork(name="l2", zone_uuid=world.named(Zone, "zone1").uuid, physical_interface="")
    )
    return AttachL2NetworkToCluster(l2_network_uuid=l2.uuid, cluster_uuid=world.named(Cluster, "cluster1").uuid)


async def attached_l2(world: World) -> Request[Any]:
    """A network that every host has."""
    attach = await new_l2(world)
    assert isinstance(attach, AttachL2NetworkToCluster)
    await world.call(attach)
    return DetachL2NetworkFromCluster(l2_network_uuid=attach.l2_network_uuid, cluster_uuid=attach.cluster_uuid)


async def network_without_services(world: World) -> Request[Any]:
    """A second network on the bridge of ``net1``."""
    l2 = world.named(L2Network, "net1")
    l3 = await world.call(CreateL3Network(name="net2", l2_network_uuid=l2.uuid))
    await world.call(AddIpRangeByNetworkCidr(name="net2", l3_network_uuid=l3.uuid, network_cidr="10.9.0.0/24"))
    return AttachNetworkServiceToL3Network(l3_network_uuid=l3.uuid, network_services=_all_services(world))


async def network_with_services(world: World) -> Request[Any]:
    """A network whose router knows a VM."""
    await world.vm()
    l3 = world.named(L3Network, "net1")
    return DetachNetworkServiceFromL3Network(l3_network_uuid=l3.uuid, network_services=_all_services(world))


def _all_services(world: World) -> dict[str, list[str]]:
    provider = world.named(NetworkServiceProvider, "Namespace")
    return {provider.uuid: list(provider.network_service_types)}


async def new_backup_storage(world: World) -> Request[Any]:
    """A second one, in another folder."""
    return AddLocalBackupStorage(
        resource_uuid=MESSAGE_UUID,
        name="bs2",
        url="/second/backup",
        host_uuid=world.named(Host, "host1").uuid,
        user_tags=("of the proof",),
    )


SCENARIOS = (
    Scenario("vm_instance.create", first_vm),
    Scenario("vm_instance.create", second_vm),
    Scenario("vm_instance.create", vm_created_stopped),
    Scenario("vm_instance.start", stopped_vm),
    Scenario("vm_instance.start", recovered_vm),
    Scenario("vm_instance.stop", running_vm_to_stop),
    Scenario("vm_instance.reboot", running_vm_to_reboot),
    Scenario("vm_instance.pause", running_vm_to_pause),
    Scenario("vm_instance.resume", paused_vm),
    Scenario("vm_instance.destroy", running_vm_to_destroy),
    Scenario("vm_instance.destroy", stopped_vm_to_destroy),
    Scenario("vm_instance.expunge", destroyed_vm),
    Scenario("host.add", new_host),
    Scenario("image.add", new_image),
    Scenario("image.expunge", deleted_image),
    Scenario("l2_network.attach", new_l2),
    Scenario("l2_network.detach", attached_l2),
    Scenario("network_service.attach", network_without_services),
    Scenario("network_service.detach", network_with_services),
    Scenario("backup_storage.local.add", new_backup_storage),
)


def scenarios_of(flow: str) -> tuple[Scenario, ...]:
    """The scenarios of one flow; none is for `test_every_flow_has_a_scenario` to complain about."""
    return tuple(scenario for scenario in SCENARIOS if scenario.flow == flow)
