"""kill -9 of the appliance while VMs run and creates are in flight: nothing stops, and nothing is left over."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import trio

from tests.eventually import eventually
from tests.system.inside import Inside, qemu_pid
from tests.system.leftovers import Records, differences
from tests.system.live import Live, live

SEED = 20_002
CREATES = 20
CREATES_TAKE = 4.0
"""Seconds that they take on two cores, within which the kills fall; the earliest come before any is begun."""

RECOVERY_SECONDS = 120.0


async def test_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sweep in short, for every run of the tests."""
    await sweep(tmp_path, capsys, rounds=2, creates=6, window=1.5)


@pytest.mark.long
async def test_ten_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Ten kills, twenty creates in flight at each."""
    await sweep(tmp_path, capsys, rounds=10, creates=CREATES, window=CREATES_TAKE)


async def sweep(
    folder: Path, capsys: pytest.CaptureFixture[str], *, rounds: int, creates: int, window: float
) -> None:
    """Kill at moments that the seed decides, and look at everything each time."""
    dice = random.Random(SEED)
    async with live(folder / "data", "--accel", "tcg") as appliance:
        stays = [Inside((await appliance.create_vm(f"stays-{number}"))["uuid"]) for number in range(2)]
        before = {guest.uuid: (qemu_pid(guest.uuid), await guest.booted()) for guest in stays}
        await _expunge_at_once(appliance)
        for number in range(rounds):
            moment = dice.uniform(0, window)
            bodies = [await appliance.new_vm_body(f"new-{number}-{one}") for one in range(creates)]
            async with trio.open_nursery() as nursery:
                for body in bodies:
                    nursery.start_soon(appliance.submit, "POST", "/vm-instances", body)
            # Not a wait for something to be true: a moment at which anything may be true.
            await trio.sleep(moment)
            under_way = Records(appliance.data / "cloud.db").open_work()
            await appliance.kill()
            assert {guest.uuid: (qemu_pid(guest.uuid), await guest.boot_id()) for guest in stays} == before
            leases = [await guest.renew_lease() for guest in stays]
            seconds = await appliance.start()
            assert leases == [(await appliance.query("/vm-instances/nics", vmInstanceUuid=guest.uuid))[0]["ip"] for guest in stays]
            await eventually(lambda: not Records(appliance.data / "cloud.db").open_work(), within=RECOVERY_SECONDS)
            assert await differences(appliance.data, appliance.instance) == [], appliance.tail()
            made = [vm for vm in await appliance.query("/vm-instances") if vm["name"].startswith("new-")]
            assert {vm["state"] for vm in made} <= {"Running"}
            _say(capsys, f"kill {number + 1} (seed {SEED}) {moment:.2f} s after {creates} creates, "
                 f"{len(under_way)} rows open: ready {seconds:.1f} s after, {len(made)} VMs stand")
            await _remove(appliance, [vm["uuid"] for vm in made])
            assert await differences(appliance.data, appliance.instance) == [], appliance.tail()
        assert {guest.uuid: (qemu_pid(guest.uuid), await guest.boot_id()) for guest in stays} == before
        assert await appliance.stop() == 0
        assert {guest.uuid: (qemu_pid(guest.uuid), await guest.boot_id()) for guest in stays} == before


async def _expunge_at_once(appliance: Live) -> None:
    where = "/global-configurations/vm/deletionPolicy/actions"
    await appliance.call("PUT", where, {"updateGlobalConfig": {"value": "Direct"}})


async def _remove(appliance: Live, uuids: list[str]) -> None:
    async with trio.open_nursery() as nursery:
        for uuid in uuids:
            nursery.start_soon(appliance.call, "DELETE", f"/vm-instances/{uuid}")


def _say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n  {text}", end="", flush=True)
