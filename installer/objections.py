"""What speaks against installing on a machine: `objections`, pure, everything at once."""

from __future__ import annotations

from dataclasses import dataclass

from installer.facts import Facts

GIB = 2**30
LEAST_DISK, LEAST_MEMORY = 3 * GIB, int(1.5 * GIB)
"""What the packages, the program and a first VM take."""
GOOD_DISK, GOOD_MEMORY = 20 * GIB, 4 * GIB


@dataclass(frozen=True)
class Objection:
    """Something that is not as it should be.

    Args:
        text: what, and what to do.
        stops: whether nothing may be installed before it is mended.
    """

    text: str
    stops: bool = True


def objections(facts: Facts) -> list[Objection]:
    """What speaks against it, the worst first."""
    found = [*_stopping(facts), *_warnings(facts)]
    return sorted(found, key=lambda objection: not objection.stops)


def _stopping(facts: Facts) -> list[Objection]:
    checks = (
        (not facts.is_root, "you are not root: run it with sudo"),
        (
            facts.system != "debian 12",
            f"this is {facts.system}; the appliance is made for debian 12: use such a machine",
        ),
        (not facts.systemd, "no systemd runs here to keep the appliance running: use 'zstack-appliance up' by hand"),
        (facts.architecture != "x86_64", f"this is a {facts.architecture} machine; it has to be x86_64"),
        (facts.free < LEAST_DISK, f"{_gib(facts.free)} of disk are free, {_gib(LEAST_DISK)} are needed: make room"),
        (facts.memory < LEAST_MEMORY, f"there are {_gib(facts.memory)} of memory; {_gib(LEAST_MEMORY)} are the least"),
        (facts.subnet_fault is not None, f"there is no room for networks: {facts.subnet_fault}"),
    )
    found = [Objection(text) for is_so, text in checks if is_so]
    found += [
        Objection(f"{name} manages VMs here, and wants the machine for itself: use another") for name in facts.managers
    ]
    return found + [
        Objection(f"another program listens at {door}: stop it (see ss -ltnp), or give other addresses by --listen")
        for door in facts.taken
    ]


def _warnings(facts: Facts) -> list[Objection]:
    checks = (
        (
            facts.kvm_fault is not None,
            f"VMs will be emulated, and slow: {facts.kvm_fault}; switch on virtualization in the firmware",
        ),
        (LEAST_DISK <= facts.free < GOOD_DISK, f"{_gib(facts.free)} of disk are free; a few real VMs take more"),
        (LEAST_MEMORY <= facts.memory < GOOD_MEMORY, f"{_gib(facts.memory)} of memory leave room for tiny VMs only"),
        ("ufw" in facts.firewalls, "ufw filters here: allow the address above in it (ufw allow 8443/tcp)"),
    )
    found = [Objection(text, stops=False) for is_so, text in checks if is_so]
    return found + [
        Objection(f"{name} makes VMs here too: it may show the appliance's VMs; do not change them there", stops=False)
        for name in facts.neighbours
    ]


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
