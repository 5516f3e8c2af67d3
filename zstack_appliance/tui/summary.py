"""What the dashboard says: `Summary`, made of the answers to a few queries. Pure, but for `ask`, which asks them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Query = Callable[[str, Sequence[str], Mapping[str, Any]], Mapping[str, Any]]
"""From path, conditions and page to the body of the answer."""

VM_STATES = ("Running", "Starting", "Stopping", "Paused", "Stopped", "Unknown", "Crashed", "Destroyed")
"""The states that are counted, those that need no attention first."""

_LISTED = 50
_MOST_HOSTS = 10_000


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of something is promised to VMs."""

    used: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """A cloud at a glance.

    Args:
        cpu: virtual CPUs.
        memory: bytes.
        storage: bytes of primary storage.
        vms: how many in each state, zeros left out.
        hosts: how many in each status.
        running: jobs that run, the newest first.
        failed: jobs that failed, the newest first.
    """

    cpu: Usage = Usage()
    memory: Usage = Usage()
    storage: Usage = Usage()
    vms: Mapping[str, int] = field(default_factory=dict)
    hosts: Mapping[str, int] = field(default_factory=dict)
    running: Rows = ()
    failed: Rows = ()

    @property
    def vm_count(self) -> int:
        """All VMs but destroyed ones."""
        return sum(count for state, count in self.vms.items() if state != "Destroyed")


def ask(query: Query) -> Summary:
    """Ask for everything and put it together. What an account may not see counts as not there."""
    hosts = query("/hosts", (), {"limit": _MOST_HOSTS, "fields": ",".join(_HOST_FIELDS)})["inventories"]
    storage = query("/primary-storage", (), {"fields": "totalCapacity,availableCapacity"})["inventories"]
    counts = {state: query("/vm-instances", (f"state={state}",), {"count": True})["total"] for state in VM_STATES}
    page = {"limit": _LISTED, "sort": "-createDate"}
    jobs = [query("/appliance/jobs", (f"state={state}",), page)["inventories"] for state in ("Running", "Failed")]
    return summarise(hosts, storage, counts, jobs[0], jobs[1])


_HOST_FIELDS = (
    "status",
    "totalCpuCapacity",
    "availableCpuCapacity",
    "totalMemoryCapacity",
    "availableMemoryCapacity",
)


def summarise(hosts: Rows, storage: Rows, vms: Mapping[str, int], running: Rows, failed: Rows) -> Summary:
    """Put answers together."""
    return Summary(
        cpu=_usage(hosts, "totalCpuCapacity", "availableCpuCapacity"),
        memory=_usage(hosts, "totalMemoryCapacity", "availableMemoryCapacity"),
        storage=_usage(storage, "totalCapacity", "availableCapacity"),
        vms={state: count for state, count in vms.items() if count},
        hosts=Counter(str(host["status"]) for host in hosts),
        running=running,
        failed=failed,
    )


def _usage(rows: Iterable[Mapping[str, Any]], total: str, available: str) -> Usage:
    found = list(rows)
    whole = sum(row.get(total) or 0 for row in found)
    return Usage(whole - sum(row.get(available) or 0 for row in found), whole)


def api_name(job: Mapping[str, Any]) -> str:
    """What a job does, for people: ``CreateVmInstance``."""
    return str(job.get("api", "")).rpartition(".")[2].removeprefix("API").removesuffix("Msg")
