"""Watching hosts: whether a lost one is tried again by itself, and that a new one is left alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import trio

from tests.running import simulated_cloud
from zstack_appliance.cloud.host.configs import CONFIGS
from zstack_appliance.cloud.host.schema import Host, HostStatus
from zstack_appliance.cloud.host.track import may_reconnect
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.store import Batch

AUTO = "host.connection.autoReconnectOnError"
LOST, NEW = HostStatus.DISCONNECTED, HostStatus.CONNECTING


@pytest.mark.parametrize(
    ("auto", "most", "status", "attempts", "tried"),
    [
        ("true", "0", LOST, 1000, True),
        ("true", "3", LOST, 2, True),
        ("true", "3", LOST, 3, False),
        ("false", "0", LOST, 0, False),
        ("false", "1", NEW, 5, True),
    ],
)
def test_as_the_settings_say(auto: str, most: str, status: HostStatus, attempts: int, *, tried: bool) -> None:
    configs = Configs(CONFIGS)
    configs.put(AUTO, auto)
    configs.put(f"{AUTO}.maxAttemptsNum", most)
    assert may_reconnect(status, attempts, configs) is tried


async def test_a_new_host_is_connected_once(tmp_path: Path, autojump_clock: object) -> None:
    async with simulated_cloud(tmp_path, hosts=1) as cloud, cloud.login() as admin:
        [cluster] = await admin.query("/clusters")
        statuses: list[HostStatus] = []

        def note(batch: Batch) -> None:
            statuses.extend(
                change.after.status
                for change in batch.changes
                if isinstance(change.after, Host) and change.after.management_ip == "10.9.9.9"
            )

        with cloud.kernel.store.feed.listening(note):
            where = {"clusterUuid": cluster["uuid"], "managementIp": "10.9.9.9"}
            await admin.create("/hosts/simulators", name="new", **where)
            await trio.sleep(30)
        assert [status for status, _ in itertools.groupby(statuses)] == [NEW, HostStatus.CONNECTED]
