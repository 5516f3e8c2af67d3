"""What can be asked about VMs, and what they announce."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from zstack_appliance.cloud.cluster.schema import Cluster
from zstack_appliance.cloud.disk_offering.schema import DiskOffering
from zstack_appliance.cloud.host.messages import Placement
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.image.schema import Image
from zstack_appliance.cloud.instance_offering.schema import InstanceOffering
from zstack_appliance.cloud.l3_network.schema import L3Network
from zstack_appliance.cloud.primary_storage.schema import PrimaryStorage
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.cloud.zone.schema import Zone
from zstack_appliance.kernel.message import ADMIN, OWNER, Action, Create, Delete, Read, Request, Update, api
from zstack_appliance.kernel.schema import Name, Ref, Text, Timestamp, Uuid
from zstack_appliance.kernel.unserved import UNSERVED

Platform = Literal["Linux", "Windows", "Other", "Paravirtualization", "WindowsVirtio"]


@api("POST", "/vm-instances", access=OWNER, timeout=12 * 3600.0)
class CreateVmInstance(Create[VmInstance], frozen=True, kw_only=True):
    """Make a VM from an image, and by default start it.

    Its size comes from an instance offering or from `cpu_num` and `memory_size`; 0 means not given.
    """

    name: Name
    description: Text | None = None
    instance_offering_uuid: Annotated[Uuid | None, Ref(InstanceOffering)] = None
    cpu_num: int | None = None
    memory_size: int | None = None
    reserved_memory_size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    image_uuid: Annotated[Uuid | None, Ref(Image)] = None
    l3_network_uuids: Annotated[tuple[str, ...] | None, Ref(L3Network)] = None
    default_l3_network_uuid: Annotated[Uuid | None, Ref(L3Network)] = None
    type: Literal["UserVm"] = "UserVm"
    root_disk_offering_uuid: Annotated[Uuid | None, Ref(DiskOffering)] = None
    root_disk_size: int | None = None
    zone_uuid: Annotated[Uuid | None, Ref(Zone)] = None
    cluster_uuid: Annotated[Uuid | None, Ref(Cluster)] = None
    host_uuid: Annotated[Uuid | None, Ref(Host)] = None
    primary_storage_uuid_for_root_volume: Annotated[Uuid | None, Ref(PrimaryStorage)] = None
    strategy: Literal["InstantStart", "CreateStopped"] = "InstantStart"
    platform: Platform | None = None
    guest_os_type: Name | None = None
    architecture: Literal["x86_64"] | None = None
    data_disk_sizes: tuple[int, ...] | None = None
    data_disk_offering_uuids: Annotated[tuple[str, ...] | None, Ref(DiskOffering)] = None
    root_volume_system_tags: tuple[str, ...] | None = None
    data_volume_system_tags: tuple[str, ...] | None = None
    ssh_key_pair_uuids: tuple[str, ...] | None = None
    vm_nic_params: str | None = None
    data_volume_system_tags_on_index: Annotated[dict[str, list[str]], UNSERVED] | None = None
    disk_aos: Annotated[list[dict[str, Any]], UNSERVED] | None = msgspec.field(name="diskAOs", default=None)


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class StartVmInstance(Action[VmInstance], frozen=True, kw_only=True):
    """Start a stopped VM, on its last host if that has room, or where asked."""

    uuid: Annotated[Uuid, Ref(VmInstance)]
    cluster_uuid: Annotated[Uuid | None, Ref(Cluster)] = None
    host_uuid: Annotated[Uuid | None, Ref(Host)] = None


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class StopVmInstance(Action[VmInstance], frozen=True, kw_only=True):
    """Stop a VM: ``grace`` asks the guest first, ``cold`` pulls the plug."""

    uuid: Annotated[Uuid, Ref(VmInstance)]
    type: Literal["grace", "cold"] = "grace"
    stop_ha: Literal["true"] | None = msgspec.field(name="stopHA", default=None)
    """Tells ZStack to leave off keeping the VM alive; here nothing starts a stopped VM by itself."""


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class RebootVmInstance(Action[VmInstance], frozen=True, kw_only=True):
    """Restart a running VM on its host."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class PauseVmInstance(Action[VmInstance], frozen=True, kw_only=True):
    """Halt a running VM in memory."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class ResumeVmInstance(Action[VmInstance], frozen=True, kw_only=True):
    """Let a paused VM go on."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class UpdateVmInstance(Update[VmInstance], frozen=True, kw_only=True):
    """Change a VM's name, description, default network, or (while it is stopped) its size."""

    uuid: Annotated[Uuid, Ref(VmInstance)]
    name: Name | None = None
    description: Text | None = None
    default_l3_network_uuid: Annotated[Uuid | None, Ref(L3Network)] = None
    platform: Platform | None = None
    guest_os_type: Name | None = None
    cpu_num: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    memory_size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    reserved_memory_size: Annotated[int, msgspec.Meta(ge=0)] | None = None
    state: Annotated[Literal["Stopped", "Running"], UNSERVED] | None = None


@api("DELETE", "/vm-instances/{uuid}", access=OWNER, reply=None)
class DestroyVmInstance(Delete, frozen=True, kw_only=True):
    """Destroy a VM. By the default policy it can be recovered until it is expunged."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER)
class RecoverVmInstance(Action[VmInstance], frozen=True, kw_only=True):
    """Bring a destroyed VM back, stopped."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


@api("PUT", "/vm-instances/{uuid}/actions", access=OWNER, reply=None)
class ExpungeVmInstance(Action[None], frozen=True, kw_only=True):
    """Remove a destroyed VM and its root volume for good."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


class ConsoleAddress(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where a VM's display is served."""

    host_ip: str
    port: int
    protocol: str


@api("GET", "/vm-instances/{uuid}/console-addresses", access=OWNER, sync=True, reply=None)
class GetVmConsoleAddress(Read[ConsoleAddress], frozen=True, kw_only=True):
    """Where the display of a running VM is served, seen from its host."""

    uuid: Annotated[Uuid, Ref(VmInstance)]


class Console(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A way to a VM's display or serial port: a WebSocket at ``/console/ws?token=``."""

    scheme: str
    """Of the appliance's own door; a WebSocket has ``ws`` for ``http`` and ``wss`` for ``https``."""
    target_scheme: str
    hostname: str
    port: int
    token: str
    version: str
    expired_date: Timestamp


@api("POST", "/consoles", access=OWNER, wire="org.zstack.header.console", target=VmInstance)
class RequestConsoleAccess(Request[Console], frozen=True, kw_only=True):
    """Ask for a ticket to a running VM's display, or to its serial port. It opens one connection."""

    vm_instance_uuid: Annotated[Uuid, Ref(VmInstance)]
    target_scheme: Literal["vnc", "serial"] = "vnc"


class Placements(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where a VM could go."""

    accepted: int
    """Hosts that would take it."""
    rejected: int
    """Hosts that would not."""
    chosen: Uuid | None = None
    """The host that it would be put on now; absent when none takes it."""
    placements: tuple[Placement, ...]
    """The hosts: first those that would take it, the chosen one ahead."""


@api("GET", "/appliance/placements", access=ADMIN, sync=True, reply=None, wire="org.zstack.appliance")
class GetPlacements(Read[Placements], frozen=True, kw_only=True):
    """Where a VM would go if it were created so now, and why not elsewhere. Nothing is reserved.

    The parameters mean what they do when a VM is created.
    """

    instance_offering_uuid: Annotated[Uuid | None, Ref(InstanceOffering)] = None
    cpu_num: int | None = None
    memory_size: int | None = None
    image_uuid: Annotated[Uuid | None, Ref(Image)] = None
    l3_network_uuids: Annotated[tuple[str, ...] | None, Ref(L3Network)] = None
    default_l3_network_uuid: Annotated[Uuid | None, Ref(L3Network)] = None
    root_disk_offering_uuid: Annotated[Uuid | None, Ref(DiskOffering)] = None
    root_disk_size: int | None = None
    zone_uuid: Annotated[Uuid | None, Ref(Zone)] = None
    cluster_uuid: Annotated[Uuid | None, Ref(Cluster)] = None
    host_uuid: Annotated[Uuid | None, Ref(Host)] = None
    primary_storage_uuid_for_root_volume: Annotated[Uuid | None, Ref(PrimaryStorage)] = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 50
    """Hosts that are listed; all of them are counted."""


class SyncVm(Action[VmInstance | None], frozen=True, kw_only=True):
    """A host reports a VM in a state of its own accord; bring the record in line with what is true.

    None answers that the VM has been removed meanwhile.
    """

    uuid: Uuid
    host_uuid: Uuid
    state: str


class RemoveVm(Request[None], frozen=True, kw_only=True):
    """What the VM needs goes for good: destroy and expunge it, whatever the deletion policy.

    `force` removes a VM whose host does not answer from the records alone.
    """

    uuid: Uuid
    force: bool = False


class LeaveHost(Request[None], frozen=True, kw_only=True):
    """The VM's host goes: stop the VM, by pulling the plug; if the host does not answer, in the records alone."""

    uuid: Uuid


class TakeNicAway(Request[None], frozen=True, kw_only=True):
    """The NIC's network, or its address, goes: take it from its VM.

    A running guest keeps the device until it stops, so it takes `force` to do that to one.
    """

    uuid: Uuid
    vm_instance_uuid: Uuid
    force: bool = False
