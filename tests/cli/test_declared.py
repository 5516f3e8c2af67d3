"""Finding what people name."""

from __future__ import annotations

import pytest

from zstack_appliance.cli.declared import (
    SHORT,
    find_api,
    find_resource,
    kebab,
    noun_names,
    nouns,
    option_name,
    path_of,
)
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cloud.host.kvm.schema import KvmHost
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.vm_instance.messages import CreateVmInstance
from zstack_appliance.cloud.vm_instance.schema import VmInstance
from zstack_appliance.kernel.schema import describe, fields_of


@pytest.mark.parametrize("name", ["vm", "VM", "vm-instance", "VmInstance", "queryvminstance"])
def test_a_resource_by_any_of_its_names(name: str) -> None:
    assert find_resource(name) is VmInstance


@pytest.mark.parametrize(
    "name", ["CreateVmInstance", "APICreateVmInstanceMsg", "org.zstack.header.vm.APICreateVmInstanceMsg"]
)
def test_an_api_by_any_of_its_names(name: str) -> None:
    assert find_api(name) is CreateVmInstance


def test_unknown_names_are_told_what_comes_close() -> None:
    with pytest.raises(CliError, match="did you mean CreateZone") as wrong:
        find_api("CreateZon")
    assert wrong.value.exit_code == 2
    with pytest.raises(CliError, match="did you mean Zone"):
        find_resource("zoe")


def test_the_quick_list_of_nouns_is_the_whole_one() -> None:
    assert set(noun_names()) == set(nouns())
    assert set(SHORT.values()) <= set(noun_names())


def test_sub_types_are_queried_at_their_base() -> None:
    assert describe(KvmHost).options.path is None
    assert path_of(KvmHost) == path_of(Host) == "/hosts"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("L3NetworkDns", "l3-network-dns"),
        ("vmNics", "vm-nics"),
        ("AddKVMHost", "add-kvm-host"),
        ("enableIPAM", "enable-ipam"),
    ],
)
def test_kebab(name: str, said: str) -> None:
    assert kebab(name) == said


def test_options_are_named_for_people() -> None:
    names = {field.wire: option_name(field) for field in fields_of(CreateVmInstance)}
    assert names["imageUuid"] == "image"
    assert names["l3NetworkUuids"] == "l3-network"
    assert names["systemTags"] == "system-tag"
    assert names["memorySize"] == "memory-size"
    assert names["resourceUuid"] == "resource-uuid"
