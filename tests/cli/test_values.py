"""Parameters from text."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from zstack_appliance.cli.declared import find_api
from zstack_appliance.cli.exits import CliError
from zstack_appliance.cli.values import missing, parse
from zstack_appliance.kernel.schema import Record

UUIDS = {"tiny": "1" * 32, "net1": "2" * 32, "net2": "3" * 32}


def resolve(_: type[Record], text: str) -> str:
    return UUIDS.get(text, text)


def read(name: str, *pairs: tuple[str, str | tuple[str, ...]]) -> dict[str, Any]:
    return parse(find_api(name), pairs, resolve)


VM = (("name", "web"), ("imageUuid", "tiny"))


def test_names_become_uuids_also_in_lists() -> None:
    for nets in ("net1,net2", f'["{UUIDS["net1"]}","net2"]', ("net1", "net2")):
        params = read("CreateVmInstance", *VM, ("l3NetworkUuids", nets))
        assert params == {"name": "web", "imageUuid": UUIDS["tiny"], "l3NetworkUuids": [UUIDS["net1"], UUIDS["net2"]]}


def test_option_names_and_wire_names_both_work_but_not_together() -> None:
    assert read("CreateVmInstance", ("name", "w"), ("image", "tiny"))["imageUuid"] == UUIDS["tiny"]
    with pytest.raises(CliError, match="imageUuid is given twice"):
        read("CreateVmInstance", *VM, ("image", "tiny"))


@pytest.mark.parametrize(("text", "size"), [("512M", 2**29), ("1g", 2**30), ("2GiB", 2**31), ("7", 7)])
def test_sizes_take_units(text: str, size: int) -> None:
    params = read("CreateInstanceOffering", ("name", "o"), ("cpuNum", "1"), ("memorySize", text))
    assert params["memorySize"] == size


def test_tags_are_not_split_at_commas() -> None:
    tag = "userdata::a,b"
    assert read("CreateVmInstance", *VM, ("systemTags", tag))["systemTags"] == [tag]
    assert read("CreateVmInstance", *VM, ("systemTags", (tag, "hostname::w")))["systemTags"] == [tag, "hostname::w"]


def test_maps_are_json() -> None:
    services = read(
        "AttachNetworkServiceToL3Network", ("l3NetworkUuid", "net1"), ("networkServices", '{"p": ["DHCP"]}')
    )
    assert services["networkServices"] == {"p": ["DHCP"]}
    with pytest.raises(CliError, match="networkServices must be JSON"):
        read("AttachNetworkServiceToL3Network", ("l3NetworkUuid", "net1"), ("networkServices", "DHCP"))


def test_everything_that_is_wrong_is_said() -> None:
    with pytest.raises(CliError) as wrong:
        read("CreateVmInstance", ("name", "w" * 300), ("imageUuid", "no"), ("strategy", "Now"))
    assert wrong.value.exit_code == 2
    for name in ("[name]", "imageUuid: ", "strategy: "):
        assert name in wrong.value.message


def test_passwords_of_accounts_travel_hashed_and_those_of_hosts_do_not() -> None:
    hashed = hashlib.sha512(b"secret").hexdigest()
    assert read("CreateAccount", ("name", "jo"), ("password", "secret"))["password"] == hashed
    assert read("CreateAccount", ("name", "jo"), ("password", hashed))["password"] == hashed
    host = read(
        "AddKvmHost",
        ("name", "h"),
        ("managementIp", "127.0.0.1"),
        ("username", "root"),
        ("password", "secret"),
        ("clusterUuid", "4" * 32),
    )
    assert host["password"] == "secret"


def test_what_is_missing_is_named_as_both_are_written() -> None:
    fault = missing(find_api("CreateCluster"), {"name": "c"})
    assert fault is not None
    assert "--zone (zoneUuid=…)" in fault.message
    assert missing(find_api("CreateZone"), {"name": "z"}) is None
