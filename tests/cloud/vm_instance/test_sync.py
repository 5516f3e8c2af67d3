"""Keeping records true: a report about a VM that has gone by the time it is read changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from tests.running import simulated_cloud
from zstack_appliance.cloud.host.messages import VmReported
from zstack_appliance.cloud.host.schema import Host
from zstack_appliance.cloud.vm_instance.messages import SyncVm
from zstack_appliance.cloud.vm_instance.schema import VmInstance

GONE = "f" * 32


async def test_report_of_a_vm_that_is_gone(
    tmp_path: Path, autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whether it went before the report came or while that waited for its turn."""
    async with simulated_cloud(tmp_path, hosts=1) as cloud:
        system = cloud.kernel.as_system()
        host = cloud.kernel.store.find(Host, name="host1")[0].uuid
        caplog.clear()
        await system.publish(VmReported(host_uuid=host, vm_uuid=GONE, state="Running", reason="booted"))
        assert await system.call(SyncVm(uuid=GONE, host_uuid=host, state="Running")) is None
        assert cloud.kernel.store.find(VmInstance) == []
        assert caplog.records == []
