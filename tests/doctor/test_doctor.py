"""All checks together, on a machine that has nothing, and on a folder that is no data folder."""

from __future__ import annotations

from dataclasses import replace

from tests.doctor.conftest import state
from zstack_appliance.doctor import Patient, examine


def test_every_check_answers(patient: Patient) -> None:
    found = examine(patient)
    assert [one.check for one in found] == [
        "programs", "versions", "disk", "inodes", "memory", "clock", "clock kept", "libvirtd", "kvm",
        "data folder", "secrets", "database", "appliance", "service", "certificate", "plain http", "stuck work",
        "jobs", "orphans",
        "port", "ip_forward", "firewall", "br_netfilter", "routes", "nft table", "dnsmasq",
    ]  # fmt: skip
    for one in found:
        state(one)


def test_before_the_first_start(patient: Patient) -> None:
    found = examine(replace(patient, data=patient.data / "none"))
    assert {one.check for one in found if one.state == "wrong"} <= {"programs", "disk"}


def test_a_damaged_database_is_told_once(patient: Patient) -> None:
    (patient.data / "cloud.db").write_bytes(b"nothing that SQLite knows" * 100)
    wrong = [one.check for one in examine(patient) if one.state == "wrong" and one.check not in ("programs", "disk")]
    assert wrong == ["database"]
