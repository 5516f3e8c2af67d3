"""Start a stopped VM."""

from __future__ import annotations

import msgspec

from zstack_appliance.cloud.host.ledger import place, vacate
from zstack_appliance.cloud.host.messages import AwaitHosts, HostWish
from zstack_appliance.cloud.l3_network.ledger import AddressWish
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.vm_instance import checks, hypervisor, nics
from zstack_appliance.cloud.vm_instance.messages import StartVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Context, Flow, Step
from zstack_appliance.kernel.plugin import handles
from zstack_appliance.kernel.store import Tx
from zstack_appliance.kernel.tag import SystemTagRow


class StartingVm(Context):
    """The VM as it was and as it becomes."""

    before: VmInstance
    vm: VmInstance
    nics: tuple[VmNic, ...]
    addresses: tuple[AddressWish, ...]
    host: HostWish


START = Flow("vm_instance.start", StartingVm, lambda: (
    Step("begin", tx=begin, undo_tx=put_back),
    Step("allocate_host", tx=allocate_host, undo_tx=return_host),
    Step("renew_addresses", tx=renew_addresses, undo_tx=give_up_new_addresses),
    Step("serve_nics", do=serve_nics, undo=stop_serving_new_nics),
    Step("start_on_hypervisor", do=start_on_hypervisor, undo=remove_from_hypervisor),
    Step("settle", tx=settle, keeps="`begin` puts the row back"),
))  # fmt: skip


@handles(StartVmInstance, queue=lambda m: VmInstance.key(m.uuid))
async def start(m: StartVmInstance, cloud: Cloud) -> VmInstance:
    """Serve `StartVmInstance`."""
    vm = await cloud.get(VmInstance, m.uuid)
    if vm.state is VmState.RUNNING:
        return vm
    checks.in_state(vm, "APIStartVmInstanceMsg", VmState.STOPPED, VmState.CREATED)
    await cloud.call(AwaitHosts())
    vm_nics = tuple(sorted(await cloud.find(VmNic, vm_instance_uuid=vm.uuid), key=lambda nic: nic.device_id))
    tags = [row.tag for row in await cloud.find(SystemTagRow, resource_uuid=vm.uuid)]
    done = await cloud.run(
        START,
        StartingVm(
            before=vm,
            vm=vm,
            nics=vm_nics,
            addresses=nics.wishes(vm_nics, tags, cloud),
            host=await host_wish(m, vm, vm_nics, cloud),
        ),
    )
    return done.vm


async def host_wish(m: StartVmInstance, vm: VmInstance, vm_nics: tuple[VmNic, ...], cloud: Cloud) -> HostWish:
    """Where the VM may start: where its volumes are reached from, its last host first.

    Raises:
        Conflict: it was asked onto a host that cannot reach its volumes, or they went with a deleted host.
    """
    networks = [await cloud.get(L3Network, nic.l3_network_uuid) for nic in vm_nics]
    volumes = await cloud.find(Volume, vm_instance_uuid=vm.uuid)
    lost = next((volume for volume in volumes if volume.install_path and not volume.host_uuid), None)
    if lost is not None:
        # Every primary storage of this version is local to hosts.
        raise Conflict(f"volume[{lost.name}] of the VM lay on a host that has been deleted; destroy the VM")
    tied_to = next((volume.host_uuid for volume in volumes if volume.host_uuid), None)
    if m.host_uuid and tied_to and m.host_uuid != tied_to:
        raise Conflict(f"the VM's volumes lie on host[{tied_to}]; it can start only there")
    wished = msgspec.structs.replace(vm, zone_uuid=None, cluster_uuid=m.cluster_uuid, host_uuid=m.host_uuid or tied_to)
    return await checks.host_wish(wished, networks, cloud, prefer=vm.last_host_uuid)


def begin(tx: Tx, d: StartingVm) -> None:
    """Say that the VM starts."""
    d.vm = tx.update(tx.require(VmInstance, d.vm.uuid), state=VmState.STARTING)


def put_back(tx: Tx, d: StartingVm) -> None:
    """Undo `begin` and what later steps changed of the row."""
    tx.update(
        tx.require(VmInstance, d.vm.uuid),
        state=d.before.state,
        zone_uuid=d.before.zone_uuid,
        cluster_uuid=d.before.cluster_uuid,
        host_uuid=d.before.host_uuid,
        last_host_uuid=d.before.last_host_uuid,
    )


def allocate_host(tx: Tx, d: StartingVm) -> None:
    """Choose a host and charge it."""
    host = place(tx, d.host)
    d.vm = tx.update(
        d.vm,
        zone_uuid=host.zone_uuid,
        cluster_uuid=host.cluster_uuid,
        host_uuid=host.uuid,
        last_host_uuid=host.uuid,
    )


def return_host(tx: Tx, d: StartingVm) -> None:
    """Undo `allocate_host`."""
    vacate(tx, d.vm.uuid)


def renew_addresses(tx: Tx, d: StartingVm) -> None:
    """Take addresses for NICs that lost theirs when the VM was destroyed."""
    nics.renew_addresses(tx, d.nics, d.addresses)


def give_up_new_addresses(tx: Tx, d: StartingVm) -> None:
    """Undo `renew_addresses`."""
    nics.give_up_addresses(tx, newly_addressed(d))


async def serve_nics(d: StartingVm, cloud: Cloud) -> None:
    """Have each NIC's network know it."""
    await nics.serve(d.nics, cloud)


async def stop_serving_new_nics(d: StartingVm, cloud: Cloud) -> None:
    """Undo `serve_nics`, for the NICs that were not served before."""
    await nics.stop_serving(newly_addressed(d), cloud)


def newly_addressed(d: StartingVm) -> tuple[VmNic, ...]:
    """The NICs that had no address when the flow began."""
    return tuple(nic for nic in d.nics if nic.used_ip_uuid is None)


async def start_on_hypervisor(d: StartingVm, cloud: Cloud) -> None:
    """Have the VM running on its host."""
    await hypervisor.start(d.vm, d.vm.host_uuid or "", cloud)


async def remove_from_hypervisor(d: StartingVm, cloud: Cloud) -> None:
    """Undo `start_on_hypervisor`."""
    await hypervisor.remove(d.vm.uuid, d.vm.host_uuid or "", cloud)


def settle(tx: Tx, d: StartingVm) -> None:
    """Write down that the VM runs."""
    d.vm = tx.update(d.vm, state=VmState.RUNNING)
