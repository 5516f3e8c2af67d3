"""Choosing a host: each filter, the order among those that pass, and the reasons when none does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zstack_appliance.cloud.host.allocation import FILTERS, Candidate, Rules, choose, explain
from zstack_appliance.cloud.host.messages import HostWish

GIB = 2**30


def candidate(uuid: str = "a", **changes: Any) -> Candidate:
    """An idle host."""
    base = Candidate(uuid, f"host-{uuid}", "zone", "cluster", "KVM", "Enabled", "Connected", 40, 8 * GIB, 0, 8 * GIB)
    return base._replace(**changes)


def wish(**changes: Any) -> HostWish:
    """A small VM that may go anywhere."""
    return HostWish(**{"vm_uuid": "vm", "cpu": 1, "memory": GIB, "reserved_memory": GIB, **changes})


@pytest.mark.parametrize(
    ("asked", "host", "filter_name", "word"),
    [
        ({"zone_uuid": "other"}, {}, "DesignatedHost", "zone[other]"),
        ({"cluster_uuid": "other"}, {}, "DesignatedHost", "cluster[other]"),
        ({"host_uuid": "other"}, {}, "DesignatedHost", "host[other]"),
        ({"clusters_by_need": {"net1": ("elsewhere",)}}, {}, "AttachedResources", "net1"),
        ({}, {"state": "Disabled"}, "HostStateAndHypervisor", "Disabled"),
        ({}, {"status": "Connecting"}, "HostStateAndHypervisor", "Connecting"),
        ({"hypervisor_types": ("Simulator",)}, {}, "HostStateAndHypervisor", "KVM"),
        ({"cpu": 41}, {}, "HostCpuCapacity", "40 virtual CPUs are free, 41 are needed"),
        ({"memory": 8 * GIB}, {}, "HostMemoryCapacity", f"{7 * GIB} bytes of memory are free"),
        ({"avoid": ("a",)}, {}, "AvoidHost", "avoided"),
    ],
)
def test_each_filter_rejects_and_says_why(
    asked: dict[str, Any], host: dict[str, Any], filter_name: str, word: str
) -> None:
    """The error names the host, the first filter that rejected it, and the numbers."""
    hosts = [candidate(**host)]
    assert choose(wish(**asked), hosts) is None
    error = explain(wish(**asked), hosts)
    assert [(row["host"], row["filter"]) for row in error.rejections] == [("a", filter_name)]
    assert word in error.rejections[0]["reason"]
    assert error.rejections[0]["reason"] in error.details


def test_no_host_at_all_is_told_apart() -> None:
    """There is something else to do than to free memory."""
    assert "no host exists yet" in explain(wish(), []).details


def test_the_host_with_fewest_vms_is_taken_and_ties_keep_their_order() -> None:
    """LeastVmPreferred, ZStack's default."""
    hosts = [candidate("a", vm_count=2), candidate("b", vm_count=1), candidate("c", vm_count=1)]
    assert choose(wish(), hosts) == hosts[1]


def test_the_preferred_host_wins_if_it_passes() -> None:
    """A VM goes back to where its cache is warm, but not at any price."""
    hosts = [candidate("a"), candidate("b", vm_count=9)]
    assert choose(wish(prefer="b"), hosts) == hosts[1]
    full = [candidate("a"), candidate("b", available_cpu=0)]
    assert choose(wish(prefer="b"), full) == full[0]


@pytest.mark.parametrize(
    ("rules", "asked", "reason"),
    [
        (Rules(reserved_memory={"a": 5 * GIB}), {"memory": 3 * GIB}, None),
        (Rules(reserved_memory={"a": 5 * GIB}), {"memory": 4 * GIB}, f"{3 * GIB} bytes of memory are free"),
        (Rules(reserved_memory={"cluster": 0}), {"memory": 8 * GIB}, None),
        (Rules(reserved_memory={"zone": 0, "cluster": 6 * GIB}), {"memory": 3 * GIB}, f"{2 * GIB} bytes"),
        (Rules(reserved_memory={"cluster": 6 * GIB, "a": 0}), {"memory": 8 * GIB}, None),
        (Rules(reserved_memory={"elsewhere": 9 * GIB}), {}, None),
        (Rules(reserved_cpu={"zone": 38}), {"cpu": 2}, None),
        (Rules(reserved_cpu={"zone": 38}), {"cpu": 3}, "2 virtual CPUs are free, 3 are needed"),
        (Rules(memory_ratio={"cluster": 2.0}), {"memory": 8 * GIB}, None),
        (Rules(memory_ratio={"cluster": 2.0}), {"memory": 9 * GIB}, f"it has {8 * GIB} bytes of memory in all"),
        (Rules(memory_ratio={"cluster": 2.0}), {"memory": 14 * GIB, "within_physical": False}, None),
        (Rules(memory_ratio={"cluster": 2.0}), {"memory": 15 * GIB, "within_physical": False}, "7516192768 bytes"),
        (Rules(memory_ratio={"a": 1.0}), {"memory": 8 * GIB, "memory_ratio": 2.0}, f"{7 * GIB} bytes"),
    ],
)
def test_the_nearest_rule_counts(rules: Rules, asked: dict[str, Any], reason: str | None) -> None:
    """A host's own goes before its cluster's, and that before its zone's."""
    hosts = [candidate()]
    assert (choose(wish(**asked), hosts, rules) == hosts[0]) == (reason is None)
    if reason is not None:
        assert reason in explain(wish(**asked), hosts, rules).details


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.sampled_from(["Enabled", "Disabled"]), st.integers(0, 9))
    )
)
def test_a_host_is_chosen_exactly_when_one_passes_every_filter(rows: list[tuple[int, int, str, int]]) -> None:
    """What is chosen passes, and nothing is refused while something would pass."""
    hosts = [
        candidate(str(n), available_cpu=cpu, available_memory=mem * GIB, state=state, vm_count=vms)
        for n, (cpu, mem, state, vms) in enumerate(rows)
    ]
    asked = wish(cpu=3, memory=2 * GIB)
    passing = [host for host in hosts if not any(reject(asked, host, Rules()) for _, reject in FILTERS)]
    chosen = choose(asked, hosts)
    assert (chosen in passing) if passing else chosen is None
