"""A host's network is refused as a whole or applied in order; a purge that leaves something says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.network_service.host_network.host_side import (
    apply_host_network,
    purge_host_network,
)
from zstack_appliance.cloud.network_service.host_network.wire import (
    ApplyHostNetwork,
    PublicNetwork,
    PurgeHostNetwork,
)
from zstack_appliance.kernel.remote import HostCommandFailed

NETWORK = PublicNetwork(bridge="zbab12cd2222222", subnet="172.30.0.0/24")
EMPTY = {
    "accept_redirects\n": "b1\n0\n1\n",
    "-n kernel.random.boot_id net.ipv4.ip_forward\n": "b1\n1\n",
    "netconf show": "[]",
    "list chains": '{"nftables": []}',
    "list tables": '{"nftables": []}',
    "list table": "table listed",
}


async def test_what_was_before_is_remembered_before_anything_is_changed(tmp_path: Path) -> None:
    record = tmp_path / "network" / "forwarding.json"
    refusing = ScriptedRuntime(tmp_path, {"-w net.ipv4": HostCommandFailed("read-only"), **EMPTY})
    with pytest.raises(HostCommandFailed, match="read-only"):
        await apply_host_network(ApplyHostNetwork(public=(NETWORK,)), refusing)
    assert json.loads(record.read_text())["settings"]["net.ipv4.ip_forward"] == "0"
    assert not any("nft" in ran.argv for ran in refusing.ran)


async def test_everything_is_applied(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, EMPTY)
    state = await apply_host_network(ApplyHostNetwork(public=(NETWORK,)), runtime)
    assert state.changed == ("net.ipv4.ip_forward=1", "table ip zs_ab12cd replaced")


async def test_a_fault_changes_nothing(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, EMPTY)
    wrong = PublicNetwork(bridge="docker0", subnet="172.30.0.0/24")
    with pytest.raises(HostCommandFailed, match="docker0"):
        await apply_host_network(ApplyHostNetwork(public=(wrong,)), runtime)
    assert runtime.ran == []


async def test_ports_go_before_bridges_and_namespaces_last(tmp_path: Path) -> None:
    rows = [
        {"ifname": "zbab12cd1111111", "flags": [], "linkinfo": {"info_kind": "bridge"}},
        {"ifname": "ziab12cd3333333", "flags": [], "linkinfo": {"info_kind": "veth"}},
    ]
    listed = f"{json.dumps(rows)}\n{json.dumps([{'name': 'zs-ab12cd-3333333'}])}\n"
    runtime = ScriptedRuntime(tmp_path, {"link show": listed, **EMPTY})
    # The script knows no change, so everything is still there afterwards.
    with pytest.raises(HostCommandFailed, match="still holds"):
        await purge_host_network(PurgeHostNetwork(), runtime)
    assert runtime.changes() == [
        "link delete dev ziab12cd3333333",
        "link delete dev zbab12cd1111111",
        "netns delete zs-ab12cd-3333333",
    ]


async def test_purging_nothing_changes_nothing(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"link show": "[]\n", **EMPTY})
    assert (await purge_host_network(PurgeHostNetwork(), runtime)).changed == ()
