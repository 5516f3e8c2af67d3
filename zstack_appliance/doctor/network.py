"""Checks of the machine's network: ports, forwarding, other firewalls, routes, and what the appliance made in it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import apsw
import msgspec

from zstack_appliance.cloud.l3_network.subnets import routed_networks
from zstack_appliance.cloud.network_service.host_network.firewall import Chain, obstacles
from zstack_appliance.cloud.network_service.host_network.inventory import namespace_served
from zstack_appliance.doctor.patient import Finding, Patient, connects, ok, warning, wrong
from zstack_appliance.hostkit.marks import is_our_interface, namespace_name, table_name

RESTART = "restart the appliance, which makes it anew"


def port(patient: Patient) -> Finding:
    """Whether the appliance's address is its own, or free."""
    host, number = patient.listen
    taken = connects(socket.AF_INET6 if ":" in host else socket.AF_INET, patient.listen)
    if taken and not patient.runs:
        mend = f"stop what listens there (ss -ltnp), or start with another --listen than {host}:{number}"
        return wrong("port", f"port {number} is taken by another program", mend)
    return ok("port", "the appliance runs" if patient.runs else f"port {number} is free; the appliance is stopped")


def forwarding(patient: Patient) -> Finding:
    """Whether the machine forwards packets, as guests need to reach the world."""
    setting = patient.kernel("net/ipv4/ip_forward")
    if not setting:
        return wrong("ip_forward", "the kernel has no such setting", "run on Linux with IPv4")
    if setting == "1":
        return ok("ip_forward", "the machine forwards packets")
    if not (patient.data / "network").exists():
        return ok("ip_forward", "off; 'up' switches it on")
    mend = "something switched it off; restart the appliance, or: sysctl -w net.ipv4.ip_forward=1"
    return wrong("ip_forward", "off, so that guests reach nothing outside", mend)


def firewall(patient: Patient) -> Finding:
    """Whether another firewall drops what guests send and receive."""
    if not (patient.data / "network").exists():
        return ok("firewall", "'up' looks for firewalls, and opens them")
    ruleset = _nft(patient, "list", "ruleset")
    chains = [msgspec.convert(row["chain"], Chain) for row in ruleset if "chain" in row]
    bridges = f"zb{patient.instance}"
    for one in obstacles(chains, patient.instance):
        # firewalld keeps the names of interfaces in chains beside the one that drops.
        table = one.chain.split()[:2]
        opened = any(_mentions(row["rule"], bridges, table) for row in ruleset if "rule" in row)
        if not opened:
            mend = one.note or "restart the appliance, which opens it"
            return wrong("firewall", f"{one.chain} may drop what passes our bridges", mend)
    return ok("firewall", "no other firewall drops what passes our bridges")


def _mentions(rule: dict[str, Any], bridges: str, table: list[str]) -> bool:
    return [rule["family"], rule["table"]] == table and bridges in json.dumps(rule)


def bridge_filter(patient: Patient) -> Finding:
    """Whether the kernel shows bridged packets to firewalls, where one of them would drop them."""
    if patient.kernel("net/bridge/bridge-nf-call-iptables") != "1":
        return ok("br_netfilter", "bridged packets pass no firewall")
    if firewall(patient).state == "ok":
        return ok("br_netfilter", "firewalls see bridged packets, and let ours pass")
    mend = "mend the firewall above; it drops also what VMs of one network say to each other"
    return warning("br_netfilter", "firewalls see bridged packets", mend)


def routes(patient: Patient) -> Finding:
    """Whether the machine has come to have routes into networks of ours, as a VPN may bring."""
    try:
        rows = patient.rows("SELECT network_cidr FROM ip_range WHERE ip_version = 4")
    except apsw.Error:
        rows = []
    listed = json.loads(patient.ask(["ip", "-json", "route", "show"]) or "[]")
    foreign = routed_networks(row for row in listed if not is_our_interface(str(row.get("dev")), patient.instance))
    for (cidr,) in rows:
        ours = IPv4Network(str(cidr), strict=False)
        other = next((network for network in foreign if network.overlaps(ours)), None)
        if other is not None:
            mend = "give the L3 network another range, or the machine another route"
            return wrong("routes", f"the machine's route to {other} overlaps our network {ours}", mend)
    return ok("routes", f"none of them overlaps our {len(rows)} networks")


def table(patient: Patient) -> Finding:
    """Whether our firewall table is there: without it guests reach nothing."""
    if not patient.runs or not (patient.data / "network" / "table.json").exists():
        return ok("nft table", "it is made once the appliance runs")
    name = table_name(patient.instance)
    tables = [row["table"]["name"] for row in _nft(patient, "list", "tables") if "table" in row]
    if name not in tables:
        return wrong("nft table", f"{name} has gone: something flushed all tables", RESTART)
    return ok("nft table", f"{name} is there")


def dnsmasq(patient: Patient) -> Finding:
    """Whether each router that runs here has its dnsmasq, which gives VMs their addresses."""
    try:
        rows = patient.rows("SELECT l3_network_uuid FROM namespace_router")
    except apsw.Error:
        rows = []
    wanted = {namespace_name(patient.instance, str(uuid)) for (uuid,) in rows}
    present = {row["name"] for row in json.loads(patient.ask(["ip", "-json", "netns"]) or "[]")}
    local = wanted & present
    processes = patient.root / "proc"
    pids = [int(path.name) for path in processes.glob("[0-9]*")]
    serving = {namespace_served(pid, patient.instance, processes) for pid in pids}
    silent = sorted(local - serving)
    if silent and patient.runs:
        return wrong("dnsmasq", f"none serves {', '.join(silent)}, so VMs there get no address", RESTART)
    return ok("dnsmasq", f"{len(local & serving)} of {len(local)} routers here have theirs")


def _nft(patient: Patient, *question: str) -> list[dict[str, Any]]:
    """What nft lists; nothing where it is not installed, or we may not ask."""
    rows: list[dict[str, Any]] = json.loads(patient.ask(["nft", "--json", *question]) or "{}").get("nftables", [])
    return rows


CHECKS: tuple[Callable[[Patient], Finding], ...] = (
    port,
    forwarding,
    firewall,
    bridge_filter,
    routes,
    table,
    dnsmasq,
)
