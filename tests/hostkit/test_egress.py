"""The rules on addresses."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from zstack_appliance.cloud.backup_storage.driver import FetchPolicy
from zstack_appliance.hostkit.egress import Egress, is_own_address
from zstack_appliance.kernel.remote import HostCommandFailed

OWN = ip_address("192.0.2.5")


def fault(
    address: str,
    *,
    host: str = "images.example",
    allowed: tuple[str, ...] = (),
    own_networks: tuple[str, ...] = (),
) -> str | None:
    policy = FetchPolicy(allowed=allowed, own_networks=own_networks)
    egress = Egress.of(policy, lambda asked: asked == OWN)
    return egress.fault(host, ip_address(address))


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "192.168.1.10", "10.0.0.1", "fd12::1", "64:ff9b::5db8:d822"]
)
def test_the_web_and_other_networks_of_the_site_are_open(address: str) -> None:
    assert fault(address) is None


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.8.9.10", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("192.0.0.192", "metadata"),
        ("fe80::1", "link-local"),
        ("fe80::1%lo", "link-local"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.250", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("192.0.2.5", "address of this host"),
    ],
)
def test_what_a_fetch_must_not_reach(address: str, kind: str) -> None:
    assert kind in (fault(address) or "")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"),
        ("2002:a9fe:a9fe::1", "metadata"),
        ("2001:0:808:808::80ff:fffe", "loopback"),
        ("2001:0:7f00:1::f7f7:f7f7", "loopback"),
        ("::ffff:192.0.2.5", "this host"),
    ],
)
def test_an_ipv4_address_inside_an_ipv6_one_is_judged_too(address: str, kind: str) -> None:
    assert kind in (fault(address) or "")


def test_our_own_networks_are_closed_also_inside_ipv6() -> None:
    assert "own networks" in (fault("10.1.2.3", own_networks=("10.1.0.0/16",)) or "")
    assert "own networks" in (fault("64:ff9b::a01:203", own_networks=("10.1.0.0/16",)) or "")
    assert "own networks" in (fault("fd00:1::7", own_networks=("fd00:1::/64",)) or "")
    assert fault("10.2.2.3", own_networks=("10.1.0.0/16",)) is None


def test_a_network_on_the_allow_list_opens_exactly_itself() -> None:
    assert fault("127.0.0.1", allowed=("127.0.0.1",)) is None
    assert fault("127.0.0.2", allowed=("127.0.0.1",)) is not None
    assert fault("10.1.2.3", allowed=("10.1.2.0/24",), own_networks=("10.0.0.0/8",)) is None
    assert fault("169.254.169.254", allowed=("169.254.169.254/32",)) is None
    assert fault("::1", allowed=("::1",)) is None


def test_a_name_on_the_allow_list_opens_its_addresses_but_never_metadata() -> None:
    listed = ("Mirror.Example",)
    assert fault("127.0.0.1", host="mirror.example.", allowed=listed) is None
    assert fault("10.1.2.3", host="mirror.example", own_networks=("10.0.0.0/8",), allowed=listed) is None
    assert fault("169.254.169.254", host="mirror.example", allowed=listed) is not None
    assert fault("64:ff9b::a9fe:a9fe", host="mirror.example", allowed=listed) is not None
    assert fault("224.0.0.1", host="mirror.example", allowed=listed) is not None
    assert fault("fe80::1", host="mirror.example", allowed=listed) is not None
    assert fault("127.0.0.1", host="x.mirror.example", allowed=listed) is not None
    assert fault("127.0.0.1", host="mirror.example.org", allowed=listed) is not None


@pytest.mark.parametrize("entry", ["10.1.0.1/16", "a b", "", "http://x", "host:80", "*.example"])
def test_an_allow_list_entry_that_means_nothing_is_named(entry: str) -> None:
    with pytest.raises(HostCommandFailed, match="neither a host name nor a network"):
        fault("93.184.216.34", allowed=(entry,))


def test_an_own_network_that_is_none_is_named() -> None:
    with pytest.raises(HostCommandFailed, match="'bridge' is not a network"):
        fault("93.184.216.34", own_networks=("bridge",))


def test_this_machines_addresses_are_recognised() -> None:
    assert is_own_address(ip_address("127.0.0.1"))
    assert not is_own_address(ip_address("127.0.0.2"))
    assert not is_own_address(ip_address("192.0.2.1"))
    assert not is_own_address(ip_address("2001:db8::1"))
