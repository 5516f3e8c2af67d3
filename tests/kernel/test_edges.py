from __future__ import annotations

from typing import Annotated

import pytest

from tests.kernel.small_cloud import (
    RESOURCES,
    Cluster,
    Host,
    KvmHost,
    L3Network,
    SecurityGroup,
    VmInstance,
    VmNic,
    VmNicSecurityGroupRef,
    Volume,
    Zone,
)
from zstack_appliance.kernel.edges import Edge, Graph, lineage, public_fields, query_name
from zstack_appliance.kernel.schema import HIDDEN, Embed, Record, Ref, Uuid, resource
from zstack_appliance.kernel.tag import SystemTagRow

GRAPH = Graph(RESOURCES)


def test_a_reference_is_a_forward_edge_named_after_its_field() -> None:
    assert GRAPH.edges(VmNic)["vmInstance"] == Edge(
        "vmInstance", VmNic, VmInstance, "vm_instance_uuid", "uuid", many=False
    )
    assert GRAPH.edges(VmInstance)["defaultL3Network"].target is L3Network


def test_back_is_a_reverse_edge_at_the_target() -> None:
    assert GRAPH.edges(VmInstance)["vmNics"] == Edge(
        "vmNics", VmInstance, VmNic, "uuid", "vm_instance_uuid", many=True, embed=Embed(order="device_id")
    )
    assert "vmInstance" not in GRAPH.edges(Cluster), "no back, no reverse edge"


def test_hidden_edges_can_be_used() -> None:
    edge = GRAPH.edges(VmNic)["securityGroupRef"]
    assert edge.hidden
    assert edge.target is VmNicSecurityGroupRef


def test_a_subtype_has_its_bases_edges_whichever_is_registered_first() -> None:
    assert set(GRAPH.edges(KvmHost)) == set(GRAPH.edges(Host)) == {"zone", "cluster", "vmInstance"}
    assert GRAPH.edges(KvmHost)["cluster"].column == "cluster_uuid"


def test_a_subtype_has_its_bases_aliases() -> None:
    graph = Graph((*RESOURCES, Nickname))
    assert graph.aliases(KvmHost) == graph.aliases(Host) == {"vm": ("vmInstance",)}


def test_an_edge_to_a_subtype_stays_with_it() -> None:
    @resource(wire="x")
    class Driver(Record, frozen=True, kw_only=True):
        host_uuid: Annotated[Uuid, Ref(KvmHost, back="driver")]

    graph = Graph((*RESOURCES, Driver))
    assert "driver" in graph.edges(KvmHost)
    assert "driver" not in graph.edges(Host)


def test_aliases_stand_for_chains_on_ones_own_or_on_anothers_resource() -> None:
    assert GRAPH.aliases(Cluster) == {"vm": ("host", "vmInstance")}
    assert GRAPH.aliases(VmNic) == {"securityGroup": ("securityGroupRef", "securityGroup")}
    assert [edge.name for edge in GRAPH.expand(SecurityGroup, ("vmNic", "vmInstance"))] == [
        "vmNicRef",
        "vmNic",
        "vmInstance",
    ]


def test_subtypes_and_kinds() -> None:
    assert GRAPH.subtypes(Host) == (KvmHost,)
    assert GRAPH.subtypes(KvmHost) == ()
    assert GRAPH.of_kind(Host, "KVM") is KvmHost
    assert GRAPH.of_kind(Host, "Simulator") is None
    assert lineage(KvmHost) == (Host, KvmHost)


def test_embeds() -> None:
    assert {edge.listed: edge.target for edge in GRAPH.embeds(VmInstance)} == {
        "vmNics": VmNic,
        "allVolumes": Volume,
    }
    assert {edge.listed: edge.plucked for edge in GRAPH.embeds(L3Network)} == {"dns": "dns"}
    assert GRAPH.embeds(KvmHost) == ()


def test_a_list_with_a_name_of_its_own_is_an_edge_under_both() -> None:
    assert [edge.listed for edge in GRAPH.embeds(VmNic)] == ["usedIps", "securityGroupUuids"]
    edges = GRAPH.edges(VmNic)
    assert edges["securityGroupUuids"] is edges["securityGroupRef"]
    assert edges["securityGroupRef"].plucked == "security_group_uuid"


def test_queries_call_resources_by_their_inventories() -> None:
    assert query_name(KvmHost) == "KVMHost"
    assert GRAPH.named("vminstance") is VmInstance
    assert GRAPH.named("systemTag") is SystemTagRow
    assert GRAPH.named("SystemTagRow") is None


def test_secret_and_hidden_fields_are_not_public() -> None:
    assert "password" not in {field.name for field in public_fields(KvmHost)}
    assert "process" not in {field.name for field in public_fields(VmInstance)}
    assert "username" in {field.name for field in public_fields(KvmHost)}


@resource(wire="x", aliases={"Host.vm": "vmInstance"})
class Nickname(Record, frozen=True, kw_only=True):
    pass


@resource(wire="x")
class TwoBacks(Record, frozen=True, kw_only=True):
    a_uuid: Annotated[Uuid, Ref(Zone, back="both")]
    b_uuid: Annotated[Uuid, Ref(Zone, back="both")]


@resource(wire="x")
class BackNamedAsField(Record, frozen=True, kw_only=True):
    zone_uuid: Annotated[Uuid, Ref(Zone, back="name")]


@resource(wire="x")
class ListNamedAsEdge(Record, frozen=True, kw_only=True):
    zone_uuid: Annotated[Uuid, Ref(Zone, back="inside", embed=Embed(name="cluster"))]


@resource(wire="x")
class NamelessEdge(Record, frozen=True, kw_only=True):
    zone: Annotated[Uuid, Ref(Zone)]


@resource(wire="x")
class NamelessEmbed(Record, frozen=True, kw_only=True):
    zone_uuid: Annotated[Uuid, Ref(Zone, embed=Embed())]


@resource(wire="x")
class ListOfReferences(Record, frozen=True, kw_only=True):
    zone_uuids: Annotated[list[Uuid], Ref(Zone)]


@resource(wire="x", aliases={"short": "zone.nowhere"})
class AliasToNowhere(Record, frozen=True, kw_only=True):
    zone_uuid: Annotated[Uuid, Ref(Zone)]


@resource(wire="x", aliases={"a": "b", "b": "a"})
class AliasOfItself(Record, frozen=True, kw_only=True):
    pass


@resource(wire="x", aliases={"Missing.a": "zone"})
class AliasForMissing(Record, frozen=True, kw_only=True):
    pass


@resource(wire="x")
class PlucksHidden(Record, frozen=True, kw_only=True):
    zone_uuid: Annotated[Uuid, Ref(Zone, back="inside", embed=Embed(pluck="inner"))]
    inner: Annotated[str, HIDDEN]


@resource(wire="x")
class Tree(Record, frozen=True, kw_only=True):
    zone_uuid: Annotated[Uuid, Ref(Zone, back="trees", embed=Embed())]


@resource(wire="x")
class Leaf(Zone, frozen=True, kw_only=True):
    tree_uuid: Annotated[Uuid, Ref(Tree, back="leaves", embed=Embed())]


@resource(wire="y", inventory="ZoneInventory")
class SameName(Record, frozen=True, kw_only=True):
    pass


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (TwoBacks, "two edges named both"),
        (BackNamedAsField, "a field and an edge named name"),
        (ListNamedAsEdge, "two edges named cluster"),
        (NamelessEdge, "give its Ref an edge"),
        (NamelessEmbed, "give its Ref a back"),
        (ListOfReferences, "holds a list"),
        (AliasToNowhere, "breaks at nowhere"),
        (AliasOfItself, "AliasOfItself breaks at"),
        (AliasForMissing, "nobody registers Missing"),
        (PlucksHidden, "no public field"),
        (SameName, "both called Zone"),
    ],
)
def test_wrong_declarations_are_refused(wrong: type[Record], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Graph((*RESOURCES, wrong))


def test_a_reference_to_an_unregistered_resource_is_refused() -> None:
    with pytest.raises(TypeError, match="refers to Zone, which nobody registers"):
        Graph((Cluster,))
    with pytest.raises(TypeError, match="sub-type of Host, which nobody registers"):
        Graph((Zone, Cluster, KvmHost))


def test_inventories_that_embed_each_other_are_refused() -> None:
    with pytest.raises(TypeError, match="embed each other without end: "):
        Graph((*RESOURCES, Tree, Leaf))
