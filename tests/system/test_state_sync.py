"""What happens to a VM without the appliance's doing shows in its records within two seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio

from agents.process import run
from tests.eventually import eventually
from tests.system.inside import Inside
from tests.system.live import Live, live

WITHIN = 2.0
"""Seconds from the moment at which libvirt calls the domain off until the API does."""


async def test_stops_show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Powered off from inside, pulled down by `virsh`, and its QEMU killed: Stopped each time, and startable."""
    async with live(tmp_path / "data", "--accel", "tcg") as appliance:
        guest = Inside((await appliance.create_vm("one"))["uuid"])

        async def poweroff() -> None:
            # A guest whose start is not quite over may miss the first word, as it may miss a power button.
            async def heard() -> bool:
                await guest.tell("guest-shutdown")
                return await _is_off(guest)

            await eventually(heard, within=60, every=3.0)

        async def destroy() -> None:
            await run(["virsh", "destroy", guest.domain])

        async def kill() -> None:
            pid_file = Path("/run/libvirt/qemu") / f"{await _domain_name(guest)}.pid"
            await run(["kill", "-KILL", pid_file.read_text().strip()])

        for how, stop in (("poweroff inside", poweroff), ("virsh destroy", destroy), ("kill -9 of QEMU", kill)):
            await guest.booted()
            seconds = await _seen_stopped(appliance, guest, stop)
            with capsys.disabled():
                print(f"\n  {how}: Stopped {seconds:.2f} s after libvirt knew", end="", flush=True)
            assert seconds < WITHIN
            await appliance.call("PUT", f"/vm-instances/{guest.uuid}/actions", {"startVmInstance": {}})
            assert await _state(appliance, guest) == "Running"

        await run(["virsh", "suspend", guest.domain])
        await eventually(lambda: _is(appliance, guest, "Paused"), within=WITHIN)
        await run(["virsh", "resume", guest.domain])
        await eventually(lambda: _is(appliance, guest, "Running"), within=WITHIN)
        await run(["virsh", "destroy", guest.domain])
        await eventually(lambda: _is(appliance, guest, "Stopped"), within=WITHIN)
        await run(["virsh", "start", guest.domain])
        await eventually(lambda: _is(appliance, guest, "Running"), within=WITHIN)


async def test_stop_while_away(tmp_path: Path) -> None:
    """A guest that stops while no appliance runs is Stopped when one does again."""
    async with live(tmp_path / "data", "--accel", "tcg") as appliance:
        guest = Inside((await appliance.create_vm("one"))["uuid"])
        await appliance.kill()
        await run(["virsh", "destroy", guest.domain])
        await appliance.start()
        await eventually(lambda: _is(appliance, guest, "Stopped"), within=WITHIN)


async def _seen_stopped(appliance: Live, guest: Inside, stop: Callable[[], Awaitable[None]]) -> float:
    """Seconds between libvirt's word that a domain is off and the API's."""
    off: list[float] = []
    said: list[float] = []

    async def at_libvirt() -> None:
        await eventually(lambda: _is_off(guest), within=60)
        off.append(trio.current_time())

    async def at_the_api() -> None:
        await eventually(lambda: _is(appliance, guest, "Stopped"), within=60)
        said.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(at_libvirt)
        nursery.start_soon(at_the_api)
        nursery.start_soon(stop)
    return said[0] - off[0]


async def _is_off(guest: Inside) -> bool:
    return (await run(["virsh", "domstate", guest.domain])).stdout.strip() == "shut off"


async def _state(appliance: Live, guest: Inside) -> str:
    (found,) = await appliance.query("/vm-instances", uuid=guest.uuid)
    return str(found["state"])


async def _is(appliance: Live, guest: Inside, state: str) -> bool:
    return await _state(appliance, guest) == state


async def _domain_name(guest: Inside) -> str:
    return (await run(["virsh", "domname", guest.domain])).stdout.strip()
