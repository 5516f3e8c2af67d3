"""Calls to other nodes: `Courier` finds a key's node, and asks there until the outcome is known.

It is the way of every call that names a key, on a single machine too, where the ring always says "here".
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import trio

from zstack_appliance.kernel import peers as wire
from zstack_appliance.kernel.errors import Internal, Unavailable
from zstack_appliance.kernel.handover import Handover
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.nodes import Nodes
from zstack_appliance.kernel.packing import pack, unpack, unpack_error
from zstack_appliance.kernel.peers import NodeUnreachable, OutcomeUnknown, Peers
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.schema import Key
from zstack_appliance.kernel.world import Entropy

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud
    from zstack_appliance.kernel.store import Store

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
"""Pause before a node that did not answer is asked again."""

_Life = tuple[str, int]


class KeyMoved(Exception):
    """The key is another node's now, or has just come to this one; nothing was done. Ask the ring again."""


class Gone(Exception):
    """The node has left, so there will be no answer. `asked` says whether it may have heard the question."""

    def __init__(self, *, asked: bool) -> None:
        super().__init__("the node has left")
        self.asked = asked


class Courier:
    """Carries calls between this node and the others.

    Args:
        nodes: the members.
        queues: this node's.
        peers: the network; None on a single machine.
        store: brings this node up to date with what an answer speaks of.
        entropy: draws the ids of calls.
    """

    def __init__(self, nodes: Nodes, queues: Queues, peers: Peers | None, store: Store, entropy: Entropy) -> None:
        self.nodes = nodes
        self.handover = Handover(nodes, self)
        self._queues = queues
        self._peers = peers
        self._store = store
        self._entropy = entropy
        self._waiting: dict[_Life, set[trio.CancelScope]] = {}
        self._calls: Counter[_Life] = Counter()
        """To each node, how many calls it has not answered yet."""
        self._answered = trio.Event()
        """Set, and replaced by a new one, whenever a call has been answered."""
        self._parking = False
        self._calling_off: set[trio.CancelScope] = set()
        nodes.on_change(self._give_up_on_the_gone)

    def is_here(self, key: Key) -> bool:
        """Whether this node may serve a key now."""
        nodes = self.nodes
        return nodes.ring.owner(key) == nodes.me and self.handover.is_free(key)

    async def reach(self, key: Key) -> None:
        """Return once this node may serve a key.

        Raises:
            KeyMoved: it is another node's.
        """
        while not self.is_here(key):
            if not self.nodes.owns(key):
                raise KeyMoved
            await self.handover.wait(key)

    @property
    def is_parking(self) -> bool:
        """Whether the appliance stops."""
        return self._parking

    def park(self) -> None:
        """The appliance stops: calls that are cancelled from now on are left to whoever takes their jobs up."""
        self._parking = True
        for scope in self._calling_off:
            scope.cancel()

    async def call(self, key: Key, message: Request[Any], cloud: Cloud) -> Any:
        """Have the node that a key belongs to serve a request.

        Raises:
            KeyMoved: nothing was done, and the ring says something else by now.
            NodeUnreachable: it has left and nothing was done; another node owns the key now.
            OutcomeUnknown: it left while it may have been serving.
            CloudError: what the handler raised.
        """
        node = self.nodes.owner(key)
        if node == self.nodes.me:
            await self.handover.wait(key)
            raise KeyMoved
        return await self.call_on(node, key, message, cloud)

    async def call_on(self, node: str, key: Key, message: Request[Any], cloud: Cloud) -> Any:
        """Have a certain node serve a request; see `call`."""
        message, reports = _reports(message)
        call = wire.Call(
            id=self._entropy.uuid(),
            message=pack(message),
            account=cloud.principal.account_uuid,
            admin=cloud.principal.admin,
            session=cloud.principal.session_uuid,
            source=cloud.principal.source,
            job=cloud.job_uuid,
            api=cloud.api,
            held=[(each.table, each.uuid) for each in self._queues.held()],
            remaining=_remaining(),
            reports=list(reports),
            user=cloud.principal.user_uuid,
        )
        life = (node, self.nodes.others.get(node, -1))
        with self._queues.elsewhere(key), self._open(life):
            try:
                content = await self._ask(life, call, lambda said: _pass_on(said, reports))
            except trio.Cancelled:
                await self._call_off(life, call.id)
                raise
            except Gone as gone:
                raise _lost(node, asked=gone.asked) from None
        return _result(content)

    # --- the questions besides -------------------------------------------------------------------------

    async def busy(self, node: str) -> tuple[Key, ...]:
        """See `FormerOwners.busy`."""
        content = await self._ask_member(node, wire.ListBusy())
        return tuple(Key(*key) for key in content.keys) if isinstance(content, wire.Keys) else ()

    async def idle(self, node: str, key: Key) -> None:
        """See `FormerOwners.idle`."""
        await self._ask_member(node, wire.AwaitIdle(key=key))

    async def answered(self, node: str) -> None:
        """Return once a node has the answers to all its calls to this one."""
        await self._ask_member(node, wire.AwaitAnswered())

    async def all_answered(self, life: tuple[str, int]) -> None:
        """Return once a node has answered all calls that went to it from here."""
        while self._calls[life]:
            await self._answered.wait()

    async def abandon(self, node: str, job_uuid: str | None) -> None:
        """Have a node cancel what it serves for a job's callers that have left, and wait until that has ended."""
        await self._ask_member(node, wire.Abandon(job=job_uuid))

    async def _ask_member(self, node: str, question: wire.Question) -> object:
        life = (node, self.nodes.others.get(node, -1))
        try:
            return await self._ask(life, question, _hear_nothing)
        except Gone:
            return None

    # --- asking until it is known ----------------------------------------------------------------------

    async def _ask(self, life: _Life, question: wire.Question, tell: wire.Tell) -> object:
        """The answer's content. Only a node's leaving ends the asking.

        Raises:
            Gone: it has left.
        """
        assert self._peers is not None, "a single node asks nobody"
        may_have_heard = in_flight = False
        with self._until_gone(life):
            while True:
                asked = wire.Asked(
                    by=self.nodes.me,
                    by_epoch=self.nodes.epoch,
                    to_epoch=life[1],
                    number=self._store.feed.number,
                    question=question,
                )
                in_flight = True
                try:
                    body = await self._peers.ask(life[0], msgspec.json.encode(asked), tell)
                    answer = msgspec.json.decode(body, type=wire.Answer)
                except NodeUnreachable:
                    in_flight = False
                except OutcomeUnknown:
                    may_have_heard = True
                else:
                    # A caller that is told of something must find it in its own database.
                    await self._catch_up(answer.number)
                    if not isinstance(answer.content, wire.Stranger):
                        return answer.content
                    in_flight = False
                await trio.sleep(RETRY_SECONDS)
        raise Gone(asked=may_have_heard or in_flight)

    async def _catch_up(self, number: int) -> None:
        """Know that commit. Without the log this node cannot go on, and is soon no member any more."""
        while True:
            try:
                return await self._store.reached(number)
            except Unavailable:
                await trio.sleep(RETRY_SECONDS)

    async def _call_off(self, life: _Life, call_id: str) -> None:
        """Have a call cancelled, and wait until it has ended, unless the appliance stops."""
        if self._parking:
            return
        with trio.CancelScope(shield=True) as scope:
            self._calling_off.add(scope)
            try:
                await self._ask(life, wire.CallOff(id=call_id), _hear_nothing)
            except Gone:
                log.info("a call that is called off was on node %s, which has left", life[0])
            finally:
                self._calling_off.discard(scope)

    @contextmanager
    def _open(self, life: _Life) -> Iterator[None]:
        self._calls[life] += 1
        try:
            yield
        finally:
            self._calls -= Counter({life: 1})  # A count of zero is dropped.
            self._answered.set()
            self._answered = trio.Event()

    @contextmanager
    def _until_gone(self, life: _Life) -> Iterator[None]:
        scope = trio.CancelScope()
        waiting = self._waiting.setdefault(life, set())
        waiting.add(scope)
        if not self.nodes.is_member(*life):
            scope.cancel()
        try:
            with scope:
                yield
        finally:
            waiting.discard(scope)
            if not waiting:
                self._waiting.pop(life, None)

    def _give_up_on_the_gone(self) -> None:
        for life, scopes in self._waiting.items():
            if not self.nodes.is_member(*life):
                for scope in scopes:
                    scope.cancel()


def _reports(message: Request[Any]) -> tuple[Request[Any], dict[str, Callable[[float | None, str], None]]]:
    """A message without the functions in it, which cannot travel, and those functions by field."""
    found = {name: value for name in message.__struct_fields__ if callable(value := getattr(message, name)) and value}
    return (msgspec.structs.replace(message, **dict.fromkeys(found)) if found else message), found


def _pass_on(said: bytes, reports: dict[str, Callable[[float | None, str], None]]) -> None:
    progress = msgspec.json.decode(said, type=wire.Said)
    reports[progress.field](progress.fraction, progress.text)


def _hear_nothing(_said: bytes) -> None:
    """What a question that has no progress is given."""


def _remaining() -> float | None:
    left = trio.current_effective_deadline() - trio.current_time()
    return None if left == float("inf") else left


def _lost(node: str, *, asked: bool) -> NodeUnreachable | OutcomeUnknown:
    if asked:
        return OutcomeUnknown(
            f"management node {node} stopped while it worked on this; what it had begun is undone or finished by"
            " another one; look at the resource, then send the request again"
        )
    return NodeUnreachable(f"management node {node} has left; nothing was done")


def _result(content: object) -> Any:
    if isinstance(content, wire.Replied):
        return unpack(content.value)
    if isinstance(content, wire.Failed):
        raise unpack_error(content.error)
    if isinstance(content, wire.Moved):
        raise KeyMoved
    if isinstance(content, wire.CalledOff):
        raise OutcomeUnknown("the other node cancelled this: its time was over, or its job is taken up elsewhere")
    raise Internal(f"another node answered a call with {type(content).__name__}")
