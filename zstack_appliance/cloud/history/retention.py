"""Forget what happened long ago: a background task."""

from __future__ import annotations

import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.store import changelog

DAYS = GlobalConfig(
    "history", "days", "30", "How long changes of resources are remembered, in days.", int, low=1, high=36500
)
ROWS = GlobalConfig(
    "history",
    "rows",
    "200000",
    "How many commits' changes are remembered at most; the oldest go first. About 1 KB each.",
    int,
    low=100,
    high=100_000_000,
)

_AT_ONCE = 200
"""Commits forgotten in one write, so that a large clean-up holds nobody up."""

_DAY = 24 * 3600 * 1000


async def forget_old(cloud: Cloud) -> None:
    """Look once an hour, until cancelled."""
    while True:
        await forget_due(cloud)
        await trio.sleep(3600)


async def forget_due(cloud: Cloud) -> int:
    """Forget all that is due and give how many commits that were."""
    until = cloud.clock.millis() - cloud.configs.number(DAYS.path) * _DAY
    rows = cloud.configs.number(ROWS.path)
    through = await cloud.store.read(lambda reader: changelog.cut(reader, until, rows))
    forgotten = 0
    while some := await cloud.write(lambda tx: tx.forget_changes(through, _AT_ONCE)):
        forgotten += some
    return forgotten
