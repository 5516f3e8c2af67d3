"""What is ours is told from what is not by its marks alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripted_runtime import ScriptedRuntime
from zstack_appliance.cloud.network_service.host_network.inventory import (
    daemons,
    namespace_served,
    other_instances,
    take,
)
from zstack_appliance.cloud.network_service.host_network.wire import Daemon, HostNetworkInventory, Interface


@pytest.fixture
def processes(tmp_path: Path) -> Path:
    """A table of processes."""
    table = tmp_path / "proc"
    for pid, arguments in {
        "7": ["dnsmasq", "--conf-file=/data/network/zs-ab12cd-2222222/dnsmasq.conf"],
        "5": ["/usr/sbin/dnsmasq", "--conf-file=/data/network/zs-ab12cd-1111111/dnsmasq.conf"],
        "8": ["dnsmasq", "--conf-file=/data/network/zs-ffffff-1111111/dnsmasq.conf"],
        "9": ["vi", "--conf-file=/data/network/zs-ab12cd-1111111/dnsmasq.conf"],
        "10": ["dnsmasq", "--conf-file=/var/lib/libvirt/dnsmasq/default.conf"],
        "11": [],
        "self": ["dnsmasq", "--conf-file=/data/network/zs-ab12cd-3333333/dnsmasq.conf"],
    }.items():
        (table / pid).mkdir(parents=True)
        (table / pid / "cmdline").write_bytes("".join(f"{argument}\0" for argument in arguments).encode())
    return table


def test_our_daemons_are_told_by_their_configuration(processes: Path) -> None:
    assert daemons("ab12cd", processes) == [
        Daemon(pid=5, namespace="zs-ab12cd-1111111"),
        Daemon(pid=7, namespace="zs-ab12cd-2222222"),
    ]


def test_a_process_that_has_gone_serves_nothing(processes: Path) -> None:
    assert namespace_served(4711, "ab12cd", processes) is None


def test_other_appliances_are_told_by_their_tables() -> None:
    tables = ["ip zs_ab12cd", "ip zs_ffffff", "inet zs_ffffff", "ip zs_toolong1", "ip filter"]
    assert other_instances(tables, "ab12cd") == ["ffffff"]


async def test_the_inventory_holds_what_carries_the_id_and_nothing_else(tmp_path: Path) -> None:
    rows = [
        {"ifname": "ztab12cd9999999", "flags": [], "master": "zbab12cd1111111", "linkinfo": {"info_kind": "tun"}},
        {"ifname": "zbab12cd1111111", "flags": [], "ifalias": "1" * 32, "linkinfo": {"info_kind": "bridge"}},
        {"ifname": "zbffffff1111111", "flags": [], "linkinfo": {"info_kind": "bridge"}},
        {"ifname": "eth0", "flags": []},
    ]
    namespaces = [{"name": "zs-ab12cd-1111111"}, {"name": "mine"}]
    tables = [{"table": {"family": "ip", "name": name}} for name in ("zs_ab12cd", "zs_ffffff", "filter")]
    script = {
        "link show": f"{json.dumps(rows)}\n{json.dumps(namespaces)}\n",
        "list tables": json.dumps({"nftables": tables}),
        "list chains": json.dumps({"nftables": []}),
    }
    for folder in ("zs-ab12cd-1111111", "zs-ffffff-1111111"):
        (tmp_path / "network" / folder).mkdir(parents=True)
    assert await take(ScriptedRuntime(tmp_path, script)) == HostNetworkInventory(
        interfaces=(
            Interface(name="zbab12cd1111111", kind="bridge", alias="1" * 32),
            Interface(name="ztab12cd9999999", kind="tun", master="zbab12cd1111111"),
        ),
        namespaces=("zs-ab12cd-1111111",),
        tables=("ip zs_ab12cd",),
        folders=("zs-ab12cd-1111111",),
    )
