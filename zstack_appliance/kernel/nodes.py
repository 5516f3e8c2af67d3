"""Who is there: `Nodes`, what this node knows of all that make up the cloud, itself included.

A node is a member from its joining to its leaving. It serves while it is on the ring; one that is about to leave
is off the ring already and finishes what it has begun. A member that joins anew gets another epoch, by which its
lives are told apart. On a single machine there is one node, and it owns every key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import trio

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.ring import Ring
from zstack_appliance.kernel.schema import Key


class Fenced(Unavailable):
    """This node is no member any more: others do its work, so it may change nothing and has to stop."""

    code = "SYS.1010"


@dataclass(frozen=True, slots=True)
class Member:
    """One node of the cloud.

    Args:
        uuid: its name.
        epoch: which of its lives this is.
        serves: whether it is on the ring.
    """

    uuid: str
    epoch: int
    serves: bool = True


class Nodes:
    """The members as the last commit that is known here has them.

    Args:
        me: this node's uuid.
        clustered: whether there may be others.
    """

    def __init__(self, me: str, *, clustered: bool = False) -> None:
        self.me = me
        self.clustered = clustered
        self.epoch = 0
        """This life's; 0 before it has joined and after it has left."""
        self.ring = Ring(() if clustered else (me,))
        self.changed = trio.Event()
        """Set, and replaced by a new one, whenever a member joins or leaves."""
        self.fenced = trio.Event()
        """Set once this node must stop."""
        self._epochs: dict[str, int] = {} if clustered else {me: 0}
        self._listeners: list[Callable[[], None]] = []

    @property
    def others(self) -> dict[str, int]:
        """The epochs of the other members, those included that are about to leave."""
        return {uuid: epoch for uuid, epoch in self._epochs.items() if uuid != self.me}

    def owner(self, key: Key) -> str:
        """The node that serves a key."""
        return self.ring.owner(key)

    def owns(self, key: Key) -> bool:
        """Whether this node serves a key."""
        return bool(self.ring.members) and self.ring.owner(key) == self.me

    def is_member(self, uuid: str, epoch: int) -> bool:
        """Whether a node is still in that life."""
        return self._epochs.get(uuid) == epoch

    def joined(self, epoch: int) -> None:
        """This node has joined: from now on the loss of its membership stops it."""
        self.epoch = epoch

    def update(self, members: Iterable[Member]) -> None:
        """Take over who the members are now. A node that is not among them any more is fenced."""
        now = {member.uuid: member for member in members}
        epochs = {uuid: member.epoch for uuid, member in now.items()}
        ring = frozenset(uuid for uuid, member in now.items() if member.serves)
        if self.epoch and epochs.get(self.me) != self.epoch:
            self.fence()
        if epochs == self._epochs and ring == self.ring.members:
            return
        self._epochs = epochs
        if ring != self.ring.members:
            self.ring = Ring(ring)
        for listener in self._listeners:
            listener()
        self.changed.set()
        self.changed = trio.Event()

    def fence(self) -> None:
        """Stop this node: others may be doing its work by now."""
        self.fenced.set()

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a member joins or leaves, before anything else happens."""
        self._listeners.append(listener)
