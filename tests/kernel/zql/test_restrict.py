from __future__ import annotations

import pytest

from tests.kernel.small_cloud import Cluster, Host, KvmHost, L3NetworkDns, UsedIp, VmInstance, VmNic, Zone
from tests.kernel.small_store import GRAPH
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.zql.restrict import way_up


@pytest.mark.parametrize(
    ("start", "goal", "way"),
    [
        (Zone, Zone, ()),
        (KvmHost, Host, ()),
        (Host, Zone, ("zone",)),
        (VmNic, VmInstance, ("vmInstance",)),
        (VmInstance, Zone, ("cluster", "zone")),
        (L3NetworkDns, Zone, ("l3Network", "zone")),
        (UsedIp, Cluster, ("vmNic", "vmInstance", "cluster")),
        (Zone, Host, None),
    ],
)
def test_the_shortest_way_up(start: type[Record], goal: type[Record], way: tuple[str, ...] | None) -> None:
    assert way_up(GRAPH, start, goal) == way


def test_a_table_of_pairs_is_a_way_up() -> None:
    group = GRAPH.named("SecurityGroup")
    assert group is not None
    assert way_up(GRAPH, VmNic, group) == ("securityGroup",)
