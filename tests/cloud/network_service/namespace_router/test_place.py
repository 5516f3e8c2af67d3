"""A router's names and files follow from the appliance and the network."""

from __future__ import annotations

from pathlib import Path

from zstack_appliance.cloud.network_service.namespace_router.place import LAN, WAN, place_of

PLACE = place_of("0123456789abcdef0123456789abcdef", instance="ab12cd", data=Path("/data"))


def test_every_name_carries_the_appliance_and_the_network() -> None:
    assert PLACE.namespace == "zs-ab12cd-0123456"
    assert (PLACE.lan_end, PLACE.wan_end) == ("ziab12cd0123456", "zoab12cd0123456")
    assert PLACE.table == "ip zs_ab12cd"
    assert PLACE.folder == Path("/data/network/zs-ab12cd-0123456")


def test_mac_addresses_stay_and_differ() -> None:
    again = place_of(PLACE.l3_network_uuid, instance="ffffff", data=Path("/other"))
    assert PLACE.mac(LAN) == again.mac(LAN) != PLACE.mac(WAN)
    for interface in (LAN, WAN):
        assert int(PLACE.mac(interface)[:2], 16) & 0b11 == 0b10
