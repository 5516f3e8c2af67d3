"""`ip` in batches: several answers come apart again, and a failure names the change that failed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.hostkit.iproute import (
    Address,
    Route,
    forwarding,
    in_namespace,
    ip_apply,
    ip_show,
    links,
    routes,
)
from zstack_appliance.kernel.remote import Completed, HostCommandFailed

LINKS = """[{"ifname":"zb1","flags":["BROADCAST","UP"],"mtu":1450,"operstate":"UP","address":"02:00:00:00:00:01",
"ifalias":"abc","linkinfo":{"info_kind":"bridge"},"addr_info":[
{"family":"inet","local":"10.0.0.1","prefixlen":24,"scope":"global"},
{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},{},
{"ifname":"v1","flags":[],"mtu":1500,"master":"zb1"}]"""


async def test_each_question_gets_its_own_rows(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"link show": f'{LINKS}\n[ ]\n[{{"dst":"default"}}]\n'})
    asked = ["link show", "route show", "route show default"]
    shown, none, defaults = await ip_show(runtime, asked, namespace="zs-1")
    assert [row["ifname"] for row in shown] == ["zb1", "v1"]
    assert (none, defaults) == ([], [{"dst": "default"}])
    [ran] = runtime.ran
    assert ran.argv == ("ip", "-netns", "zs-1", "-json", "-batch", "-")
    assert ran.stdin.splitlines() == asked


async def test_a_last_question_without_any_output_has_no_rows(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path, {"link show": "[]\n"})
    assert await ip_show(runtime, ["link show", "netns list"]) == [[], []]


def test_rows_decode_to_links_with_their_addresses() -> None:
    found = links(row for row in json.loads(LINKS) if row)
    bridge, port = found["zb1"], found["v1"]
    assert (bridge.up, port.up) == (True, False)
    assert (bridge.mtu, bridge.ifalias, bridge.linkinfo.info_kind) == (1450, "abc", "bridge")
    assert bridge.ipv4 == {"10.0.0.1/24"}
    assert Address("inet6", "fe80::1", 64, "link") in bridge.addr_info
    assert port.master == "zb1"


def test_routes_and_forwarding_decode() -> None:
    assert routes([{"dst": "default", "gateway": "10.0.0.1", "dev": "wan", "flags": []}]) == [
        Route("default", "10.0.0.1", "wan")
    ]
    rows = [
        {"family": "inet", "interface": "all", "forwarding": True, "rp_filter": "off"},
        {"family": "inet6", "interface": "all", "forwarding": False},
        {"family": "inet", "interface": "lan", "forwarding": False},
    ]
    assert forwarding(rows) == {"all": True, "lan": False}


async def test_no_changes_start_no_process(tmp_path: Path) -> None:
    runtime = ScriptedRuntime(tmp_path)
    await ip_apply(runtime, [])
    assert runtime.ran == []


class FailingRuntime(ScriptedRuntime):
    """Every program fails with these words."""

    async def run(self, *_: object, **__: object) -> Completed:
        """Fail."""
        return Completed(("ip",), 1, "", 'Error: argument "zb9" is wrong\nCommand failed -:2\n')


async def test_a_failure_names_the_change(tmp_path: Path) -> None:
    with pytest.raises(HostCommandFailed, match='ip link set dev v1 master zb9 failed: Error: argument "zb9"'):
        await ip_apply(FailingRuntime(tmp_path), ["link set dev v1 up", "link set dev v1 master zb9"])


def test_programs_enter_a_namespace_by_its_name() -> None:
    assert in_namespace("zs-1", ["nft", "-f", "-"]) == ["nsenter", "--net=/run/netns/zs-1", "nft", "-f", "-"]
    assert in_namespace(None, ["nft"]) == ["nft"]
