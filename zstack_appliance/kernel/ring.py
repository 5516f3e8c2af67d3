"""Which node serves what: `Ring`, a consistent hash over the nodes that serve.

Every node that knows the same members gives the same answer, and a member that joins or leaves moves only what
comes to it or was its own. The row's uuid alone decides, whatever the table, so that all queues that concern one
thing (a host, and the commands to it) are on one node.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.schema import Key

VIRTUAL_NODES = 500
"""Places of each node on the ring. With so many, the shares of three nodes differ by some percent."""


class Ring:
    """Places keys on nodes.

    Args:
        members: names of the nodes that serve; the order does not matter.
    """

    def __init__(self, members: Iterable[str]) -> None:
        self.members = frozenset(members)
        self._only = next(iter(self.members)) if len(self.members) == 1 else None
        places = [] if self._only is not None else sorted(_places(self.members))
        self._at = [at for at, _ in places]
        self._nodes = [node for _, node in places]

    def owner(self, key: Key) -> str:
        """The node that serves a key.

        Raises:
            Unavailable: the ring has no members.
        """
        if self._only is not None:
            return self._only
        if not self._at:
            raise Unavailable("no management node serves now; wait until one has started", code="SYS.1010")
        # Clockwise from the key; after the last place comes the first.
        return self._nodes[bisect.bisect_right(self._at, _hash(key.uuid)) % len(self._at)]


def _places(members: Iterable[str]) -> Iterable[tuple[int, str]]:
    # Two places that fall together are ordered by name, so that all nodes see them alike.
    return ((_hash(f"{node}#{number}"), node) for node in members for number in range(VIRTUAL_NODES))


def _hash(text: str) -> int:
    """The same number on every machine, which Python's own hash is not."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
