"""Failed logins make the next one wait, longer each time.

Primitive: `LoginAttempts`. It counts per account and source together, so that guessing one password gets
slow and nobody can lock another's account from elsewhere, and per source, so that trying many names gets slow
too. The counts are in memory: whoever can restart the appliance needs no password.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from zstack_appliance.kernel.world import Clock

FREE_PER_ACCOUNT = 5
"""Failures of one account from one source before waiting begins: a person's typing errors."""

FREE_PER_SOURCE = 20
"""Failures of one source, whatever the account: several people behind one address."""

LONGEST_WAIT = 300
"""Seconds. The wait doubles from one second on up to this: some 300 guesses a day."""

FORGOTTEN_AFTER = 3600
"""Seconds after its last failure that a count is dropped."""

MOST_KEPT = 10_000
"""Counts in memory; beyond it the oldest go."""


@dataclass
class _Count:
    failures: int
    last: int


class LoginAttempts:
    """Counts failures and says how long the next attempt has to wait.

    Args:
        clock: wall-clock time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str | None], _Count] = OrderedDict()

    def begin(self, account: str, source: str) -> int:
        """Note an attempt, as a failure until `succeeded` says otherwise, so that parallel ones count too.

        Returns:
            Seconds that the caller has to wait before it may try again; 0 lets this attempt go on.
        """
        now = self._clock.millis()
        keys = _keys(account, source)
        wait = max(self._wait(key, now) for key in keys)
        if wait == 0:
            for key in keys:
                self._note(key, now)
        return wait

    def succeeded(self, account: str, source: str) -> None:
        """Forget the failures: whoever it is knows a password."""
        for key in _keys(account, source):
            self._counts.pop(key, None)

    def _wait(self, key: tuple[str, str | None], now: int) -> int:
        count = self._counts.get(key)
        if count is None or now - count.last >= FORGOTTEN_AFTER * 1000:
            return 0
        free = FREE_PER_SOURCE if key[1] is None else FREE_PER_ACCOUNT
        if count.failures < free:
            return 0
        # Bounded before it is a power, which would be a very large number otherwise.
        penalty = min(1 << min(count.failures - free, 16), LONGEST_WAIT)
        left = count.last + penalty * 1000 - now
        return max(0, -(-left // 1000))

    def _note(self, key: tuple[str, str | None], now: int) -> None:
        count = self._counts.pop(key, None)
        if count is None or now - count.last >= FORGOTTEN_AFTER * 1000:
            count = _Count(0, now)
        count.failures += 1
        count.last = now
        self._counts[key] = count
        while len(self._counts) > MOST_KEPT:
            self._counts.popitem(last=False)


def _keys(account: str, source: str) -> tuple[tuple[str, str | None], ...]:
    network = _network(source)
    return (network, account), (network, None)


def _network(source: str) -> str:
    """A source as one party: with IPv6 a single machine has a whole /64 to come from."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
