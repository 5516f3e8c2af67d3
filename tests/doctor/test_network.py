"""Ports, forwarding, other firewalls, routes, and what the appliance made in the network."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import apsw
import pytest

from tests.doctor.conftest import INSTANCE, listening, put, state
from tests.doctor.test_data import database, insert
from zstack_appliance.doctor import network as doctor
from zstack_appliance.doctor.patient import Patient

__all__ = ["database"]

L3 = "5" * 32
ROUTER = f"zs-{INSTANCE}-5555555"


def saying(patient: Patient, **answers: Any) -> Patient:
    """A machine whose programs answer this, as JSON."""

    def ask(argv: Sequence[str]) -> str | None:
        name = "_".join(word for word in argv if not word.startswith("-"))
        return json.dumps(answers[name]) if name in answers else None

    return replace(patient, ask=ask)


def test_port(patient: Patient) -> None:
    assert "is free" in doctor.port(patient).text
    with socket.create_server(patient.listen):
        assert state(doctor.port(patient)) == "wrong"
        with listening(patient.data / "run" / "api.sock"):
            assert doctor.port(patient).text == "the appliance runs"


def test_forwarding_matters_once_there_are_networks(patient: Patient) -> None:
    assert state(doctor.forwarding(patient)) == "ok"
    put(patient, "proc/sys/net/ipv4/ip_forward", "0\n")
    assert state(doctor.forwarding(patient)) == "ok"
    (patient.data / "network").mkdir()
    assert state(doctor.forwarding(patient)) == "wrong"
    (patient.root / "proc/sys/net/ipv4/ip_forward").unlink()
    assert "Linux" in doctor.forwarding(patient).mend


def chain(table: str, name: str, policy: str | None = None) -> dict[str, Any]:
    hook = {"hook": "forward", "policy": policy} if policy else {}
    return {"chain": {"family": "ip", "table": table, "name": name, "handle": 1, **hook}}


def rule(table: str, name: str, interface: str) -> dict[str, Any]:
    match = {"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": interface}}
    return {"rule": {"family": "ip", "table": table, "chain": name, "handle": 2, "expr": [match, {"accept": None}]}}


DROPS = [chain("filter", "FORWARD", "drop"), chain("filter", "DOCKER-USER")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "ok"),
        ([chain("filter", "FORWARD", "accept")], "ok"),
        (DROPS, "wrong"),
        ([*DROPS, rule("filter", "DOCKER-USER", f"zb{INSTANCE}*")], "ok"),
        ([*DROPS, rule("other", "DOCKER-USER", f"zb{INSTANCE}*")], "wrong"),
        ([*DROPS, rule("filter", "DOCKER-USER", "zbffffff*")], "wrong"),
        ([chain("firewalld", "filter_FORWARD")], "wrong"),
        ([chain("firewalld", "filter_FORWARD"), rule("firewalld", "filter_FORWARD_ZONES", f"zb{INSTANCE}*")], "ok"),
    ],
)
def test_firewall(patient: Patient, rows: list[dict[str, Any]], expected: str) -> None:
    machine = saying(patient, nft_list_ruleset={"nftables": rows})
    assert state(doctor.firewall(machine)) == "ok", "nothing is ours yet"
    (patient.data / "network").mkdir()
    assert state(doctor.firewall(machine)) == expected
    assert state(doctor.bridge_filter(machine)) == "ok"
    put(patient, "proc/sys/net/bridge/bridge-nf-call-iptables", "1\n")
    assert state(doctor.bridge_filter(machine)) == ("ok" if expected == "ok" else "warning")


def test_routes(patient: Patient, database: apsw.Connection) -> None:
    insert(database, "ip_range", uuid="1" * 32, network_cidr="10.100.0.0/20", ip_version=4, ip_range_type="Normal")
    ours = {"dst": "10.100.0.0/20", "dev": f"zb{INSTANCE}1234567"}
    lan = {"dst": "192.168.1.0/24", "dev": "eth0"}
    assert state(doctor.routes(saying(patient, ip_route_show=[ours, lan]))) == "ok"
    found = doctor.routes(saying(patient, ip_route_show=[ours, lan, {"dst": "10.0.0.0/8", "dev": "tun0"}]))
    assert (state(found), "10.0.0.0/8 overlaps our network 10.100.0.0/20" in found.text) == ("wrong", True)


def test_table(patient: Patient) -> None:
    assert state(doctor.table(patient)) == "ok"
    (patient.data / "network").mkdir()
    (patient.data / "network" / "table.json").write_text("{}")
    with listening(patient.data / "run" / "api.sock"):
        assert state(doctor.table(patient)) == "wrong"
        listed = {"nftables": [{"table": {"family": "ip", "name": f"zs_{INSTANCE}"}}]}
        assert state(doctor.table(saying(patient, nft_list_tables=listed))) == "ok"


def test_dnsmasq(patient: Patient, database: apsw.Connection) -> None:
    insert(database, "namespace_router", uuid="1" * 32, l3_network_uuid=L3)
    insert(database, "namespace_router", uuid="2" * 32, l3_network_uuid="6" * 32)
    machine = saying(patient, ip_netns=[{"name": ROUTER}])
    with listening(patient.data / "run" / "api.sock"):
        found = doctor.dnsmasq(machine)
        assert (state(found), ROUTER in found.text) == ("wrong", True), "the other router is on another host"
        put(patient, "proc/4711/cmdline", f"/usr/sbin/dnsmasq\0--conf-file=/data/network/{ROUTER}/dnsmasq.conf\0")
        assert doctor.dnsmasq(machine).text == "1 of 1 routers here have theirs"
