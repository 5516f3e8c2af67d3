"""Create a VM instance."""

from __future__ import annotations

import msgspec

from zstack_appliance.cloud.host.ledger import place, vacate
from zstack_appliance.cloud.host.messages import AwaitHosts, HostWish
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.ledger import AddressWish
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.primary_storage.driver import VolumeBits
from zstack_appliance.cloud.primary_storage.ledger import VolumeWish, promise_space, return_space
from zstack_appliance.cloud.primary_storage.messages import InstantiateRootVolume, RemoveVolumeBits
from zstack_appliance.cloud.vm_instance import checks, hypervisor, nics, root_storage
from zstack_appliance.cloud.vm_instance.draft import draft_nics, draft_root_volume, draft_vm
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.cloud.volume.schema import Volume, VolumeStatus
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import refuse
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.removal import remove
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tags import Tagging, attach, draft_tags


class NewVm(Context):
    """What the steps share: the rows as they will be, and what is wished for them."""

    vm: VmInstance
    root: Volume
    nics: tuple[VmNic, ...]
    addresses: tuple[AddressWish, ...]
    tags: Tagging
    host: HostWish
    storage: VolumeWish
    start: bool
    bits: VolumeBits | None = None


CREATE = Flow("vm_instance.create", NewVm, lambda: (
    Step("record", tx=record, undo_tx=forget),
    Step("allocate_host", tx=allocate_host, undo_tx=return_host),
    Step("allocate_primary_storage", tx=allocate_storage, undo_tx=return_storage),
    Step("allocate_nics", tx=allocate_nics, undo_tx=release_nics),
    Step("create_root_volume", do=create_root_volume, undo=delete_root_volume),
    Step("volume_ready", tx=volume_ready, keeps="`record` takes the row back"),
    Step("introduce_nics", tx=introduce_nics, with_next=True, keeps="`serve_nics` takes them back"),
    Step("serve_nics", do=serve_nics, undo=stop_serving_nics),
    Step("start_on_hypervisor", do=start_on_hypervisor, undo=remove_from_hypervisor),
    Step("settle", tx=settle, with_next=True, keeps="`record` takes the row back"),
))  # fmt: skip


@handles(CreateVmInstance, queue=lambda m: VmInstance.key(m.resource_uuid))
async def create(m: CreateVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `CreateVmInstance`."""
    refuse(*checks.arguments(m))  # the arguments: pure
    image = await cloud.get(Image, m.image_uuid or "")
    offering = await cloud.get(InstanceOffering, m.instance_offering_uuid) if m.instance_offering_uuid else None
    networks = [await cloud.get(L3Network, uuid) for uuid in m.l3_network_uuids or ()]
    await checks.state(m, image, offering, networks, cloud)  # the state of what they name
    await cloud.call(AwaitHosts())
    return (await cloud.run(CREATE, await draft(m, image, offering, networks, cloud))).vm  # act


async def draft(
    m: CreateVmInstance,
    image: Image,
    offering: InstanceOffering | None,
    networks: list[L3Network],
    cloud: Cloud,
) -> NewVm:
    """Everything that the steps will write, with all random values drawn."""
    vm = draft_vm(m, image, offering, cloud)
    root = await draft_root_volume(m, vm, image, cloud)
    vm_nics = draft_nics(vm, networks, cloud.entropy, nics.custom_macs(m.system_tags or ()))
    storage = await root_storage.storage_wish(m, root, cloud)
    return NewVm(
        vm=vm,
        root=root,
        nics=vm_nics,
        addresses=nics.wishes(vm_nics, m.system_tags or (), cloud),
        tags=draft_tags(m, vm, cloud),
        host=await checks.host_wish(vm, networks, cloud, storage=storage),
        storage=storage,
        start=m.strategy == "InstantStart",
    )


def record(tx: Tx, d: NewVm) -> None:
    """Write the VM down, with its tags and its root volume."""
    state = VmState.STARTING if d.start else VmState.CREATED
    d.vm = tx.insert(msgspec.structs.replace(d.vm, state=state, zone_uuid=None, cluster_uuid=None, host_uuid=None))
    attach(tx, d.tags)
    d.root = tx.insert(d.root)


def forget(tx: Tx, d: NewVm) -> None:
    """Undo `record`."""
    tx.delete(Volume, d.root.uuid)
    remove(tx, VmInstance, d.vm.uuid)


def allocate_host(tx: Tx, d: NewVm) -> None:
    """Choose a host and charge it."""
    host = place(tx, d.host)
    d.vm = tx.update(
        d.vm,
        zone_uuid=host.zone_uuid,
        cluster_uuid=host.cluster_uuid,
        host_uuid=host.uuid,
        last_host_uuid=host.uuid,
    )


def return_host(tx: Tx, d: NewVm) -> None:
    """Undo `allocate_host`."""
    vacate(tx, d.vm.uuid)


def allocate_storage(tx: Tx, d: NewVm) -> None:
    """Choose a primary storage for the root volume and charge it."""
    storage = promise_space(tx, d.storage, host_uuid=d.vm.host_uuid or "")
    d.root = tx.update(d.root, primary_storage_uuid=storage.uuid, host_uuid=d.vm.host_uuid)


def return_storage(tx: Tx, d: NewVm) -> None:
    """Undo `allocate_storage`."""
    return_space(tx, d.root.uuid)


def allocate_nics(tx: Tx, d: NewVm) -> None:
    """Take an address for each NIC and write the NICs down."""
    d.nics = nics.record(tx, d.nics, d.addresses)


def release_nics(tx: Tx, d: NewVm) -> None:
    """Undo `allocate_nics`."""
    nics.forget(tx, d.nics)


async def create_root_volume(d: NewVm, cloud: Cloud) -> None:
    """Have the bits of the root volume on its storage."""
    d.bits = await cloud.call(InstantiateRootVolume(volume_uuid=d.root.uuid))


async def delete_root_volume(d: NewVm, cloud: Cloud) -> None:
    """Undo `create_root_volume`."""
    await cloud.call(RemoveVolumeBits(volume_uuid=d.root.uuid))


def volume_ready(tx: Tx, d: NewVm) -> None:
    """Write down where the bits are."""
    assert d.bits is not None
    d.root = tx.update(
        d.root,
        status=VolumeStatus.READY,
        install_path=d.bits.install_path,
        format=d.bits.format,
        size=d.bits.virtual_size,
        actual_size=d.bits.actual_size,
        last_attach_date=tx.now,
    )


def introduce_nics(tx: Tx, d: NewVm) -> None:
    """Say that the networks are to know the NICs.

    Not before their own turn: whenever a network is served, so are all the NICs that it is to know. If this
    VM failed before `serve_nics`, nobody would have the network forget it again.
    """
    nics.mark(tx, d.nics, served=True)


async def serve_nics(d: NewVm, cloud: Cloud) -> None:
    """Have each NIC's network know it."""
    await nics.serve(d.nics, cloud)


async def stop_serving_nics(d: NewVm, cloud: Cloud) -> None:
    """Undo `serve_nics`: the networks forget the NICs while their rows, and so their addresses, still stand."""
    await nics.stop_serving(d.nics, cloud)


async def start_on_hypervisor(d: NewVm, cloud: Cloud) -> None:
    """Have the VM running on its host, unless it was to be created stopped."""
    if d.start:
        await hypervisor.start(d.vm, d.vm.host_uuid or "", cloud)


async def remove_from_hypervisor(d: NewVm, cloud: Cloud) -> None:
    """Undo `start_on_hypervisor`."""
    await hypervisor.remove(d.vm.uuid, d.vm.host_uuid or "", cloud)


def settle(tx: Tx, d: NewVm) -> None:
    """Write down that the VM runs; one that was created stopped gives its place on the host back."""
    if d.start:
        d.vm = tx.update(d.vm, state=VmState.RUNNING)
        return
    vacate(tx, d.vm.uuid)
    d.vm = tx.update(d.vm, state=VmState.STOPPED, host_uuid=None)
