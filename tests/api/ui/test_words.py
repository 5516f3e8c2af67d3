"""Names of the wire in words."""

from __future__ import annotations

import pytest

from zstack_appliance.api.ui.words import api_words, inside, label, spaced


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("defaultL3NetworkUuid", "Default L3 network UUID"),
        ("vmNics", "VM NICs"),
        ("cpuNum", "CPU num"),
        ("simulatedCpus", "Simulated CPUs"),
        ("primary-storage", "Primary storage"),
        ("AttachL2NetworkToCluster", "Attach L2 network to cluster"),
        ("", ""),
    ],
)
def test_words_are_told_apart(wire: str, text: str) -> None:
    assert spaced(wire) == text


def test_a_reference_is_called_as_what_it_leads_to() -> None:
    assert (label("hostUuid"), label("attachedClusterUuids"), label("uuid")) == ("Host", "Attached clusters", "UUID")
    assert label("lastOpDate") == "Changed"
    assert label("primaryStorageUuidForRootVolume") == "Primary storage for root volume"
    assert (label("availableCpuCapacity"), label("totalCapacity")) == ("CPU free", "Total")
    assert label("enableIPAM") == "Enable IPAM"


def test_an_api_is_called_by_its_name_without_javas() -> None:
    assert api_words("org.zstack.header.vm.APIStartVmInstanceMsg") == "Start VM instance"


@pytest.mark.parametrize(("text", "shown"), [("Zone", "zone"), ("VM", "VM"), ("L3 networks", "L3 networks"), ("", "")])
def test_a_name_inside_a_sentence_begins_small_unless_it_is_an_abbreviation(text: str, shown: str) -> None:
    assert inside(text) == shown
