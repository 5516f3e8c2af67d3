"""What a host has, beside what the records say it should have: compared by tools that are not ours.

Primitives: `differences` (one line for each thing too many or too few; empty when all is well). It asks
`virsh`, `ip` and `nft`, looks into the data folder, and reads the database directly, so that a defect in the
appliance's own account of itself cannot hide here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from agents.process import run
from zstack_appliance.cloud.l2_network.wire import bridge_name
from zstack_appliance.hostkit.marks import Kind, interface_name, is_our_interface, namespace_name, table_name


@dataclass(frozen=True)
class Records:
    """The rows of a database, read by themselves."""

    database: Path

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]

    def open_work(self) -> list[str]:
        """Jobs and flows that have not ended."""
        jobs = [f"job {row['uuid']} {row['api']}" for row in self.rows("job") if row["state"] == "Running"]
        runs = [
            f"flow {row['flow']} {row['state']} at {row['position']}"
            for row in self.rows("flow_run")
            if row["state"] not in ("Done", "Unwound")
        ]
        return jobs + runs


async def differences(data: Path, instance: str) -> list[str]:
    """Everything in which host and records differ, and records among themselves."""
    records = Records(data / "cloud.db")
    vms = {row["uuid"]: row["state"] for row in records.rows("vm_instance")}
    running = {uuid for uuid, state in vms.items() if state == "Running"}
    nics = [row for row in records.rows("vm_nic") if row["vm_instance_uuid"] in running]
    routers = [row["l3_network_uuid"] for row in records.rows("namespace_router")]
    found = [*records.open_work(), *_unsettled(vms)]
    found += _differ("running domain", await _domains("--state-running"), running)
    found += _differ("domain", await _domains("--all"), running)
    found += _differ("interface", await _interfaces(instance), _interfaces_wanted(records, instance, nics, routers))
    namespaces = {namespace_name(instance, uuid) for uuid in routers}
    found += _differ("namespace", await _namespaces(), namespaces)
    for namespace in (None, *sorted(namespaces)):
        where = f"table in {namespace or 'the host'}"
        found += _differ(where, await _tables(namespace), {f"ip {table_name(instance)}"})
    for uuid in routers:
        served = {row["mac"] for row in records.rows("vm_nic") if row["l3_network_uuid"] == uuid and row["served"]}
        leases = data / "network" / namespace_name(instance, uuid) / "dhcp-hosts"
        found += _differ("DHCP entry", {line.split(",")[0] for line in leases.read_text().splitlines()}, served)
    found += _folders(data, records, running)
    found += _ledgers(records, running)
    return found


def _unsettled(vms: dict[str, str]) -> list[str]:
    return [f"VM {uuid} is {state}" for uuid, state in vms.items() if state not in ("Running", "Destroyed")]


def _folders(data: Path, records: Records, running: set[str]) -> Iterator[str]:
    """Files of VMs, volumes and images, unfinished ones included."""
    volumes = {row["uuid"] for row in records.rows("volume") if row["type"] == "Root"}
    images = {row["uuid"] for row in records.rows("image")}
    yield from _differ("VM folder", _names(data / "vms"), running)
    yield from _differ("root volume", _names(data / "primary" / "rootVolumes"), volumes)
    yield from _differ("data volume", _names(data / "primary" / "dataVolumes"), set())
    yield from _differ("cached image", _names(data / "primary" / "imagecache"), images)
    yield from _differ("image", _names(data / "backup" / "images"), images)


def _ledgers(records: Records, running: set[str]) -> Iterator[str]:
    """What is promised to VMs that are not there, or not promised to those that are."""
    hosts, charges = records.rows("host"), records.rows("host_charge")
    yield from _differ("place on a host", {row["vm_uuid"] for row in charges}, running)
    for host in hosts:
        held = sum(row["memory"] for row in charges if row["host_uuid"] == host["uuid"])
        free = host["total_memory_capacity"] - host["available_memory_capacity"]
        if held != free:
            yield f"host {host['name']} says that {free} bytes are in use, its VMs hold {held}"
    volumes = {row["uuid"] for row in records.rows("volume")}
    yield from _differ("promise of space", {row["uuid"] for row in records.rows("space_charge")}, volumes)
    nics = {row["used_ip_uuid"] for row in records.rows("vm_nic") if row["used_ip_uuid"]}
    router_ips = {row["public_ip_uuid"] for row in records.rows("namespace_router") if row["public_ip_uuid"]}
    yield from _differ("address", {row["uuid"] for row in records.rows("used_ip")}, nics | router_ips)
    vms = {row["uuid"] for row in records.rows("vm_instance")}
    yield from _differ("NIC's VM", {row["vm_instance_uuid"] for row in records.rows("vm_nic")}, vms)
    yield from _differ("volume's VM", {row["vm_instance_uuid"] for row in records.rows("volume")}, vms)


def _differ(what: str, there: set[str], wanted: set[str]) -> Iterator[str]:
    yield from (f"{what} too many: {name}" for name in sorted(there - wanted))
    yield from (f"{what} missing: {name}" for name in sorted(wanted - there))


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} if folder.exists() else set()


async def _domains(which: str) -> set[str]:
    listed = await run(["virsh", "list", "--uuid", which])
    return {UUID(line.strip()).hex for line in listed.stdout.splitlines() if line.strip()}


async def _interfaces(instance: str) -> set[str]:
    listed = await run(["ip", "-json", "link", "show"])
    return {row["ifname"] for row in json.loads(listed.stdout) if is_our_interface(row["ifname"], instance)}


def _interfaces_wanted(
    records: Records, instance: str, nics: Iterable[dict[str, Any]], routers: Iterable[str]
) -> set[str]:
    bridges = {bridge_name(instance, row["l2_network_uuid"]) for row in records.rows("l2_network_cluster_ref")}
    taps = {interface_name(Kind.TAP, instance, nic["uuid"]) for nic in nics}
    ends = {interface_name(kind, instance, uuid) for kind in (Kind.LAN, Kind.WAN) for uuid in routers}
    return bridges | taps | ends


async def _namespaces() -> set[str]:
    listed = await run(["ip", "-json", "netns", "list"])
    return {row["name"] for row in json.loads(listed.stdout or "[]")}


async def _tables(namespace: str | None) -> set[str]:
    inside = ["ip", "netns", "exec", namespace] if namespace is not None else []
    listed = await run([*inside, "nft", "--json", "list", "ruleset"])
    entries = json.loads(listed.stdout)["nftables"]
    return {f"{one['table']['family']} {one['table']['name']}" for one in entries if "table" in one}
