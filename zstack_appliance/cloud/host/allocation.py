"""Choose a host for a VM: pure filters, each with the reason and the numbers of every rejection.

Primitives: `Candidate` (a host as the allocator sees it), `choose` and `explain`. What a VM needs is a
`HostWish`, which stands with the host folder's messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from zstack_appliance.cloud.host.messages import HostWish
from zstack_appliance.kernel.errors import InsufficientCapacity


class Candidate(NamedTuple):
    """A host as the allocator sees it; the order of the fields is that of the ledger's SELECT."""

    uuid: str
    name: str
    zone_uuid: str
    cluster_uuid: str
    hypervisor_type: str
    state: str
    status: str
    available_cpu: int
    available_memory: int
    vm_count: int


Filter = tuple[str, Callable[[HostWish, Candidate], str | None]]
"""A filter's name, and a function that gives the reason for a rejection or None."""


def _designated(wish: HostWish, host: Candidate) -> str | None:
    for what, wanted, found in (
        ("zone", wish.zone_uuid, host.zone_uuid),
        ("cluster", wish.cluster_uuid, host.cluster_uuid),
        ("host", wish.host_uuid, host.uuid),
    ):
        if wanted is not None and wanted != found:
            return f"it is not the {what}[{wanted}] that was asked for"
    return None


def _reached(wish: HostWish, host: Candidate) -> str | None:
    for need, clusters in wish.clusters_by_need.items():
        if host.cluster_uuid not in clusters:
            return f"its cluster[{host.cluster_uuid}] is not attached to {need}"
    return None


def _usable(wish: HostWish, host: Candidate) -> str | None:
    if (host.state, host.status) != ("Enabled", "Connected"):
        return f"it is {host.state} and {host.status}; it must be Enabled and Connected"
    if host.hypervisor_type not in wish.hypervisor_types:
        return f"its hypervisor is {host.hypervisor_type}, not one of {', '.join(wish.hypervisor_types)}"
    return None


def _cpu(wish: HostWish, host: Candidate) -> str | None:
    if host.available_cpu < wish.cpu:
        return f"{host.available_cpu} virtual CPUs are free, {wish.cpu} are needed"
    return None


def _memory(wish: HostWish, host: Candidate) -> str | None:
    free = host.available_memory - wish.reserved_memory
    if free < wish.memory:
        return f"{max(free, 0)} bytes of memory are free, {wish.memory} are needed"
    return None


def _avoided(wish: HostWish, host: Candidate) -> str | None:
    return "it is to be avoided" if host.uuid in wish.avoid else None


FILTERS: tuple[Filter, ...] = (
    ("DesignatedHost", _designated),
    ("AttachedResources", _reached),
    ("HostStateAndHypervisor", _usable),
    ("HostCpuCapacity", _cpu),
    ("HostMemoryCapacity", _memory),
    ("AvoidHost", _avoided),
)


def choose(wish: HostWish, candidates: Iterable[Candidate]) -> Candidate | None:
    """The preferred host if it passes, else the one with the fewest VMs; ties go by order. None if none passes.

    Hosts are judged in that order and the first that passes is taken, so that a large cloud costs little more
    than a small one.
    """
    best_first = sorted(candidates, key=lambda host: (host.uuid != wish.prefer, host.vm_count))
    return next((host for host in best_first if all(reject(wish, host) is None for _, reject in FILTERS)), None)


def explain(wish: HostWish, candidates: Iterable[Candidate]) -> InsufficientCapacity:
    """The error for a wish that no candidate meets: each host with the first filter that rejected it."""
    rejections = tuple(
        {"host": host.uuid, "name": host.name, "filter": name, "reason": reason}
        for host in candidates
        for name, reason in [_first_rejection(wish, host)]
    )
    if not rejections:
        text = "no host exists yet; add one, or wait until it is connected"
    else:
        first = rejections[0]
        text = f"none of the {len(rejections)} hosts takes the VM; host[{first['name']}]: {first['reason']}"
    return InsufficientCapacity(text, rejections=rejections)


def _first_rejection(wish: HostWish, host: Candidate) -> tuple[str, str]:
    for name, reject in FILTERS:
        reason = reject(wish, host)
        if reason is not None:
            return name, reason
    return "none", "it passes now; try again"
