"""Bridges on a simulated host."""

from __future__ import annotations

from tests.shelf_runtime import ShelfRuntime
from zstack_appliance.cloud.l2_network.host_side import HOST_SIDE
from zstack_appliance.cloud.l2_network.simulated import apply_bridge, remove_bridge
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, RemoveBridge

UUID = "1" * 32


def test_every_command_has_its_twin() -> None:
    assert HOST_SIDE.simulated.keys() == HOST_SIDE.real.keys()


async def test_a_bridge_comes_and_goes_and_repeating_changes_nothing() -> None:
    runtime = ShelfRuntime()
    command = ApplyBridge(l2_network_uuid=UUID)
    assert (await apply_bridge(command, runtime)).changed
    assert (await apply_bridge(command, runtime)).changed == ()
    assert list(runtime.shelf("bridge")) == ["zbab12cd1111111"]
    assert (await remove_bridge(RemoveBridge(l2_network_uuid=UUID), runtime)).changed
    assert (await remove_bridge(RemoveBridge(l2_network_uuid=UUID), runtime)).changed == ()
    assert runtime.shelf("bridge") == {}
