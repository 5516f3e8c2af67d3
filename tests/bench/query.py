"""What a query costs as the cloud grows: p50 and p95 over real HTTP at 1,000, 10,000 and 100,000 VMs.

Each VM has a NIC with its address, a root volume and two tags; every network has up to 1,000 VMs. One VM is
made through the API; the others are rows like its own, written through the store while the appliance is down.
Goals at 100,000: 30 ms for a page of 100 with a condition over three edges and for a count, 100 ms for a list
of 1,000. ``growth`` is what the cost at the largest size is times that at the smallest.

Run it with ``python -m tests.bench.query [--counts 1000,10000,100000]``.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import trio
from msgspec.structs import replace

from tests.bench.simulated import Connection, Simulated, simulated
from tests.running import every_plugin
from zstack_appliance.cloud.l2_network.schema import L2Network
from zstack_appliance.cloud.l3_network.schema import IpRange, L3Network, UsedIp
from zstack_appliance.cloud.vm_instance.schema import VmInstance, VmNic, VmState
from zstack_appliance.cloud.volume.schema import Volume
from zstack_appliance.data_folder import prepare
from zstack_appliance.kernel.job import Job
from zstack_appliance.kernel.journal import FlowRun
from zstack_appliance.kernel.schema import Record
from zstack_appliance.kernel.store import Store, Tx
from zstack_appliance.kernel.tag import UserTag
from zstack_appliance.kernel.world import Entropy, WallClock

PER_NETWORK = 1000
PER_COMMIT = 500
"""VMs in one commit."""

WARM_UP = 5

Ask = Callable[[Connection, random.Random], bytes]


class Case(NamedTuple):
    """What is measured: its name and one call."""

    name: str
    ask: Ask
    goal: str = ""


class Taken(NamedTuple):
    """Milliseconds."""

    p50: float
    p95: float


def _three_edges(value: str, **more: str) -> Ask:
    return lambda to, _: to.get("/vm-instances", q=[f"vmNics.l3Network.l2Network.name{value}"], **more)


CASES = (
    Case("a point GET", lambda to, dice: to.get(f"/vm-instances/{_uuid('vm', dice.randrange(900))}")),
    Case("one VM by name", lambda to, dice: to.get("/vm-instances", q=[f"name=vm-{dice.randrange(900)}"])),
    Case("one VM by user tag", lambda to, dice: to.get("/vm-instances", q=[f"__userTag__=id-{dice.randrange(900)}"])),
    Case("100 by three edges, 1,000 match", _three_edges("=l2-0", limit="100"), "30"),
    Case("100 by three edges, all match", _three_edges("~=l2-%", limit="100"), "30"),
    Case("100 by three edges, by name", _three_edges("=l2-0", limit="100", sort="-name"), "30"),
    Case("count by three edges, 1,000 match", _three_edges("=l2-0", count="true"), "30"),
    Case("count by three edges, all match", _three_edges("~=l2-%", count="true")),
    Case("count by state", lambda to, _: to.get("/vm-instances", q=["state=Stopped"], count="true"), "30"),
    Case("count", lambda to, _: to.get("/vm-instances", count="true"), "30"),
    Case("the first 100 of all", lambda to, _: to.get("/vm-instances", limit="100")),
    Case("the first 1,000 of all", lambda to, _: to.get("/vm-instances"), "100"),
    Case("1,000 names of all", lambda to, _: to.get("/vm-instances", fields="uuid,name")),
    Case("100 with their number", lambda to, _: to.get("/vm-instances", limit="100", replyWithCount="true")),
)


def measure(where: Simulated, rounds: int) -> list[Taken]:
    """What each case takes."""
    return [_timed(case.ask, Connection(where.host, where.port, where.session), rounds) for case in CASES]


def _timed(ask: Ask, to: Connection, rounds: int) -> Taken:
    dice = random.Random(1)
    took = []
    for place in range(rounds + WARM_UP):
        began = time.perf_counter()
        ask(to, dice)
        if place >= WARM_UP:
            took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return Taken(statistics.median(took), took[int(len(took) * 0.95)])


async def fill(data: Path, first: int, count: int) -> None:
    """Write the VMs from number `first` to `count` down, each like the one that the API made."""
    folder = prepare(data, Entropy(random.SystemRandom()))
    resources: list[type[Record]] = [*(cls for plugin in every_plugin() for cls in plugin.resources), Job, FlowRun]
    async with Store.open(data / "cloud.db", resources, WallClock(), sealer=folder.sealer, synchronous="OFF") as store:
        model = _Model(store)
        for start in range(first, count, PER_COMMIT):
            rows = [row for number in range(start, min(start + PER_COMMIT, count)) for row in model.rows(number)]

            def insert(tx: Tx, rows: list[Record] = rows) -> None:
                for row in rows:
                    tx.insert(row)

            await store.write(insert)


class _Model:
    """Makes rows like those of one VM."""

    def __init__(self, store: Store) -> None:
        [self._vm] = store.find(VmInstance, name="model")
        [self._nic] = store.find(VmNic, vm_instance_uuid=self._vm.uuid)
        [self._disk] = store.find(Volume, vm_instance_uuid=self._vm.uuid)
        [self._ip] = store.find(UsedIp, vm_nic_uuid=self._nic.uuid)
        self._l3 = store.require(L3Network, self._nic.l3_network_uuid)
        self._l2 = store.require(L2Network, self._l3.l2_network_uuid)
        self._range = store.require(IpRange, self._ip.ip_range_uuid)
        self._now = WallClock().millis()

    def rows(self, number: int) -> Iterator[Record]:
        """The rows of one VM, and of its network if it is its first."""
        network, within = divmod(number, PER_NETWORK)
        l2, l3, ips = (_uuid(kind, network) for kind in ("l2", "l3", "range"))
        if within == 0:
            yield replace(self._l2, uuid=l2, name=f"l2-{network}", physical_interface=f"eth{network}")
            yield replace(self._l3, uuid=l3, name=f"l3-{network}", l2_network_uuid=l2)
            yield replace(self._range, uuid=ips, name=f"range-{network}", l3_network_uuid=l3)
        vm, nic, ip, disk = (_uuid(kind, number) for kind in ("vm", "nic", "ip", "disk"))
        at: dict[str, Any] = {"create_date": self._now + number, "last_op_date": self._now + number}
        state = VmState.STOPPED if number % 10 == 0 else VmState.DESTROYED
        yield replace(
            self._vm, uuid=vm, name=f"vm-{number}", state=state, host_uuid=None, root_volume_uuid=disk,
            default_l3_network_uuid=l3, **at,
        )  # fmt: skip
        long = self._ip.ip_in_long + within
        yield replace(self._ip, uuid=ip, l3_network_uuid=l3, ip_range_uuid=ips, ip_in_long=long, vm_nic_uuid=nic, **at)
        mac = ":".join(f"{number + (0xFB << 40):012x}"[i : i + 2] for i in range(0, 12, 2))
        yield replace(self._nic, uuid=nic, vm_instance_uuid=vm, l3_network_uuid=l3, used_ip_uuid=ip, mac=mac, **at)
        yield replace(self._disk, uuid=disk, name=f"ROOT-for-vm-{number}", vm_instance_uuid=vm, **at)
        for kind, tag in (("t1", f"id-{number}"), ("t2", f"team-{number % 20}")):
            yield UserTag(
                uuid=_uuid(kind, number), resource_uuid=vm, resource_type="VmInstanceVO", tag=tag, type="User", **at
            )


def _uuid(kind: str, number: int) -> str:
    return f"{random.Random(f'{kind}{number}').getrandbits(128):032x}"


def make_model(where: Simulated) -> None:
    """Make the VM that the others are like."""
    to = Connection(where.host, where.port, where.session)
    ids = {
        name: to.call("GET", f"/{path}?q=name={value}")["inventories"][0]["uuid"]
        for name, path, value in (
            ("imageUuid", "images", "tiny"),
            ("instanceOfferingUuid", "instance-offerings", "tiny"),
            ("l3", "l3-networks", "net1"),
        )
    }
    params = {**ids, "name": "model", "l3NetworkUuids": [ids.pop("l3")]}
    to.call("POST", "/vm-instances", {"params": params})


def grow(counts: list[int], rounds: int) -> dict[int, list[Taken]]:
    """What each case takes at each size."""
    found: dict[int, list[Taken]] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with simulated(data, "--hosts", "3") as where:
            make_model(where)
        done = 0
        for count in counts:
            began = time.perf_counter()
            trio.run(fill, data, done, count)
            done = count
            filled = time.perf_counter()
            with simulated(data, "--hosts", "3") as where:
                started = time.perf_counter() - filled
                found[count] = measure(where, rounds)
                print(
                    f"{count} VMs: written in {filled - began:.0f} s, started in {started:.1f} s,"
                    f" {where.memory / 2**20:.0f} MiB, load {os.getloadavg()[0]:.1f}",
                    flush=True,
                )
    return found


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", default="1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    counts = sorted(int(part) for part in options.counts.split(","))
    found = grow(counts, options.rounds)
    heads = "".join(f"{f'{count:,} VMs':>18}" for count in counts)
    print(f"{'p50 / p95 in ms':36}{heads}{'goal':>8}{'growth':>8}")
    for place, case in enumerate(CASES):
        each = [found[count][place] for count in counts]
        cells = "".join(f"{f'{taken.p50:.1f} / {taken.p95:.1f}':>18}" for taken in each)
        print(f"{case.name:36}{cells}{case.goal:>8}{each[-1].p50 / each[0].p50:>8.1f}")


if __name__ == "__main__":
    main()
