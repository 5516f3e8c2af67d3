"""Share one piece of work among all who ask for it at the same time: `Rounds`.

Bringing a network in line with the records costs the same for one new NIC as for a hundred. So whoever asks
while a round is under way waits for the next one, and that round serves all who waited.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.schema import Key


class Rounds:
    """Rounds of repeatable work, by key.

    Args:
        queues: where those who ask wait in line; the rounds of one key never overlap.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._asked: dict[Key, int] = {}
        self._served: dict[Key, int] = {}

    async def join(self, key: Key, work: Callable[[], Awaitable[object]]) -> None:
        """Return once a round that began after this call has ended well.

        A round that fails fails for who runs it; the next in line runs another one.

        Raises:
            Exception: what `work` raises.
        """
        asked = self._asked[key] = self._asked.get(key, 0) + 1
        async with self._queues.turn(key):
            if self._served.get(key, 0) >= asked:
                return
            covered = self._asked[key]
            await work()
            self._served[key] = covered
