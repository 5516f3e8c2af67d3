"""Which commands each resource has."""

from __future__ import annotations

import pytest

from zstack_appliance.cli.declared import apis, find_resource, nouns
from zstack_appliance.cli.verbs import object_of, verb_of, verbs_of
from zstack_appliance.kernel.message import resource_of


@pytest.mark.parametrize(
    ("noun", "verbs"),
    [
        ("zone", {"create", "update", "delete", "change-state"}),
        ("vm", {"create", "start", "stop", "reboot", "pause", "resume", "destroy", "delete", "recover", "expunge"}),
        ("host", {"add-kvm", "add-simulated", "reconnect", "change-state", "delete", "update"}),
        ("image", {"add", "create", "expunge", "recover"}),
        ("l2-network", {"create-no-vlan", "create", "attach-to-cluster", "detach-from-cluster"}),
        ("l3-network", {"add-dns", "remove-dns", "attach-network-service"}),
        ("ip-range", {"add", "add-by-network-cidr"}),
        ("job", {"cancel", "steps"}),
    ],
)
def test_verbs(noun: str, verbs: set[str]) -> None:
    assert verbs <= set(verbs_of(find_resource(noun)))


def test_two_ways_to_be_made_are_both_named() -> None:
    assert "create" not in verbs_of(find_resource("host"))


def test_every_api_of_a_resource_has_a_verb_of_its_own() -> None:
    for noun in nouns().values():
        own = [message for message in apis() if resource_of(message) is noun]
        assert len({verb_of(message, noun) for message in own}) == len(own), noun


def test_what_is_acted_on_is_the_argument() -> None:
    vm, l3 = find_resource("vm"), find_resource("l3-network")
    fields = {
        "start": object_of(verbs_of(vm)["start"], vm),
        "add-dns": object_of(verbs_of(l3)["add-dns"], l3),
        "create": object_of(verbs_of(vm)["create"], vm),
    }
    assert {verb: field and field.wire for verb, field in fields.items()} == {
        "start": "uuid",
        "add-dns": "l3NetworkUuid",
        "create": None,
    }
