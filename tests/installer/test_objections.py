"""What speaks against a machine, all at once; and what of a machine is found out."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from installer.facts import Facts, look, wanted
from installer.layout import HERE
from installer.objections import GIB, objections
from tests.installer.fake_machine import FakeMachine
from zstack_appliance.doorway import Doorway

GOOD = Facts(
    system="debian 12",
    is_root=True,
    systemd=True,
    architecture="x86_64",
    free=100 * GIB,
    memory=16 * GIB,
    kvm_fault=None,
    taken=(),
    running=False,
    managers=(),
    neighbours=(),
    firewalls=(),
    missing=("libvirt-daemon",),
)


def test_a_good_machine_has_none() -> None:
    assert objections(GOOD) == []


@pytest.mark.parametrize(
    ("facts", "text", "stops"),
    [
        (replace(GOOD, is_root=False), "sudo", True),
        (replace(GOOD, system="ubuntu 24.04"), "this is ubuntu 24.04", True),
        (replace(GOOD, systemd=False), "up' by hand", True),
        (replace(GOOD, architecture="aarch64"), "aarch64", True),
        (replace(GOOD, free=GIB), "make room", True),
        (replace(GOOD, free=10 * GIB), "real VMs", False),
        (replace(GOOD, memory=GIB), "of memory", True),
        (replace(GOOD, memory=2 * GIB), "tiny VMs", False),
        (replace(GOOD, kvm_fault="no svm"), "emulated", False),
        (replace(GOOD, taken=("http://127.0.0.1:8080",)), "--listen", True),
        (replace(GOOD, managers=("Proxmox VE",)), "Proxmox VE", True),
        (replace(GOOD, neighbours=("lxd",)), "lxd", False),
        (replace(GOOD, firewalls=("ufw",)), "ufw allow", False),
        (replace(GOOD, subnet_fault="no subnet is free"), "no subnet is free", True),
    ],
)
def test_each(facts: Facts, text: str, stops: bool) -> None:
    (found,) = objections(facts)
    assert text in found.text
    assert found.stops is stops


def test_all_at_once_and_the_worst_first() -> None:
    found = objections(replace(GOOD, kvm_fault="no svm", is_root=False, system="fedora 40", neighbours=("lxd",)))
    assert [objection.stops for objection in found] == [True, True, False, False]


async def test_what_is_found_out(tmp_path: Path) -> None:
    machine = FakeMachine(tmp_path)
    (tmp_path / "state/packages").write_text("iproute2\npve-manager\nlxd\n")
    machine.start("docker")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        door = Doorway("127.0.0.1", other.getsockname()[1])
        facts = await look(
            machine.machine,
            data=Path("/var/lib/x"),
            doors=(door, Doorway("127.0.0.1", 0)),
            packages=("iproute2", "nftables"),
        )
        assert facts.taken == (str(door),)
        machine.start("zstack-appliance.service")
        running = await look(machine.machine, data=Path("/var/lib/x"), doors=(door,), packages=())
        assert running.taken == (), "it is ours"
    assert (facts.system, facts.systemd, facts.running) == ("debian 12", True, False)
    assert facts.memory == 8 * GIB
    assert facts.kvm_fault is not None
    assert facts.missing == ("nftables",)
    assert facts.managers == ("Proxmox VE",)
    assert facts.neighbours == ("lxd",)
    assert facts.firewalls == ("docker",)


def test_wanted_packages_are_those_that_run_the_cloud() -> None:
    packages = wanted((HERE / "packages.txt").read_text())
    assert {"libvirt-daemon-system", "qemu-system-x86", "dnsmasq-base", "nftables"} <= set(packages)
    assert not {"python3", "gcc", "make", "git"} & set(packages)
