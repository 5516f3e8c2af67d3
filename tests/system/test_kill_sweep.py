"""kill -9 of the appliance while VMs run and creates are in flight: nothing stops, and nothing is left over."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.eventually import eventually
from tests.system.inside import Inside, qemu_pid
from tests.system.leftovers import Records, differences
from tests.system.live import Live, live

SEED = 20_002
CREATES_TAKE = 4.0
"""Seconds that twenty take on two cores, within which the kills fall; the earliest come before any is begun."""

RECOVERY_SECONDS = 120.0

Say = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print a line for the people who read the run."""

    def print_line(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return print_line


async def test_once(tmp_path: Path, say: Say) -> None:
    """The sweep in short, for every run of the tests."""
    await sweep(tmp_path / "data", say, rounds=1, creates=6, window=1.0)


@pytest.mark.long
async def test_ten_times(tmp_path: Path, say: Say) -> None:
    """Ten kills, twenty creates in flight at each, and some more kills while the last one is recovered from."""
    await sweep(tmp_path / "data", say, rounds=10, creates=20, window=CREATES_TAKE, again=0.4)


async def sweep(data: Path, say: Say, *, rounds: int, creates: int, window: float, again: float = 0.0) -> None:
    """Kill, look at everything, start, look at everything, and clear up; so many rounds.

    Args:
        data: the data folder.
        say: prints.
        rounds: how many.
        creates: VMs asked for at once.
        window: seconds after that, within which the kill comes.
        again: the chance that the recovery is killed as well.
    """
    dice = random.Random(SEED)
    async with live(data, "--accel", "tcg") as appliance:
        await _configure(appliance)
        steady = await Steady.make(appliance, 2)
        for number in range(1, rounds + 1):
            moment = dice.uniform(0, window)
            await _submit(appliance, [f"new-{number}-{one}" for one in range(creates)])
            # Not a wait for something to be true: a moment at which anything may be true.
            await trio.sleep(moment)
            under_way = len(Records(data / "cloud.db").open_work())
            await appliance.kill()
            await steady.check()
            seconds = await appliance.start()
            kills = 1
            if dice.random() < again:
                await trio.sleep(dice.uniform(0, 1))
                await appliance.kill()
                seconds, kills = await appliance.start(), 2
            made = await _recovered(appliance)
            say(
                f"round {number} (seed {SEED}): {kills} kill, {moment:.2f} s after {creates} creates, "
                f"{under_way} rows open: ready after {seconds:.1f} s, {len(made)} VMs stand"
            )
            await _remove(appliance, made)
            await _nothing_left(appliance)
        await steady.check()
        assert await appliance.stop() == 0
        await steady.check()


@dataclass(frozen=True)
class Steady:
    """Guests that nothing of this may disturb, each with what it was: QEMU's pid, boot id, address."""

    guests: dict[Inside, tuple[int | None, str, str]]

    @classmethod
    async def make(cls, appliance: Live, count: int) -> Steady:
        """New ones, booted."""
        found = {}
        for number in range(count):
            vm = await appliance.create_vm(f"steady-{number}")
            guest = Inside(vm["uuid"])
            found[guest] = (qemu_pid(guest.uuid), await guest.booted(), str(vm["vmNics"][0]["ip"]))
        return cls(found)

    async def check(self) -> None:
        """They run on, and each is given its address by DHCP, whether or not an appliance runs."""
        for guest, before in self.guests.items():
            assert (qemu_pid(guest.uuid), await guest.boot_id(), await guest.renew_lease()) == before


async def _submit(appliance: Live, names: list[str]) -> None:
    bodies = [await appliance.new_vm_body(name) for name in names]
    async with trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(appliance.submit, "POST", "/vm-instances", body)


async def _recovered(appliance: Live) -> list[str]:
    """Wait until every job is finished or unwound, and look for what differs; the new VMs that stand."""
    records = Records(appliance.data / "cloud.db")
    await eventually(lambda: not records.open_work(), within=RECOVERY_SECONDS, every=0.2)
    await _nothing_left(appliance)
    new = [vm for vm in await appliance.query("/vm-instances") if vm["name"].startswith("new-")]
    assert {vm["state"] for vm in new} <= {"Running"}
    return [vm["uuid"] for vm in new]


async def _nothing_left(appliance: Live) -> None:
    """Host and records agree, by our own look at both and by the appliance's."""
    assert await differences(appliance.data, appliance.instance) == [], appliance.tail()
    assert await appliance.orphans() == []


async def _configure(appliance: Live) -> None:
    """Expunge at once what is destroyed, and have room for more virtual CPUs than two threads give."""
    for category, name, value in (("vm", "deletionPolicy", "Direct"), ("host", "cpu.overProvisioning.ratio", "100")):
        where = f"/global-configurations/{category}/{name}/actions"
        await appliance.call("PUT", where, {"updateGlobalConfig": {"value": value}})
    host = await appliance.one("/hosts", "host1")
    await appliance.call("PUT", f"/hosts/{host}/actions", {"reconnectHost": {}})


async def _remove(appliance: Live, uuids: list[str]) -> None:
    async with trio.open_nursery() as nursery:
        for uuid in uuids:
            nursery.start_soon(appliance.call, "DELETE", f"/vm-instances/{uuid}")
