"""The parts of the deep run, each on one machine: install, first VM, doctor, crash, reboot, removal.

Primitives: `PARTS`, in their order; each says in a line what it saw, or raises `DeepFailure`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from tests.deep.machine import Deep, DeepFailure

ROOT = Path(__file__).parent.parent.parent
BINARY, SCRIPT = ROOT / "dist" / "zstack-appliance", ROOT / "installer" / "install.sh"

GATEWAY = "10.0.2.2"
"""What the machine's own network leads to: QEMU, which answers pings."""
MOST_LOST = 2
"""Pings in a row, one every 100 ms."""
INSTALL_SECONDS, ANSWER_SECONDS, READY_SECONDS = 1800.0, 600.0, 300.0
"""For a machine that is emulated on a busy one; dpkg and its scripts are what takes long."""

OURS = """
ip -json link show | tr ',' '\\n' | grep '"ifname"' | sort
ip netns list | sort
nft list ruleset 2>/dev/null
cat /proc/sys/net/ipv4/ip_forward
ls -d /opt/* /usr/local/bin/* /var/lib/zstack-appliance /run/zs* 2>/dev/null
find /etc/systemd -name '*zstack*'
ps -e -o comm= | grep -E '^(dnsmasq|qemu-sys|zstack-app)' | sort
systemctl list-units --all --no-legend '*zstack*'
"""
"""Everything that an appliance leaves traces in, but for Debian's packages."""
SERVING = "ps -e -o pid=,comm= | grep -E ' (dnsmasq|qemu-sys)' | sort || true"
"""The processes that VMs live by."""


def copy(machine: Deep) -> str:
    """Only the program and the script come onto the machine."""
    machine.put(BINARY, "/root/zstack-appliance")
    machine.put(SCRIPT, "/root/install.sh")
    return f"{BINARY.stat().st_size / 2**20:.1f} MiB"


def dry_run(machine: Deep) -> str:
    """The plan is shown and nothing is changed."""
    before = machine.run(f"{OURS} dpkg-query -W | sha256sum; find /etc -newer /root/install.sh")
    plan = machine.run("/root/install.sh --dry-run")
    _expect("7. " in plan and plan.endswith("nothing was changed"), plan)
    after = machine.run(f"{OURS} dpkg-query -W | sha256sum; find /etc -newer /root/install.sh")
    _expect(before == after, f"the dry run changed the machine:\n{before}\n---\n{after}")
    return f"{len(plan.splitlines())} lines of plan"


def install(machine: Deep) -> str:
    """One command, during which the machine's own network does not falter."""
    machine.run(f"setsid ping -D -i 0.1 {GATEWAY} > /root/pings 2>&1 < /dev/null & echo $! > /root/ping.pid")
    said = machine.run("/root/install.sh", seconds=INSTALL_SECONDS)
    machine.run("kill -INT $(cat /root/ping.pid); sleep 1")
    pings = machine.run("cat /root/pings")
    _expect("installed in" in said and "https://10.0.2.15:8443/" in said, said)
    _expect("log in    admin, with the password in /var/lib" in said, f"the password is for terminals alone:\n{said}")
    lost, sent = lost_in_a_row(pings)
    _expect(sent > 100 and lost <= MOST_LOST, f"{lost} pings in a row were lost, of {sent}")
    steps = " · ".join(re.findall(r"^ *([0-9.]+ s  \S+ \S+)", said, re.MULTILINE))
    return f"{steps} · at most {lost} of {sent} pings lost in a row"


def lost_in_a_row(pings: str) -> tuple[int, int]:
    """The longest run of pings that nobody answered, and how many were sent, from what `ping` wrote."""
    seen = sorted({int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", pings)})
    total = re.search(r"(\d+) packets transmitted", pings)
    sent = int(total.group(1)) if total else 0
    # The last may still be under way when ping is told to end.
    gaps = [after - before - 1 for before, after in zip([0, *seen], [*seen, sent], strict=True)]
    return max(0, *gaps), sent


def again(machine: Deep) -> str:
    """A second run finds nothing to do."""
    said = machine.run("/root/install.sh")
    _expect(said.count("(nothing to do)") == 7, said)
    return "nothing to do"


def doors(machine: Deep) -> str:
    """https with the certificate of its own authority, plain http on loopback alone, the CLI without a login."""
    machine.run("curl -sf --cacert /var/lib/zstack-appliance/tls/ca.crt https://10.0.2.15:8443/healthz")
    machine.run("curl -sf http://127.0.0.1:8080/healthz")
    machine.run("! curl -sf -m 5 http://10.0.2.15:8080/healthz")
    zones = machine.run("zstack-appliance zone list --json")
    _expect("zone1" in zones, zones)
    times = machine.run("bash -c 'time zstack-appliance --help' 2>&1 >/dev/null | grep real")
    return f"--help {times.split()[-1]}"


def first_vm(machine: Deep) -> str:
    """A VM inside the machine runs, and answers."""
    accelerator = machine.run("cat /var/lib/zstack-appliance/run/accelerator.json")
    machine.run(
        "zstack-appliance vm create web --image tiny --instance-offering tiny --l3-network net1", seconds=ANSWER_SECONDS
    )
    _answers(machine)
    return f"{json.loads(accelerator)['accelerator']}, it answers"


def _answers(machine: Deep) -> None:
    """Wait until the VM shows its page to its own network."""
    (vm,) = json.loads(machine.run("zstack-appliance vm list name=web --json"))
    ip = vm["vmNics"][0]["ip"]
    router = "$(ip netns list | awk '/^zs-/ {print $1; exit}')"
    machine.wait(f"ip netns exec {router} curl -sf -m 5 http://{ip}/", seconds=ANSWER_SECONDS)


def doctor(machine: Deep) -> str:
    """Nothing is wrong, and records and machine agree."""
    found = json.loads(machine.run("zstack-appliance doctor --json"))
    wrong = [row for row in found if row["state"] == "wrong"]
    _expect(not wrong, str(wrong))
    orphans = json.loads(machine.run("zstack-appliance doctor --orphans --json"))
    _expect(orphans == [], str(orphans))
    warnings = ", ".join(row["check"] for row in found if row["state"] == "warning") or "none"
    return f"{len(found)} checks, warnings: {warnings}"


def crash(machine: Deep) -> str:
    """A killed appliance is started again by systemd; VM and DHCP never notice."""
    before = machine.run(SERVING)
    pid = machine.run("systemctl show -P MainPID zstack-appliance")
    machine.run(f"kill -9 {pid}")
    machine.wait("curl -sf http://127.0.0.1:8080/healthz", seconds=READY_SECONDS)
    after = machine.run(SERVING)
    _expect(before == after, f"processes of VMs changed: {before} became {after}")
    _expect(machine.run("systemctl show -P MainPID zstack-appliance") != pid, "it is the same process")
    _answers(machine)
    return "it is back, the VM never left"


def reboot(machine: Deep) -> str:
    """The machine is started anew: appliance, network and VM come back by themselves."""
    machine.reboot()
    machine.wait("curl -sf http://127.0.0.1:8080/healthz", seconds=READY_SECONDS)
    machine.wait("zstack-appliance vm list name=web --json | grep -q Running", seconds=ANSWER_SECONDS)
    _answers(machine)
    doctor(machine)
    return "appliance, network and VM are back"


def uninstall(machine: Deep) -> str:
    """Nothing is left but Debian's packages."""
    said = machine.run("zstack-appliance uninstall --purge --yes", seconds=300)
    left = machine.run(OURS)
    _expect("zs" not in left.replace("zstd", "") and "zb" not in left, f"{said}\n--- is left:\n{left}")
    _expect(not machine.run(SERVING), "a process is left")
    _expect(machine.run("virsh list --all --name") == "", "a domain is left")
    _expect("\n0\n" in f"\n{left}\n", f"the machine still forwards:\n{left}")
    return "nothing of it is left"


def _expect(so: bool, otherwise: str) -> None:
    if not so:
        raise DeepFailure(otherwise)


PARTS: tuple[Callable[[Deep], str], ...] = (
    copy,
    dry_run,
    install,
    again,
    doors,
    first_vm,
    doctor,
    crash,
    reboot,
    uninstall,
)
