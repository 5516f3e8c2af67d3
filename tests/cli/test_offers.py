"""How a half-typed word may go on."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from zstack_appliance.cli.declared import find_api, find_resource
from zstack_appliance.cli.offers import Named, Nobody, Offer, condition_offers, name_offers, parameter_offers
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.schema import Record

UUID = "5" * 32


class Known:
    """Names of two networks and a zone."""

    def begin(self, target: type[Record], begun: str, by: str) -> Iterable[Named]:
        """Those of the resource asked for."""
        found = {"L3Network": [Named("net1", UUID), Named("net2", "6" * 32)], "Zone": [Named("zone1", UUID)]}
        return [each for each in found.get(query_name(target), []) if getattr(each, by).startswith(begun)]


def conditions(typed: str, noun: str = "VmInstance") -> list[str]:
    return [offer.text for offer in condition_offers(find_resource(noun), typed, Known())]


def parameters(typed: str, api: str = "CreateVmInstance") -> list[str]:
    return [offer.text for offer in parameter_offers(find_api(api), typed, Known())]


def test_a_path_goes_on_over_edges_and_ends_in_fields() -> None:
    assert "vmNics.l3Network." in conditions("vmNics.l3N")
    assert conditions("vmNics.i") == ["vmNics.internalName", "vmNics.ip", "vmNics.ipVersion"]


def test_values_of_an_enumeration_are_offered_also_in_a_list_without_those_taken() -> None:
    assert conditions("state=Run") == ["state=Running"]
    assert "state?=Running,Stopped" in conditions("state?=Running,S")
    assert "state?=Running,Running" not in conditions("state?=Running,")


def test_what_exists_is_offered_by_name_and_by_uuid() -> None:
    assert conditions("vmNics.l3Network.name=n") == ["vmNics.l3Network.name=net1", "vmNics.l3Network.name=net2"]
    assert conditions("vmNics.l3NetworkUuid=5") == [f"vmNics.l3NetworkUuid={UUID}"]
    assert conditions(f"vmNics.l3NetworkUuid?={UUID},6") == [f"vmNics.l3NetworkUuid?={UUID},{'6' * 32}"]
    assert conditions("uuid=5", "Zone") == [f"uuid={UUID}"]


@pytest.mark.parametrize("typed", ["nonsense.x=1", "cpuNum=1", "__userTag__=a", "name is null", "state.x"])
def test_where_nothing_is_known_nothing_is_offered(typed: str) -> None:
    assert conditions(typed) == []


def test_parameters_come_with_the_required_ones_first_and_then_what_they_take() -> None:
    offers = list(parameter_offers(find_api("CreateVmInstance"), "", Nobody()))
    assert offers[0].help.endswith("required")
    assert all(offer.open and offer.text.endswith("=") for offer in offers)
    assert parameters("l3NetworkUuids=net1,n") == ["l3NetworkUuids=net1,net1", "l3NetworkUuids=net1,net2"]
    assert parameters("stateEvent=e", "ChangeZoneState") == ["stateEvent=enable"]
    assert parameters("isDefault=t", "CreateZone") == ["isDefault=true"]
    assert parameters("nothing=", "CreateZone") == []


def test_a_uuid_is_offered_only_where_no_name_begins_so() -> None:
    network = find_resource("L3Network")
    assert list(name_offers(network, "net1", Known())) == [Offer("net1", UUID)]
    assert list(name_offers(network, "555", Known())) == [Offer(UUID, "net1")]
    assert list(name_offers(network, "", Nobody())) == []
