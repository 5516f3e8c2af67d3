"""dnsmasq's files by their meaning; that it follows them is for the system tests."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import msgspec

from tests.cloud.network_service.namespace_router.specs import DB, SPEC, WEB
from zstack_appliance.cloud.network_service.namespace_router.dnsmasq import (
    Files,
    conflicting,
    pruned,
    render,
)
from zstack_appliance.cloud.network_service.namespace_router.wire import DhcpService

FOLDER = PurePosixPath("/data/network/router")


def files(**change: Any) -> Files:
    """The files of the router with some fields replaced."""
    rendered = render(msgspec.structs.replace(SPEC, **change), FOLDER, interface="lan")
    assert rendered is not None
    return rendered


def options(**change: Any) -> dict[str, list[str]]:
    """The values of each option in the configuration."""
    found: dict[str, list[str]] = {}
    for line in files(**change).config.splitlines():
        name, _, value = line.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_it_serves_its_own_network_only_and_leaves_the_host_alone() -> None:
    found = options()
    assert found["interface"] == ["lan"]
    assert {"no-hosts", "no-resolv", "bind-dynamic"} <= found.keys()


def test_addresses_are_planned_and_never_picked() -> None:
    found = options()
    assert found["dhcp-range"] == ["set:net0,192.168.77.0,static,255.255.255.0,86400"]
    assert found["dhcp-ignore"] == ["tag:!known"]
    assert "dhcp-ignore-names" in found
    assert files().dhcp_hosts.splitlines() == [
        "fa:00:00:00:00:01,192.168.77.11,web",
        "fa:00:00:00:00:02,192.168.77.12,db",
    ]


def test_guests_are_told_the_router_its_name_server_the_domain_and_the_mtu() -> None:
    found = options()
    assert "tag:net0,tag:!secondary,option:router,192.168.77.1" in found["dhcp-option"]
    assert "option:dns-server,192.168.77.1" in found["dhcp-option"]
    assert "option:mtu,1450" in found["dhcp-option"]
    assert found["domain"] == ["lab.example"]


def test_a_nic_whose_default_network_is_another_is_told_no_router_and_no_name() -> None:
    second = msgspec.structs.replace(WEB, default_network=False)
    rendered = files(dhcp=DhcpService(leases=(second,)))
    assert rendered.dhcp_hosts == "fa:00:00:00:00:01,set:secondary,192.168.77.11\n"
    # Its name resolves all the same.
    assert "192.168.77.11 web.lab.example web" in rendered.hosts
    withheld = [value for value in options()["dhcp-option"] if value.startswith("tag:secondary")]
    assert withheld == ["tag:secondary,option:router", "tag:secondary,12"]


def test_names_resolve_with_and_without_the_domain() -> None:
    assert files().hosts.splitlines()[1] == "192.168.77.12 db.lab.example db"
    assert files(domain=None).hosts.splitlines()[1] == "192.168.77.12 db"
    nameless = msgspec.structs.replace(DB, hostname=None)
    rendered = files(dhcp=DhcpService(leases=(nameless,)))
    assert (rendered.hosts, rendered.dhcp_hosts) == ("", "fa:00:00:00:00:02,192.168.77.12\n")


def test_our_own_names_and_addresses_are_never_asked_elsewhere() -> None:
    found = options()
    assert found["local"] == ["/lab.example/"]
    assert found["rev-server"] == ["192.168.77.0/24"]
    assert found["server"] == ["203.0.113.53", "203.0.113.54"]
    assert "local" not in options(domain=None)


def test_each_network_has_its_own_router() -> None:
    found = options(gateways=("192.168.77.1/24", "10.9.0.1/20"))
    assert found["dhcp-range"][1] == "set:net1,10.9.0.0,static,255.255.240.0,86400"
    assert "tag:net1,tag:!secondary,option:router,10.9.0.1" in found["dhcp-option"]
    # dnsmasq's own limit of a thousand would be too small.
    assert found["dhcp-lease-max"] == [str(256 + 4096)]


def test_services_that_the_network_does_not_have_are_absent() -> None:
    assert options(dns=None)["port"] == ["0"]
    assert "addn-hosts" not in options(dns=None)
    no_dhcp = options(dhcp=None)
    assert not any(name.startswith("dhcp") for name in no_dhcp)
    assert render(msgspec.structs.replace(SPEC, dhcp=None, dns=None), FOLDER, interface="lan") is None


def test_every_file_is_in_the_routers_folder() -> None:
    found = options()
    for name in ("pid-file", "dhcp-leasefile", "dhcp-hostsfile", "addn-hosts"):
        [value] = found[name]
        assert PurePosixPath(value).parent == FOLDER


def test_it_runs_as_whom_it_is_told() -> None:
    assert "user" not in options()
    rendered = render(SPEC, FOLDER, interface="lan", user="root")
    assert rendered is not None
    assert "user=root\n" in rendered.config


LEASES = (
    "1795530792 fa:00:00:00:00:01 192.168.77.11 web 01:fa:00:00:00:00:01\n"
    "1795530793 fa:00:00:00:00:02 192.168.77.12 * *\n"
    "duid 00:01\n"
)


def test_an_address_that_is_leased_to_another_nic_is_in_the_way() -> None:
    assert SPEC.dhcp is not None
    assert not conflicting(LEASES, SPEC.dhcp)
    assert not conflicting(LEASES, DhcpService())
    heir = msgspec.structs.replace(WEB, mac="fa:00:00:00:00:09")
    assert conflicting(LEASES, DhcpService(leases=(heir,)))
    swapped = (msgspec.structs.replace(WEB, ip=DB.ip), msgspec.structs.replace(DB, ip=WEB.ip))
    assert conflicting(LEASES, DhcpService(leases=swapped))


def test_only_planned_leases_are_kept() -> None:
    assert pruned(LEASES, DhcpService(leases=(DB,))) == LEASES.splitlines(keepends=True)[1]
    assert not conflicting(pruned(LEASES, DhcpService(leases=(DB,))), DhcpService(leases=(DB,)))
