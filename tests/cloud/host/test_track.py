"""Whether a lost host is tried again by itself."""

from __future__ import annotations

import pytest

from zstack_appliance.cloud.host.configs import CONFIGS
from zstack_appliance.cloud.host.schema import HostStatus
from zstack_appliance.cloud.host.track import may_reconnect
from zstack_appliance.kernel.config import Configs

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
