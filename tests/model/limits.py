"""What no account may come to have: `most_busy` before a step, `above_limit` after it; and `room` for more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.model.mirror import BUSY, Mirror
from tests.model.operations import Operation


def most_busy(mirror: Mirror, operations: Sequence[Operation]) -> dict[str, int]:
    """To each account with a limit, how many busy VMs it may have after these: what it has, or its limit if that is
    more, and one more for each VM of its own that the administrator, whom nothing limits, is asked to change.
    """
    concerned = {uuid for one in operations if one.principal.admin for uuid in one.changes}
    owners = [mirror.things[uuid].owner for uuid in sorted(concerned) if uuid in mirror.things]
    return {
        account: max(limit, _busy(mirror, account)) + owners.count(account) for account, limit in mirror.limits.items()
    }


def above_limit(mirror: Mirror, most: Mapping[str, int]) -> list[str]:
    """Accounts that came to have more than they may."""
    found = {account: _busy(mirror, account) for account in most}
    return [
        f"account {account} has {number} busy VMs; its quota allows {most[account]}"
        for account, number in found.items()
        if number > most[account]
    ]


def room(mirror: Mirror, account: str) -> int:
    """How many busy VMs more an account may have."""
    return max(mirror.limits[account] - _busy(mirror, account), 0)


def _busy(mirror: Mirror, account: str) -> int:
    return sum(vm.owner == account for vm in mirror.of("vm", *BUSY))
