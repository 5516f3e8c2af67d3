"""What can be asked of hosts, and what they announce."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from trio.abc import Stream

from zstack_appliance.cloud.host.driver import OpenChannel
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.message import ADMIN, Action, Delete, Event, Hook, Read, Request, Update, api
from zstack_appliance.kernel.remote import Command
from zstack_appliance.kernel.schema import Name, Ref, Text, Uuid
from zstack_appliance.kernel.unserved import UNSERVED

Reply = TypeVar("Reply")


@api("PUT", "/hosts/{uuid}/actions", access=ADMIN)
class UpdateHost(Update[Host], frozen=True, kw_only=True):
    """Change a host's name or description."""

    uuid: Annotated[Uuid, Ref(Host)]
    name: Name | None = None
    description: Text | None = None
    management_ip: Annotated[str, msgspec.Meta(max_length=255), UNSERVED] | None = None


@api("PUT", "/hosts/{uuid}/actions", access=ADMIN)
class ChangeHostState(Action[Host], frozen=True, kw_only=True):
    """Enable a host, keep new VMs off it, or empty it for maintenance."""

    uuid: Annotated[Uuid, Ref(Host)]
    state_event: Literal["enable", "disable", "maintain"]


@api("PUT", "/hosts/{uuid}/actions", access=ADMIN)
class ReconnectHost(Action[Host], frozen=True, kw_only=True):
    """Connect to a host anew, and compare what runs there with what is recorded."""

    uuid: Annotated[Uuid, Ref(Host)]


@api("DELETE", "/hosts/{uuid}", access=ADMIN, reply=None)
class DeleteHost(Delete, frozen=True, kw_only=True):
    """Take a host out of the cloud. Its VMs are stopped."""

    uuid: Annotated[Uuid, Ref(Host)]


class TakeOverHost(Request[None], frozen=True, kw_only=True):
    """Look after a Connected host that another node has looked after: reach it, and compare its VMs."""

    uuid: Uuid


class OnHost(Request[Reply], Generic[Reply], frozen=True, kw_only=True):
    """Have a connected host carry out a command. A host serves ``kvm.host.syncLevel`` of them at once.

    Raises `Unavailable` with code ``HOST.1010`` when the host does not answer.
    """

    host_uuid: Uuid
    command: Command[Reply]
    report: Report | None = None


class OpenOnHost(Request[Stream], frozen=True, kw_only=True):
    """Connect with a VM on a connected host; whoever asks closes the stream. It raises as `OnHost` does."""

    host_uuid: Uuid
    wish: OpenChannel


class AwaitHosts(Request[None], frozen=True, kw_only=True):
    """Wait until no host is Connecting, at most 30 s: a VM asked for at start-up is not refused for haste."""


class PrepareHost(Hook[None], frozen=True, kw_only=True):
    """A host answers, but takes no VM yet: make on it what VMs will need. An error keeps it Disconnected."""

    host: Host


class HostLeaving(Hook[None], frozen=True, kw_only=True):
    """A host goes, or was never ready: forget it, and take back what was made on it. Asked twice is once."""

    host: Host


class HostConnected(Event, frozen=True, kw_only=True):
    """A host is ready for VMs; `vms` is what runs on it, by uuid.

    `booted` says that it was started anew since it was connected last, so that what ran there has gone.
    """

    host: Host
    vms: dict[str, str]
    booted: bool = False


class VmsListed(Event, frozen=True, kw_only=True):
    """What runs on a connected host now, by uuid; told after each ping if ``kvm.vmSyncOnHostPing`` says so."""

    host: Host
    vms: dict[str, str]


class HostLost(Event, frozen=True, kw_only=True):
    """A host does not answer any more; what its VMs do is unknown."""

    host: Host


class VmReported(Event, frozen=True, kw_only=True):
    """A host says that a VM came into a state (`VmState` of the host driver), by our doing or not."""

    host_uuid: Uuid
    vm_uuid: Uuid
    state: str
    reason: str


class HostLeftover(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something of ours on a host that no record accounts for, or that a record wants and the host has not."""

    kind: str
    """What it is: ``domain``, ``volume``, ``bridge``, ``namespace``, …"""
    name: str
    problem: str
    """``orphan`` or ``missing``."""


class Orphans(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """In what hosts and records differ; empty when they agree."""

    orphans: tuple[HostLeftover, ...]


@api("GET", "/appliance/orphans", access=ADMIN, sync=True, reply=None, wire="org.zstack.appliance", target=Host)
class ListOrphans(Read[Orphans], frozen=True, kw_only=True):
    """Compare what is on every host with the records. It takes as long as the slowest host."""


class InspectHost(Hook[tuple[HostLeftover, ...]], frozen=True, kw_only=True):
    """Each plugin compares what of its kind is on a host with the records, for ``doctor --orphans``."""

    host: Host


def differences(kind: str, there: Iterable[str], wanted: Iterable[str]) -> tuple[HostLeftover, ...]:
    """What is there and not wanted, then what is wanted and not there, each ordered by name."""
    found, expected = set(there), set(wanted)
    return (
        *(HostLeftover(kind=kind, name=name, problem="orphan") for name in sorted(found - expected)),
        *(HostLeftover(kind=kind, name=name, problem="missing") for name in sorted(expected - found)),
    )


def on_host(host_uuid: str, command: Command[Reply]) -> OnHost[Reply]:
    """``OnHost`` with its reply type inferred from the command."""
    return OnHost[Any](host_uuid=host_uuid, command=command)


@dataclass(frozen=True, slots=True)
class HostChannel:
    """A `HostLink` to one host by way of the bus, so that its queue and its errors are those of `OnHost`."""

    cloud: Cloud
    host_uuid: str

    async def ask(self, command: Command[Reply], *, report: Report | None = None) -> Reply:
        """See `HostLink.ask`."""
        return await self.cloud.call(OnHost[Any](host_uuid=self.host_uuid, command=command, report=report))


class Placement(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A host, and whether a VM could be put on it."""

    host_uuid: Uuid
    name: str
    accepted: bool
    filter: str | None = None
    """What rejected it; absent for one that would take the VM."""
    reason: str | None = None
    """Why, with the numbers."""
    available_cpu: int
    """Virtual CPUs that are free now."""
    available_memory: int
    """Bytes of memory that are free now."""
    vm_count: int
    """VMs that hold capacity there; the one with the fewest is chosen."""


class HostWish(msgspec.Struct, frozen=True, kw_only=True):
    """What a VM needs of a host.

    `clusters_by_need` gives, for each thing that must reach the host (an L2 network, a primary storage), the
    clusters that it reaches; a host outside one of them is rejected for that need.
    """

    vm_uuid: str
    cpu: int
    memory: int
    reserved_memory: int
    """Bytes that a host keeps for itself (``kvm.reservedMemory``), unless its own rules say otherwise."""
    memory_ratio: float = 1.0
    """Bytes that a host promises for each that it has (``mevoco.overProvisioning.memory``), likewise."""
    within_physical: bool = True
    """Whether the VM may have no more memory than its host has (``hostAllocator.hostAllocator.checkHostMem``)."""
    reserve_levels: tuple[str, ...] = ("HostVO", "ClusterVO", "ZoneVO")
    """On which resources tags may reserve capacity (``hostAllocator.reservedCapacity.…Level``)."""
    hypervisor_types: tuple[str, ...] = ("KVM", "Simulator")
    zone_uuid: str | None = None
    cluster_uuid: str | None = None
    host_uuid: str | None = None
    clusters_by_need: dict[str, tuple[str, ...]] = {}
    avoid: tuple[str, ...] = ()
    prefer: str | None = None
    """A host to take if it passes, such as the one that the VM ran on last."""


def scaled(size: int, ratio: float) -> int:
    """What a promise of so many bytes takes, where `ratio` bytes are promised for each one that there is."""
    return size if ratio == 1 else math.ceil(size / ratio)
