"""``up --first-vm``, ``doctor --orphans`` and ``purge`` as their users have them: programs on a machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from agents.process import run
from tests.eventually import eventually
from tests.system.live import Live, live
from zstack_appliance.kernel.remote import Completed

WITHIN = 120.0
"""Seconds until the first VM answers where everything is emulated and the machine is busy; 8 s alone."""


async def zs(*argv: str, check: bool = True) -> Completed:
    """The command line."""
    return await run([sys.executable, "-m", "zstack_appliance", *argv], check=check, timeout=120)


async def network() -> dict[str, Any]:
    """Everything of the host's network that an appliance could leave something in."""
    shown: dict[str, Any] = {}
    for name, argv in {
        "addresses": ["ip", "-json", "addr"],
        "routes": ["ip", "-json", "route", "show", "table", "all"],
        "rules": ["ip", "-json", "rule"],
        "namespaces": ["ip", "-json", "netns"],
        "nft": ["nft", "--json", "list", "ruleset"],
    }.items():
        shown[name] = json.loads((await run(argv)).stdout or "[]")
    shown["ip_forward"] = await trio.Path("/proc/sys/net/ipv4/ip_forward").read_text()
    return shown


def files() -> set[str]:
    """What lies where libvirt keeps things."""
    folders = [Path("/run/libvirt"), Path("/var/cache/libvirt"), Path("/var/lib/libvirt"), Path("/etc/libvirt")]
    return {str(path) for folder in folders for path in folder.rglob("*")}


async def answered(appliance: Live) -> bool:
    """Whether the first VM has answered."""
    return "VM first-vm answers" in appliance.log.read_text()


async def test_up_again_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with live(data, "--first-vm") as appliance:
        await eventually(lambda: answered(appliance), within=WITHIN)
        (before,) = await appliance.query("/vm-instances")
        assert (before["name"], before["state"]) == ("first-vm", "Running")
        as_it_was = await network()
        assert await appliance.stop() == 0

        appliance.log.write_text("")
        await appliance.start()
        await eventually(lambda: answered(appliance), within=WITHIN)
        (after,) = await appliance.query("/vm-instances")
        assert after["uuid"] == before["uuid"]
        assert after["vmNics"] == before["vmNics"]
        assert await network() == as_it_was


async def test_doctor_finds_what_records_do_not_know(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with live(data) as appliance:
        vm = await appliance.create_vm("web")
        options = ("doctor", "--orphans", "--json", "--data", str(data))
        assert json.loads((await zs(*options)).stdout) == []

        bridge, stray = f"zb{appliance.instance}fffffff", "f" * 32
        await run(["ip", "link", "add", bridge, "type", "bridge"])
        (data / "primary" / "rootVolumes" / stray).mkdir()
        (data / "vms" / stray).mkdir()
        await run(["virsh", "undefine", vm["uuid"]])
        await run(["virsh", "destroy", vm["uuid"]])
        await eventually(lambda: _state(appliance, vm["uuid"], "Stopped"), within=10)
        (data / "primary" / "rootVolumes" / vm["rootVolumeUuid"]).rename(tmp_path / "taken")

        found = await zs(*options, check=False)
        assert found.returncode == 1
        rows = {(row["kind"], row["name"], row["problem"]) for row in json.loads(found.stdout)}
        assert rows == {
            ("bridge", bridge, "orphan"),
            ("volume", stray, "orphan"),
            ("vm folder", stray, "orphan"),
            ("volume", vm["rootVolumeUuid"], "missing"),
        }
        assert bridge in (await zs("doctor", "--orphans", "--data", str(data), check=False)).stdout


async def _state(appliance: Live, uuid: str, state: str) -> bool:
    (vm,) = await appliance.query("/vm-instances", uuid=uuid)
    return bool(vm["state"] == state)


@pytest.mark.parametrize("stopped", ["stopped", "killed"])
async def test_purge_leaves_the_machine_as_it_was(tmp_path: Path, stopped: str) -> None:
    data = tmp_path / "data"
    # A cache of this host's own: the machine's is shared with the hosts of other tests.
    await run(["mount", "-t", "tmpfs", "tmpfs", "/var/cache/libvirt"])
    await trio.Path("/var/cache/libvirt/qemu").mkdir()
    before, libvirt_before = await network(), files()
    async with live(data) as appliance:
        await appliance.create_vm("web")
        refused = await zs("purge", "--data", str(data), "--yes", check=False)
        assert refused.returncode == 1
        assert "is in use by process" in refused.stderr
        await (appliance.stop() if stopped == "stopped" else appliance.kill())

    said = (await zs("purge", "--data", str(data), "--yes")).stdout
    assert "VM " in said
    assert "libvirtd stopped" in said
    assert not data.exists()
    assert await network() == before
    assert files() <= libvirt_before
    assert await programs() == []

    assert "nothing to do" in (await zs("purge", "--data", str(data), "--yes")).stdout


async def programs() -> list[str]:
    """The programs of a host's half that still run."""
    names = []
    for folder in await trio.Path("/proc").glob("[0-9]*"):
        try:
            name = await (folder / "comm").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name.strip() in ("libvirtd", "dnsmasq", "tini", "bwrap") or name.startswith("qemu"):
            names.append(name.strip())
    return names
