"""Twenty real VMs through the appliance, beside the same twenty by bare libvirt in the same run.

Both have the same domains (the bare ones take the XML that the appliance made, its paths apart), linked clones
of the same cached image, seeds, taps on the same bridge, the same libvirtd, and the same number in the making
at once. What the appliance does besides is to choose, write down, serve by DHCP, confine ``qemu-img`` and make
disks durable. Guests boot while others are made, on both sides, and where everything is emulated that takes most
of the time; so the CPU time of the appliance and of the programs that it ran is printed besides.

Run it with ``python -m tests.bench.real_vms``; it needs root, and leaves nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import trio

from agents.kvm.connection import SYSTEM_URI, libvirt_module
from agents.kvm.seed import write_seed
from tests.system.host import on_own_host
from tests.system.live import Live, live
from zstack_appliance.cloud.host.driver import SeedSpec


@dataclass(frozen=True)
class Bare:
    """One VM as a script without any cloud would make it."""

    uuid: str
    name: str
    xml: str
    disk: Path
    image: Path
    folder: Path

    def make(self, connection: Any) -> None:
        """Clone, seed, define, start. Blocks."""
        self.disk.parent.mkdir(parents=True)
        clone = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(self.image), str(self.disk)]
        subprocess.run(clone, check=True)
        self.folder.mkdir(parents=True)
        write_seed(self.folder / "seed.iso", SeedSpec(hostname=self.name), self.uuid)
        connection.defineXML(self.xml).create()

    def remove(self, connection: Any) -> None:
        """Leave nothing of it but its definition, which was there before. Blocks."""
        domain = connection.lookupByUUIDString(str(UUID(self.uuid)))
        domain.destroy()
        shutil.rmtree(self.disk.parent)
        shutil.rmtree(self.folder)


def bare_twin(xml: str, data: Path, elsewhere: Path) -> Bare:
    """The same domain with its files in another folder."""
    root = ET.fromstring(xml)
    disk = root.find("devices/disk[@device='disk']/source")
    assert disk is not None
    original = disk.attrib["file"]
    asked = ["qemu-img", "info", "-U", "--output=json", original]
    described = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    uuid = UUID(root.findtext("uuid") or "").hex
    return Bare(
        uuid=uuid,
        name=root.findtext("title") or uuid,
        xml=xml.replace(str(data), str(elsewhere)),
        disk=Path(original.replace(str(data), str(elsewhere))),
        image=Path(described.split('"backing-filename": "')[1].split('"')[0]),
        folder=elsewhere / "vms" / uuid,
    )


def cpu_seconds(appliance: Live) -> tuple[float, float]:
    """CPU time so far of an appliance, and of the programs that it ran to their ends."""
    assert appliance.process is not None
    fields = Path(f"/proc/{appliance.process.pid}/stat").read_text().rpartition(")")[2].split()
    user, system, users, systems = (int(ticks) / os.sysconf("SC_CLK_TCK") for ticks in fields[11:15])
    return user + system, users + systems


async def through_the_appliance(appliance: Live, count: int, at_once: int) -> tuple[float, list[str]]:
    """Create VMs by its API; seconds until the last one runs, and their uuids."""
    bodies = [await appliance.new_vm_body(f"vm-{number}") for number in range(count)]
    made: list[str] = []

    async def worker() -> None:
        while bodies:
            created = await appliance.call("POST", "/vm-instances", bodies.pop())
            made.append(created["inventory"]["uuid"])

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(worker)
    return time.perf_counter() - began, made


def by_libvirt(twins: list[Bare], at_once: int) -> float:
    """Make the same VMs; seconds until the last one runs. Blocks, and has none of them run in the end."""
    connection = libvirt_module().open(SYSTEM_URI)
    with ThreadPoolExecutor(at_once) as threads:
        began = time.perf_counter()
        list(threads.map(lambda twin: twin.make(connection), twins))
        took = time.perf_counter() - began
        list(threads.map(lambda twin: twin.remove(connection), twins))
    connection.close()
    return took


async def on_all(appliance: Live, method: str, uuids: list[str], path: str, body: Any = None) -> None:
    """Make one call for each of these VMs."""
    async with trio.open_nursery() as nursery:
        for uuid in uuids:
            nursery.start_soon(appliance.call, method, f"/vm-instances/{uuid}{path}", body)


async def one_round(appliance: Live, elsewhere: Path, count: int, at_once: int) -> tuple[float, float, str]:
    """Seconds by the appliance, seconds by libvirt, and what the appliance used of the CPU.

    The appliance's VMs are only stopped meanwhile, so that dnsmasq knows the bare ones, which have their
    addresses; and it is stopped itself, so that it does not wonder why they run.
    """
    before = cpu_seconds(appliance)
    ours, made = await through_the_appliance(appliance, count, at_once)
    own, programs = (1000 * (now - then) / count for now, then in zip(cpu_seconds(appliance), before, strict=True))
    twins = [bare_twin(await trio.to_thread.run_sync(_xml_of, uuid), appliance.data, elsewhere) for uuid in made]
    await on_all(appliance, "PUT", made, "/actions", {"stopVmInstance": {"type": "cold"}})
    assert await appliance.stop() == 0
    bare = await trio.to_thread.run_sync(by_libvirt, twins, at_once)
    await appliance.start()
    await on_all(appliance, "DELETE", made, "")
    return ours, bare, f"{own:.0f} + {programs:.0f}"


async def measure(rounds: int, count: int, at_once: int) -> str:
    """The table, as text."""
    lines = [f"{count} VMs, {at_once} at once, seconds until the last one runs (load {os.getloadavg()[0]:.1f} before)"]
    lines.append(f"{'':>7}  {'appliance':>9}  {'libvirt':>7}  {'ratio':>5}  CPU a VM, ms: appliance + its programs")
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        async with live(Path(folder) / "data") as appliance:
            direct = {"updateGlobalConfig": {"value": "Direct"}}
            await appliance.call("PUT", "/global-configurations/vm/deletionPolicy/actions", direct)
            # The first VM fetches the image into the cache and makes the router.
            await on_all(appliance, "DELETE", [(await appliance.create_vm("first"))["uuid"]], "")
            for number in range(1, rounds + 1):
                ours, bare, used = await one_round(appliance, Path(folder) / "bare", count, at_once)
                ratios.append(ours / bare)
                lines.append(f"{number:>7}  {ours:>9.2f}  {bare:>7.2f}  {ours / bare:>5.2f}  {used}")
            assert await appliance.stop() == 0
    lines.append(f"{'median':>7}  {'':>9}  {'':>7}  {statistics.median(ratios):>5.2f}")
    return "\n".join(lines)


def _xml_of(uuid: str) -> str:
    asked = ["virsh", "dumpxml", "--inactive", "--security-info", str(UUID(uuid))]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args()

    def work() -> bytes:
        return trio.run(measure, options.rounds, options.count, options.at_once).encode()

    print(on_own_host(work, name="bench", seconds=900).decode())


if __name__ == "__main__":
    main()
