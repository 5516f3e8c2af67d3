"""A description that cannot be followed is refused with every reason."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.cloud.network_service.namespace_router.specs import DB, GUESTS, INSTANCE, PUBLIC, SPEC, WEB
from zstack_appliance.cloud.network_service.namespace_router.check import faults, missing_bridges
from zstack_appliance.cloud.network_service.namespace_router.wire import (
    DhcpService,
    DnsService,
    Lease,
    PublicSide,
    RouterSpec,
)


def changed(**change: Any) -> RouterSpec:
    """The router with some fields replaced."""
    return msgspec.structs.replace(SPEC, **change)


def leases(*wanted: Lease) -> RouterSpec:
    """The router with other leases."""
    return changed(dhcp=DhcpService(leases=wanted))


def public(**change: str) -> RouterSpec:
    """The router with another public side."""
    assert SPEC.public is not None
    return changed(public=msgspec.structs.replace(SPEC.public, **change))


def test_a_sound_router_has_no_faults() -> None:
    assert faults(SPEC, INSTANCE) == []
    bare = changed(dhcp=None, dns=None, public=None, snat=False)
    assert faults(bare, INSTANCE) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (changed(bridge="docker0"), "docker0 is not this appliance's"),
        (changed(bridge="zbffffff1111111"), "not this appliance's"),
        (public(bridge=GUESTS), "on both sides"),
        (changed(gateways=("192.168.77.0/24",)), "not a host's address"),
        (changed(gateways=("192.168.77.255/24",)), "not a host's address"),
        (changed(gateways=("192.168.77.1/31",), dhcp=None), "not a host's address"),
        (changed(gateways=("10.0.0.1/0",), dhcp=None, public=None, snat=False), "not a host's address"),
        (changed(gateways=("192.168.77.1/33",)), "write addresses as"),
        (changed(gateways=("192.168.777.1/24",)), "write addresses as"),
        (changed(gateways=("192.168.77.1/24", "192.168.0.1/16")), "overlap"),
        (public(address="192.168.77.200/24", gateway="192.168.77.201"), "overlap"),
        (public(gateway="172.31.0.1"), "no neighbour"),
        (public(gateway="172.30.0.10"), "no neighbour"),
        (changed(public=None), "SNAT needs a public address"),
        (leases(WEB, msgspec.structs.replace(DB, ip=WEB.ip)), f"2 leases have the address {WEB.ip}"),
        (leases(WEB, msgspec.structs.replace(DB, mac=WEB.mac)), f"2 leases have the MAC {WEB.mac}"),
        (leases(msgspec.structs.replace(WEB, ip="10.0.0.1")), "10.0.0.1 lies in none of the networks"),
        (leases(msgspec.structs.replace(WEB, ip="192.168.77.1")), "is the gateway's"),
        (leases(msgspec.structs.replace(WEB, ip="192.168.77.255")), "broadcast address"),
        (leases(msgspec.structs.replace(WEB, ip="192.168.77.999")), "write addresses as"),
        (changed(dns=DnsService(upstreams=("0.0.0.0",))), "cannot be a name server"),
        (changed(dhcp=DhcpService(dns=("224.0.0.1",))), "cannot be a name server"),
    ],
)
def test_a_fault_is_named(spec: RouterSpec, words: str) -> None:
    [fault] = faults(spec, INSTANCE)
    assert words in fault


def test_every_fault_is_named_at_once() -> None:
    side = PublicSide(bridge="eth0", address="172.30.0.10/24", gateway="10.0.0.1")
    spec = changed(bridge="docker0", public=side, dhcp=DhcpService(leases=(WEB, WEB)))
    assert len(faults(spec, INSTANCE)) == 5


def test_bridges_that_a_host_lacks_are_named() -> None:
    assert missing_bridges(SPEC, {GUESTS, PUBLIC}) == []
    [missing] = missing_bridges(SPEC, {GUESTS})
    assert PUBLIC in missing
    assert missing_bridges(changed(public=None), {GUESTS}) == []
