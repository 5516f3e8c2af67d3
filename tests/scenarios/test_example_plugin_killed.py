"""A real SIGKILL in the midst of a third party's step: the next start takes the VM and its booking back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio

from tests.eventually import eventually
from tests.running import Caller
from tests.scenarios.test_example_plugin import EXAMPLE, TAG, cost_center
from tests.scenarios.vms import vm_params

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of plugins belong to root")

PASSWORD = "correct horse"
START_SECONDS = 60.0
BRAKE = """
import trio
from zstack_appliance.kernel.flow import Context, Step
from zstack_appliance.kernel.offered import OfferedStep
from zstack_appliance.kernel.plugin import Plugin

async def hold(_context, _cloud):
    await trio.sleep_forever()

async def let_go(_context, _cloud):
    pass

plugin = Plugin(name="brake", steps=(OfferedStep(Step("hold", do=hold, undo=let_go), fits=Context),))
"""
FLOWS = """[[step]]
use = "brake.hold"
before = "vm_instance.create/create_root_volume"
"""


@asynccontextmanager
async def simulated(data: Path) -> AsyncIterator[tuple[trio.Process, Caller]]:
    """A process, and somebody who is logged in."""
    options = ["--listen", "127.0.0.1:0", "--admin-password", PASSWORD, "--hosts", "2"]
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "zstack_appliance", "simulate", "--data", str(data), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        with trio.fail_after(START_SECONDS):
            said = await process.stdout.receive_some()
        url = said.decode().removeprefix("ready ").strip().rstrip("/")
        async with httpx.AsyncClient(base_url=url) as client:
            caller = Caller(client)
            await caller.login("admin", PASSWORD)
            yield process, caller
    finally:
        process.kill()
        await process.wait()
        await process.stdout.aclose()


async def test_it_is_unwound_by_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(EXAMPLE, data / "plugins" / "cost_center", ignore=shutil.ignore_patterns("__pycache__"))
    brake = data / "plugins" / "brake"
    brake.mkdir()
    (brake / "__init__.py").touch()
    (brake / "plugin.py").write_text(BRAKE)
    (data / "flows.toml").write_text(FLOWS)
    async with simulated(data) as (process, admin):
        await cost_center(admin, budget=1)
        body = {"params": await vm_params(admin, "held"), "systemTags": [TAG]}
        assert (await admin.send("POST", "/vm-instances", body)).status_code == 202

        async def is_booked() -> bool:
            return len(await admin.query("/cost-centers/bookings")) == 1

        await eventually(is_booked, within=START_SECONDS)
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
    (data / "flows.toml").unlink()
    async with simulated(data) as (_, admin):

        async def is_unwound() -> bool:
            assert await admin.query("/vm-instances") == []
            [job] = await admin.query("/appliance/jobs", "api~=%CreateVmInstance%")
            assert job["state"] == "Failed"
            return "what it had done is undone" in job["error"]

        await eventually(is_unwound, within=START_SECONDS)
        assert await admin.query("/cost-centers/bookings") == []
        assert await admin.query("/system-tags", f"tag={TAG}") == []
