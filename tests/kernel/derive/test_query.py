from __future__ import annotations

import pytest

from tests.kernel.small_cloud import Host, KvmHost, L3Network, SecurityGroup, VmInstance, VmNic, Zone
from tests.kernel.small_store import ADMIN, GRAPH, compiler
from zstack_appliance.kernel.conditions import REST_OPERATORS, parse_condition, parse_rest
from zstack_appliance.kernel.derive.query import Completion, complete, conditions, count_conditions
from zstack_appliance.kernel.schema import Record


def texts(cls: type[Record], typed: str) -> list[str]:
    return [found.text for found in complete(GRAPH, cls, typed)]


def test_a_begun_name_goes_on_with_fields_and_edges() -> None:
    assert complete(GRAPH, VmInstance, "def") == (
        Completion("defaultL3Network.", "L3Network"),
        Completion("defaultL3NetworkUuid", "text"),
    )
    assert texts(VmInstance, "host.cluster.z") == ["host.cluster.zone.", "host.cluster.zoneUuid"]
    assert texts(VmNic, "sec") == ["securityGroup.", "securityGroupUuids"], "no hidden edge, but what leads over it"
    assert texts(SecurityGroup, "vmN") == ["vmNic.", "vmNicRefs."]
    assert texts(VmInstance, "__user") == ["__userTag__"]


def test_nothing_typed_offers_everything_that_is_public() -> None:
    offered = texts(Host, "")
    assert {"uuid", "name", "cluster.", "vmInstance.", "__systemTag__"} <= set(offered)
    assert offered == sorted(offered)
    assert "password" not in texts(KvmHost, "")


def test_a_plucked_edge_is_offered_as_the_value_it_stands_for() -> None:
    assert texts(L3Network, "dn") == ["dns"]


def test_a_whole_name_goes_on_with_its_operators() -> None:
    assert texts(VmInstance, "vmNics.ip") == [
        *(f"vmNics.ip{spelling}" for spelling in ("=", "!=", ">", ">=", "<", "<=", "?=", "!?=", "~=", "!~=")),
        "vmNics.ip is null",
        "vmNics.ip not null",
    ]
    assert texts(VmInstance, "labels") == ["labels is null", "labels not null"]
    assert "cpuNum=" in texts(VmInstance, "cpuNum")


def test_enumerations_and_booleans_offer_their_values() -> None:
    assert texts(VmInstance, "state=") == ["state=Running", "state=Stopped"]
    assert texts(VmInstance, "state!=R") == ["state!=Running"]
    assert texts(Zone, "isDefault=t") == ["isDefault=true"]
    assert texts(VmInstance, "name=") == []


@pytest.mark.parametrize("typed", ["nowhere.", "name.", "vmNics.nowhere.x", "state is null", "state?=R", "nmae="])
def test_what_leads_nowhere_has_no_completion(typed: str) -> None:
    assert texts(VmInstance, typed) == []


def test_every_completion_leads_on_or_is_a_condition() -> None:
    for typed in texts(VmInstance, ""):
        assert texts(VmInstance, typed), typed


def test_conditions_are_counted_without_being_made() -> None:
    for hops in range(4):
        made = list(conditions(GRAPH, VmInstance, hops))
        assert len(made) == len(set(made)) == count_conditions(GRAPH, VmInstance, hops)
    assert count_conditions(GRAPH, VmInstance, 10) > 4_000_000, "instantly"


def test_every_condition_compiles() -> None:
    spelling = {op: text if op.takes_value else f" {text}" for text, op in REST_OPERATORS}
    values = {"createDate": "2024-05-01", "lastOpDate": "2024-05-01", "stopDate": "2024-05-01"}
    values |= {"isDefault": "true", "system": "true"}
    for path, op in conditions(GRAPH, VmInstance, 2):
        value = values.get(path.rpartition(".")[2], "1") if op.takes_value else ""
        text = f"{path}{spelling[op]}{value}"
        assert parse_condition(text).op is op
        compiler().rows(parse_rest([("q", text)]), VmInstance, ADMIN)
