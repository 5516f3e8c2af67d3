"""Choose a host for a VM: pure filters, each with the reason and the numbers of every rejection.

Primitives: `Candidate` (a host as the allocator sees it), `Rules` (what hosts keep for themselves, and how much
of their memory they promise), `choose`, `judge` and `explain`. What a VM needs is a `HostWish`, which stands with
the host folder's messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from zstack_appliance.cloud.host.messages import HostWish, Placement, scaled
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
    total_memory: int


Value = TypeVar("Value", int, float)


@dataclass(frozen=True)
class Rules:
    """What deviates from the wish's rules for single hosts, clusters and zones, by their uuids; the nearest counts."""

    reserved_cpu: Mapping[str, int] = field(default_factory=dict)
    """Virtual CPUs that are kept free."""
    reserved_memory: Mapping[str, int] = field(default_factory=dict)
    """Bytes that are kept free, instead of `HostWish.reserved_memory`."""
    memory_ratio: Mapping[str, float] = field(default_factory=dict)
    """Bytes promised for each byte that there is, instead of `HostWish.memory_ratio`."""

    def charge(self, wish: HostWish, host: Candidate) -> int:
        """Bytes of its memory that a host spends on the VM."""
        return scaled(wish.memory, _nearest(self.memory_ratio, host, wish.memory_ratio))

    def largest_ratio(self, wish: HostWish) -> float:
        """No host promises more than this for each byte."""
        return max((wish.memory_ratio, *self.memory_ratio.values()))


def _nearest(values: Mapping[str, Value], host: Candidate, otherwise: Value) -> Value:
    if not values:
        return otherwise
    return next((values[uuid] for uuid in (host.uuid, host.cluster_uuid, host.zone_uuid) if uuid in values), otherwise)


Filter = tuple[str, Callable[[HostWish, Candidate, Rules], str | None]]
"""A filter's name, and a function of the wish, a host and the rules that gives the reason for a rejection or None."""


def _designated(wish: HostWish, host: Candidate, _: Rules) -> str | None:
    for what, wanted, found in (
        ("zone", wish.zone_uuid, host.zone_uuid),
        ("cluster", wish.cluster_uuid, host.cluster_uuid),
        ("host", wish.host_uuid, host.uuid),
    ):
        if wanted is not None and wanted != found:
            return f"it is not the {what}[{wanted}] that was asked for"
    return None


def _reached(wish: HostWish, host: Candidate, _: Rules) -> str | None:
    for need, clusters in wish.clusters_by_need.items():
        if host.cluster_uuid not in clusters:
            return f"its cluster[{host.cluster_uuid}] is not attached to {need}"
    return None


def _usable(wish: HostWish, host: Candidate, _: Rules) -> str | None:
    if (host.state, host.status) != ("Enabled", "Connected"):
        return f"it is {host.state} and {host.status}; it must be Enabled and Connected"
    if host.hypervisor_type not in wish.hypervisor_types:
        return f"its hypervisor is {host.hypervisor_type}, not one of {', '.join(wish.hypervisor_types)}"
    return None


def _cpu(wish: HostWish, host: Candidate, rules: Rules) -> str | None:
    free = host.available_cpu - _nearest(rules.reserved_cpu, host, 0)
    if free < wish.cpu:
        return f"{max(free, 0)} virtual CPUs are free, {wish.cpu} are needed"
    return None


def _memory(wish: HostWish, host: Candidate, rules: Rules) -> str | None:
    free = host.available_memory - _nearest(rules.reserved_memory, host, wish.reserved_memory)
    needed = rules.charge(wish, host)
    if free < needed:
        return f"{max(free, 0)} bytes of memory are free, {needed} are needed"
    if wish.within_physical and wish.memory > host.total_memory:
        return f"it has {host.total_memory} bytes of memory in all, the VM has {wish.memory}"
    return None


def _avoided(wish: HostWish, host: Candidate, _: Rules) -> str | None:
    return "it is to be avoided" if host.uuid in wish.avoid else None


FILTERS: tuple[Filter, ...] = (
    ("DesignatedHost", _designated),
    ("AttachedResources", _reached),
    ("HostStateAndHypervisor", _usable),
    ("HostCpuCapacity", _cpu),
    ("HostMemoryCapacity", _memory),
    ("AvoidHost", _avoided),
)


def choose(wish: HostWish, candidates: Iterable[Candidate], rules: Rules | None = None) -> Candidate | None:
    """The preferred host if it passes, else the one with the fewest VMs; ties go by order. None if none passes.

    Hosts are judged in that order and the first that passes is taken, so that a large cloud costs little more
    than a small one.
    """
    best_first = sorted(candidates, key=lambda host: (host.uuid != wish.prefer, host.vm_count))
    rules = rules or Rules()
    return next((host for host in best_first if all(reject(wish, host, rules) is None for _, reject in FILTERS)), None)


def judge(wish: HostWish, candidates: Iterable[Candidate], rules: Rules | None = None) -> list[Placement]:
    """Every host with the first filter that rejects it, in the order in which `choose` looks at them."""
    best_first = sorted(candidates, key=lambda host: (host.uuid != wish.prefer, host.vm_count))
    return [_placement(wish, host, rules or Rules()) for host in best_first]


def _placement(wish: HostWish, host: Candidate, rules: Rules) -> Placement:
    name, reason = _rejection(wish, host, rules)
    return Placement(
        host_uuid=host.uuid,
        name=host.name,
        accepted=not name,
        filter=name or None,
        reason=reason or None,
        available_cpu=host.available_cpu,
        available_memory=host.available_memory,
        vm_count=host.vm_count,
    )


def explain(wish: HostWish, candidates: Iterable[Candidate], rules: Rules | None = None) -> InsufficientCapacity:
    """The error for a wish that no candidate meets: each host with the first filter that rejected it."""
    rejections = tuple(
        {"host": host.uuid, "name": host.name, "filter": name, "reason": reason}
        for host in candidates
        for name, reason in [_first_rejection(wish, host, rules or Rules())]
    )
    if not rejections:
        text = "no host exists yet; add one, or wait until it is connected"
    else:
        first = rejections[0]
        text = f"none of the {len(rejections)} hosts takes the VM; host[{first['name']}]: {first['reason']}"
    return InsufficientCapacity(text, rejections=rejections)


def _first_rejection(wish: HostWish, host: Candidate, rules: Rules) -> tuple[str, str]:
    name, reason = _rejection(wish, host, rules)
    return (name, reason) if name else ("none", "it passes now; try again")


def _rejection(wish: HostWish, host: Candidate, rules: Rules) -> tuple[str, str]:
    for name, reject in FILTERS:
        reason = reject(wish, host, rules)
        if reason is not None:
            return name, reason
    return "", ""
