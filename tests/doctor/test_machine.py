"""Programs, versions, disk, memory, clock, libvirtd and KVM."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

from tests.doctor.conftest import listening, put, state
from zstack_appliance.doctor import machine as doctor
from zstack_appliance.doctor.machine import GIB, RELEASED
from zstack_appliance.doctor.patient import Patient


def test_programs(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path: None if name == "tini" else name)
    lacking = doctor.tools(patient)
    assert (state(lacking), "tini" in lacking.text) == ("wrong", True)
    patient.systemd.mkdir()
    assert state(doctor.tools(patient)) == "ok"


def test_kvm(patient: Patient) -> None:
    assert state(doctor.kvm(patient)) == "ok"
    verdict = patient.data / "run" / "accelerator.json"
    verdict.parent.mkdir()
    verdict.write_text('{"accelerator":"tcg","reason":"QEMU does not run under KVM"}')
    assert "QEMU does not run" in doctor.kvm(patient).text
    verdict.unlink()
    (patient.root / "proc/cpuinfo").write_text("flags : fpu\n")
    assert state(doctor.kvm(patient)) == "warning"
    (patient.root / "dev/kvm").unlink()
    assert "/dev/kvm" in doctor.kvm(patient).text


def test_libvirtd(patient: Patient) -> None:
    assert state(doctor.libvirtd(patient)) == "warning"
    with listening(patient.libvirt):
        assert state(doctor.libvirtd(patient)) == "ok"


@pytest.mark.parametrize(("free", "expected"), [(20 * GIB, "ok"), (5 * GIB, "warning"), (GIB, "wrong")])
def test_disk(patient: Patient, monkeypatch: pytest.MonkeyPatch, free: int, expected: str) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100 * GIB, 0, free))
    assert state(doctor.disk(patient)) == expected


def test_clock(patient: Patient) -> None:
    assert state(doctor.clock(patient)) == "ok"
    assert state(doctor.clock(Patient(data=patient.data, now=lambda: RELEASED - 1.0))) == "wrong"
    database = patient.data / "cloud.db"
    database.touch()
    os.utime(database, (RELEASED + 9_999.0, RELEASED + 9_999.0))
    assert state(doctor.clock(Patient(data=patient.data, now=lambda: RELEASED + 1_000.0))) == "wrong"
    assert state(doctor.clock(Patient(data=patient.data, now=lambda: RELEASED + 9_990.0))) == "ok"


def test_versions(patient: Patient) -> None:
    assert state(doctor.versions(patient)) == "ok", "what cannot be asked is told by another check"
    said = {
        "qemu-system-x86_64": "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)",
        "libvirtd": "libvirtd (libvirt) 9.0.0",
    }
    new = replace(patient, ask=lambda argv: said[argv[0]])
    assert doctor.versions(new).text == "qemu 7.2.22, libvirt 9.0.0"
    said["libvirtd"] = "libvirtd (libvirt) 7.0.0"
    assert state(doctor.versions(new)) == "warning"


def test_inodes(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert state(doctor.inodes(patient)) == "ok"
    full = list(os.statvfs("/"))
    full[5], full[7] = 1_000_000, 12
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(full))
    assert (state(doctor.inodes(patient)), "12 more" in doctor.inodes(patient).text) == ("wrong", True)


@pytest.mark.parametrize(
    ("overcommit", "kilobytes", "expected"),
    [("0", 4_000_000, "ok"), ("2", 4_000_000, "warning"), ("0", 90_000, "wrong")],
)
def test_memory(patient: Patient, overcommit: str, kilobytes: int, expected: str) -> None:
    put(patient, "proc/sys/vm/overcommit_memory", f"{overcommit}\n")
    put(patient, "proc/meminfo", f"MemTotal: 8000000 kB\nMemAvailable:   {kilobytes} kB\n")
    assert state(doctor.memory(patient)) == expected


def test_clock_is_kept(patient: Patient) -> None:
    assert state(doctor.clock_is_kept(patient)) == "ok"
    patient.systemd.mkdir()
    assert state(doctor.clock_is_kept(patient)) == "warning"
    kept = replace(patient, ask=lambda _: "NTP=yes\nNTPSynchronized=yes\n")
    assert state(doctor.clock_is_kept(kept)) == "ok"
