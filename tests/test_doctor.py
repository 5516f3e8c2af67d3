"""What can be wrong with a machine, check by check."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zstack_appliance import doctor
from zstack_appliance.doctor import GIB, RELEASED, Finding, Patient, examine


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """A machine on which nothing is wrong but that KVM is missing."""
    root = tmp_path / "root"
    for name, text in {
        "proc/sys/net/ipv4/ip_forward": "1\n",
        "proc/cpuinfo": "flags : fpu vmx\n",
        "dev/kvm": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    return Patient(
        data=data,
        listen=("127.0.0.1", port),
        root=root,
        libvirt=tmp_path / "libvirt-sock",
        systemd=tmp_path / "systemd",
    )


@contextmanager
def listening(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield


def state(found: Finding) -> str:
    assert (found.mend == "") == (found.state == "ok"), "what is wrong comes with its mend, and nothing else does"
    return found.state


def test_every_check_answers(patient: Patient) -> None:
    found = examine(patient)
    assert [one.check for one in found] == [
        "programs", "data folder", "disk", "clock", "port", "libvirtd", "kvm", "ip_forward",
    ]  # fmt: skip


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


def test_forwarding_matters_once_there_are_networks(patient: Patient) -> None:
    assert state(doctor.forwarding(patient)) == "ok"
    (patient.root / "proc/sys/net/ipv4/ip_forward").write_text("0\n")
    assert state(doctor.forwarding(patient)) == "ok"
    (patient.data / "network").mkdir()
    assert state(doctor.forwarding(patient)) == "wrong"


def test_port(patient: Patient) -> None:
    assert "is free" in doctor.port(patient).text
    with socket.create_server(patient.listen):
        assert state(doctor.port(patient)) == "wrong"
        with listening(patient.data / "run" / "api.sock"):
            assert doctor.port(patient).text == "the appliance runs"


def test_clock(patient: Patient) -> None:
    assert state(doctor.clock(patient)) == "ok"
    assert state(doctor.clock(Patient(data=patient.data, now=lambda: RELEASED - 1.0))) == "wrong"
    database = patient.data / "cloud.db"
    database.touch()
    os.utime(database, (RELEASED + 9_999.0, RELEASED + 9_999.0))
    assert state(doctor.clock(Patient(data=patient.data, now=lambda: RELEASED + 1_000.0))) == "wrong"
    assert state(doctor.clock(Patient(data=patient.data, now=lambda: RELEASED + 9_990.0))) == "ok"


def test_rights(patient: Patient) -> None:
    assert state(doctor.rights(patient)) == "ok"
    key = patient.data / "key"
    key.touch(mode=0o600)
    assert state(doctor.rights(patient)) == "ok"
    key.chmod(0o644)
    assert f"chmod 600 {key}" in doctor.rights(patient).mend
    key.chmod(0o600)
    patient.data.chmod(0o775)
    assert f"chmod go-w {patient.data}" in doctor.rights(patient).mend
    assert state(doctor.rights(Patient(data=patient.data / "none"))) == "ok"
