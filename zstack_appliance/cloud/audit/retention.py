"""Forget audits that are old or too many: a background task."""

from __future__ import annotations

import functools

import trio

from zstack_appliance.kernel.audit import Audit
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.schema import describe
from zstack_appliance.kernel.store import Tx

DAYS = GlobalConfig("audit", "days", "90", "How long calls are remembered, in days.", int, low=1, high=36500)
ROWS = GlobalConfig(
    "audit",
    "rows",
    "500000",
    "How many calls are remembered at most; the oldest go first.",
    int,
    low=100,
    high=100_000_000,
)

_AT_ONCE = 500
"""Audits forgotten in one write, so that a large clean-up holds nobody up."""

_DAY = 24 * 3600 * 1000

_TABLE = describe(Audit).table
_OLD = f"SELECT uuid FROM {_TABLE} WHERE create_date < ? ORDER BY create_date LIMIT ?"
_BEYOND = f"SELECT uuid FROM {_TABLE} ORDER BY create_date DESC, uuid LIMIT ? OFFSET ?"


async def forget_old(cloud: Cloud) -> None:
    """Look once an hour, until cancelled."""
    while True:
        await forget_due(cloud)
        await trio.sleep(3600)


async def forget_due(cloud: Cloud) -> int:
    """Forget all that is due and give how many calls that were."""
    until = cloud.clock.millis() - cloud.configs.number(DAYS.path) * _DAY
    forgotten = 0
    for statement, bindings in ((_OLD, (until, _AT_ONCE)), (_BEYOND, (_AT_ONCE, cloud.configs.number(ROWS.path)))):
        while rows := await cloud.store.query(statement, bindings):
            uuids = [str(uuid) for (uuid,) in rows]
            await cloud.write(functools.partial(_forget, uuids))
            forgotten += len(uuids)
    return forgotten


def _forget(uuids: list[str], tx: Tx) -> None:
    for uuid in uuids:
        tx.delete(Audit, uuid)
