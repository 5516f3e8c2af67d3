"""A machine to examine: a folder in which nothing is wrong, with a data folder whose appliance is stopped."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zstack_appliance.doctor.patient import Finding, Patient

INSTANCE = "a1b2c3"


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    """Its programs answer nothing, as on a machine that lacks them."""
    root = tmp_path / "root"
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    (data / "instance").write_text(f"{INSTANCE}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    made = Patient(
        data=data,
        listen=("127.0.0.1", port),
        root=root,
        libvirt=tmp_path / "libvirt-sock",
        systemd=tmp_path / "systemd",
        ask=lambda _: None,
    )
    put(made, "proc/sys/net/ipv4/ip_forward", "1\n")
    put(made, "proc/cpuinfo", "flags : fpu vmx\n")
    put(made, "dev/kvm", "")
    return made


def put(patient: Patient, name: str, text: str) -> None:
    """Have a file on the machine."""
    path = patient.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@contextmanager
def listening(path: Path) -> Iterator[None]:
    """Somebody listens at a socket."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        yield


def state(found: Finding) -> str:
    """Of a finding that is well formed."""
    assert (found.mend == "") == (found.state == "ok"), "what is wrong comes with its mend, and nothing else does"
    return found.state
