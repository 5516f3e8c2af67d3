"""Which bridges a host gives up when it connects."""

from __future__ import annotations

from zstack_appliance.cloud.l2_network.service import strays
from zstack_appliance.cloud.network_service.host_network.wire import HostNetworkInventory, Interface


def test_only_an_empty_bridge_of_no_network_there_is_a_stray() -> None:
    found = HostNetworkInventory(
        interfaces=(
            Interface(name="zb1", kind="bridge", alias="wanted"),
            Interface(name="zb2", kind="bridge", alias="gone"),
            Interface(name="zb3", kind="bridge", alias="in use"),
            Interface(name="zb4", kind="bridge"),
            Interface(name="zt5", kind="tun", alias="in use", master="zb3"),
        )
    )
    assert strays(found, {"wanted"}) == ["gone"]
