from __future__ import annotations

from typing import Annotated

import pytest

from tests.kernel.small_cloud import (
    RESOURCES,
    Cluster,
    Host,
    KvmHost,
    L3Network,
    L3NetworkDns,
    SecurityGroup,
    UsedIp,
    VmInstance,
    VmNic,
    Zone,
)
from tests.kernel.small_store import ADMIN, ALICE, GRAPH
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.principal import NOBODY, Principal
from zstack_appliance.kernel.schema import Embed, Record, Ref, Resource, Uuid, resource
from zstack_appliance.kernel.scope import is_part, nothing_shared, visible
from zstack_appliance.kernel.sql import NOTHING, Statement


@pytest.mark.parametrize("cls", [Zone, Host, KvmHost, VmInstance, UsedIp])
def test_an_administrator_sees_everything(cls: type[Record]) -> None:
    assert visible(cls, "t", ADMIN, nothing_shared) is None


def test_everybody_sees_what_is_readable() -> None:
    assert visible(Zone, "t", ALICE, nothing_shared) is None


@pytest.mark.parametrize("cls", [Host, KvmHost])
def test_nobody_but_an_administrator_sees_what_is_neither_owned_nor_readable(cls: type[Record]) -> None:
    assert visible(cls, "t", ALICE, nothing_shared) == NOTHING


@pytest.mark.parametrize("cls", [VmInstance, VmNic, UsedIp, L3NetworkDns])
def test_an_account_sees_what_it_owns_itself_or_through_a_reference(cls: type[Record]) -> None:
    assert visible(cls, "t", ALICE, nothing_shared) == Statement('t."owner_uuid" = ?', (ALICE.account_uuid,))


def test_a_caller_without_account_owns_nothing() -> None:
    assert visible(VmInstance, "t", NOBODY, nothing_shared) == Statement('t."owner_uuid" = ?', ("",))


def test_the_owners_index_is_not_used_where_another_leads_to_few_rows() -> None:
    found = visible(VmInstance, "t", ALICE, nothing_shared, selective=True)
    assert found == Statement('+t."owner_uuid" = ?', (ALICE.account_uuid,))


def test_what_is_shared_is_seen_besides() -> None:
    def shared(cls: type[Record], uuid: str, principal: Principal) -> Statement:
        assert cls is VmInstance
        return Statement(f"{uuid} = ?", (principal.account_uuid[:1],))

    assert visible(VmInstance, "t", ALICE, shared) == Statement(
        '(t."owner_uuid" = ? OR t."uuid" = ?)', (ALICE.account_uuid, "a")
    )


@pytest.mark.parametrize(
    ("cls", "name", "part"),
    [
        (VmInstance, "vmNics", True),
        (VmNic, "usedIps", True),
        (L3Network, "dns", True),
        (VmNic, "securityGroupUuids", True),
        # A group's members have their owner from the NIC, not from the group.
        (SecurityGroup, "vmNicRefs", False),
        # A volume is owned for itself, attached or not.
        (VmInstance, "allVolumes", False),
        (Cluster, "host", False),
        (VmNic, "vmInstance", False),
    ],
)
def test_parts_are_what_stands_in_an_inventory_and_is_not_owned_for_itself(
    cls: type[Record], name: str, part: bool
) -> None:
    assert is_part(GRAPH.edges(cls)[name]) is part


def test_unowned_rows_in_an_inventory_are_parts_unless_they_have_a_name() -> None:
    graph = Graph((*RESOURCES, Place, Rack))
    assert is_part(graph.edges(VmInstance)["places"])
    assert not is_part(graph.edges(VmInstance)["racks"])


@resource(wire="x")
class Place(Record, frozen=True, kw_only=True):
    vm_instance_uuid: Annotated[Uuid, Ref(VmInstance, back="places", embed=Embed())]


@resource(wire="x")
class Rack(Resource, frozen=True, kw_only=True):
    vm_instance_uuid: Annotated[Uuid, Ref(VmInstance, back="racks", embed=Embed())]


@resource(wire="x")
class GoldenHost(KvmHost, frozen=True, kw_only=True):
    """A sub-type of a sub-type."""


@resource(wire="x")
class PlainZone(Zone, frozen=True, kw_only=True):
    """Does not say again that it is readable."""


def test_a_subtype_is_seen_as_its_base_is() -> None:
    assert visible(GoldenHost, "t", ALICE, nothing_shared) == NOTHING
    assert visible(PlainZone, "t", ALICE, nothing_shared) is None
