"""Other nodes, as this one reaches them: `Peers` (the seam to the network) and what is said over it.

A call is asked for again under the same id until its outcome is known, or until the node it went to has left. What
carries the bytes need not be reliable, therefore, but it has to tell two failures apart: `NodeUnreachable`
(nothing was done there) and `OutcomeUnknown` (it may have been).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.packing import Packed, PackedError


class NodeUnreachable(Unavailable):
    """A message did not get to another node, and nothing was done there. Asking again is safe."""

    code = "SYS.1010"


class OutcomeUnknown(Unavailable):
    """A node went away while it served a call. Whoever takes its work up undoes it or finishes it."""

    code = "SYS.1012"


Tell = Callable[[bytes], None]
"""Receives what the other side says before it answers; it never waits."""

Answerer = Callable[[bytes, Tell], Awaitable[bytes]]
"""``async def answer(body, tell) -> bytes``: serves what other nodes ask."""


class Peers(Protocol):
    """The network between nodes, as one of them sees it. It carries bytes, and knows nodes by their uuid."""

    async def ask(self, node: str, body: bytes, tell: Tell) -> bytes:
        """What `node` answers to `body`.

        It may take as long as what is asked for. A cancel gives up waiting and nothing else: what was asked for
        goes on there, unless that node is told to stop it.

        Raises:
            NodeUnreachable: `body` has not arrived and will not.
            OutcomeUnknown: it may have arrived, but no answer will come.
        """

    def answering(self, answer: Answerer) -> AbstractContextManager[None]:
        """For the length of the block, have `answer` serve what others ask of this node.

        A connection that breaks may cancel `answer`. After the block nothing reaches this node.
        """


class Call(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Serve a request."""

    id: str
    """Chosen by the caller; what is asked twice under one id is done once."""
    message: Packed
    account: str
    admin: bool
    session: str | None
    source: str
    job: str | None
    api: str | None
    held: list[tuple[str, str]]
    """The queue keys that the caller's chain holds, outermost first."""
    remaining: float | None
    """Seconds until the caller gives up."""
    reports: list[str] = []
    """Fields of the message that receive progress."""
    user: str | None = None
    """Who acts for the account, where it is not the account itself."""


class CallOff(msgspec.Struct, frozen=True, tag=True):
    """Cancel a call; the answer comes when it has ended, and is the call's."""

    id: str


class ListBusy(msgspec.Struct, frozen=True, tag=True):
    """Name the keys that are still being served here though they are another node's now."""


class AwaitIdle(msgspec.Struct, frozen=True, tag=True):
    """Answer once nobody holds or awaits a key here any more."""

    key: tuple[str, str]


class AwaitAnswered(msgspec.Struct, frozen=True, tag=True):
    """Answer once every call that went from here to the sender has been answered."""


class Abandon(msgspec.Struct, frozen=True, tag=True):
    """Cancel the calls served here for a job whose callers have left; answer once they have ended."""

    job: str | None
    """None for what belongs to no job."""


Question = Call | CallOff | ListBusy | AwaitIdle | AwaitAnswered | Abandon


class Asked(msgspec.Struct, frozen=True):
    """What one node sends to another."""

    by: str
    by_epoch: int
    """0 for a node that has not joined yet."""
    to_epoch: int
    """Which of the node's lives is meant: what it did in an earlier one, it has forgotten."""
    number: int
    """Of the last commit that the sender knows; the other side sees it too before it looks at anything."""
    question: Question


class Replied(msgspec.Struct, frozen=True, tag=True):
    """The reply of a handler."""

    value: Packed


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The error of a handler."""

    error: PackedError


class CalledOff(msgspec.Struct, frozen=True, tag=True):
    """It was cancelled."""


class Moved(msgspec.Struct, frozen=True, tag=True):
    """The key is another node's; nothing was done."""


class Stranger(msgspec.Struct, frozen=True, tag=True):
    """The node meant is not this one any more, or the sender is no member; nothing was done."""


class Keys(msgspec.Struct, frozen=True, tag=True):
    """The keys asked for."""

    keys: list[tuple[str, str]]


class Answer(msgspec.Struct, frozen=True):
    """What comes back."""

    number: int
    """Of the last commit that the answer may speak of."""
    content: Replied | Failed | CalledOff | Moved | Stranger | Keys


class Said(msgspec.Struct, frozen=True):
    """Progress, on its way back before the answer."""

    field: str
    fraction: float | None
    text: str
