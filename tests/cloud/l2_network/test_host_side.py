"""Bridges on a host: what is asked of `ip`, and when nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.l2_network.host_side import apply_bridge, remove_bridge
from zstack_appliance.cloud.l2_network.wire import ApplyBridge, RemoveBridge
from zstack_appliance.kernel.remote import HostCommandFailed

UUID, NAME = "1" * 32, "zbab12cd1111111"
BRIDGE = {"ifname": NAME, "flags": ["UP"], "mtu": 1500, "ifalias": UUID, "linkinfo": {"info_kind": "bridge"}}
LOOK, PORTS = "address show type bridge", f"link show master {NAME}"


def _script(*bridges: object, ports: object = ()) -> dict[str, str | HostCommandFailed]:
    return {LOOK: f"{json.dumps(bridges)}\n[]\n", PORTS: json.dumps(ports)}


async def test_a_bridge_is_made_silenced_and_brought_up(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, _script())
    made = await apply_bridge(ApplyBridge(l2_network_uuid=UUID), runtime)
    assert made.name == NAME
    words = [ran.text for ran in runtime.ran]
    silence = next(number for number, text in enumerate(words) if f"net.ipv6.conf.{NAME}.disable_ipv6=1" in text)
    up = next(number for number, text in enumerate(words) if f"link set dev {NAME} up" in text)
    assert silence < up == len(words) - 1


async def test_a_bridge_that_is_there_is_left_alone(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, _script(BRIDGE))
    assert (await apply_bridge(ApplyBridge(l2_network_uuid=UUID), runtime)).changed == ()
    assert runtime.changes() == []


async def test_a_fault_changes_nothing(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, _script({**BRIDGE, "ifalias": "1" * 7 + "2" * 25}))
    with pytest.raises(HostCommandFailed, match="begins like"):
        await apply_bridge(ApplyBridge(l2_network_uuid=UUID), runtime)
    with pytest.raises(HostCommandFailed, match="begins like"):
        await remove_bridge(RemoveBridge(l2_network_uuid=UUID), runtime)
    assert runtime.changes() == []


async def test_an_interface_that_is_not_there_is_named(tmp_path: Path) -> None:
    script = {"address show dev nic9": HostCommandFailed("does not exist"), **_script()}
    runtime = ScriptedRuntime(tmp_path, script)
    with pytest.raises(HostCommandFailed, match="nic9: choose one"):
        await apply_bridge(ApplyBridge(l2_network_uuid=UUID, physical_interface="nic9"), runtime)
    assert runtime.changes() == []


async def test_our_own_ports_are_not_taken_for_joined_ones(tmp_path: Path) -> None:
    ports = [{"ifname": "ztab12cd0", "flags": []}, {"ifname": "old0", "flags": []}]
    runtime = ScriptedRuntime(tmp_path, _script(BRIDGE, ports=ports))
    await apply_bridge(ApplyBridge(l2_network_uuid=UUID), runtime)
    assert runtime.changes() == ["link set dev old0 nomaster"]


async def test_removing_is_refused_while_something_is_attached(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, _script(BRIDGE, ports=[{"ifname": "ztab12cd0", "flags": []}]))
    with pytest.raises(HostCommandFailed, match="ztab12cd0"):
        await remove_bridge(RemoveBridge(l2_network_uuid=UUID), runtime)
    assert runtime.changes() == []


async def test_removing_what_is_not_there_does_nothing(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, _script())
    assert (await remove_bridge(RemoveBridge(l2_network_uuid=UUID), runtime)).changed == ()
    there = ScriptedRuntime(tmp_path, _script(BRIDGE))
    await remove_bridge(RemoveBridge(l2_network_uuid=UUID), there)
    assert there.changes() == [f"link delete dev {NAME}"]
