"""`Events`: everybody who wants to hear of changes subscribes here. `Subscription` is one of them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

import trio

from zstack_appliance.kernel.compile import Compiler
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.errors import InvalidArgument, Unauthenticated
from zstack_appliance.kernel.events.happening import Happenings
from zstack_appliance.kernel.events.linked import LinkedTopic
from zstack_appliance.kernel.events.matching import Condition, Matching
from zstack_appliance.kernel.events.message import Message, Position, Teller, gap, ready
from zstack_appliance.kernel.events.replay import Replay
from zstack_appliance.kernel.events.sight import Shares
from zstack_appliance.kernel.events.subscriber import Backlog
from zstack_appliance.kernel.events.topic import Interest, Topic, Wanted
from zstack_appliance.kernel.inventory import Inventories
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Record, root_of
from zstack_appliance.kernel.sharing import SharedResource
from zstack_appliance.kernel.store import Batch, Dropped, Store

BACKLOG = 1000
"""Messages that may wait for one subscriber."""

BATCHES = 10_000
"""Batches that may wait to be told."""

MISSED = "more happened at once than could be told"


class Events:
    """Tells what changes.

    Args:
        store: what it happens in.
        compiler: compiles conditions.
        inventories: render rows.
        backlog: messages that may wait for one subscriber.
        batches: commits that may wait to be told.
    """

    def __init__(
        self,
        store: Store,
        compiler: Compiler,
        inventories: Inventories,
        *,
        backlog: int = BACKLOG,
        batches: int = BATCHES,
    ) -> None:
        self.number = store.feed.number
        """The last batch that has been told."""
        self.shares = Shares()
        """What is shared after it."""
        self._store = store
        self._compiler = compiler
        self._graph = compiler.graph
        self._happenings = Happenings(compiler.graph, store)
        self._matching = Matching(compiler)
        self._teller = Teller(inventories, store)
        self._limits = (backlog, batches)
        self._topics: dict[Wanted, Topic | LinkedTopic] = {}
        self._sessions: dict[str, set[Subscription]] = {}
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            while True:
                with self._store.feed.subscribed(self._limits[1]) as batches:
                    self.number = self._store.feed.number
                    self.shares = Shares(self._store.find(SharedResource))
                    task_status.started()
                    task_status = trio.TASK_STATUS_IGNORED
                    async for batch in batches:
                        if isinstance(batch, Dropped):
                            break
                        self._take(batch)
                self._tell_gap()

    def subscribe(self, principal: Principal, interest: Interest, after: Position | None = None) -> Subscription:
        """Hear of changes from now on, or of all that came after a position.

        Args:
            principal: sees what it may see.
            interest: what to hear of.
            after: how far the subscriber has heard already.

        Raises:
            Unauthenticated: there is no account.
            InvalidArgument: there is no such resource, or a condition is wrong.
        """
        if not principal.account_uuid:
            raise Unauthenticated("Session expired or unknown; log in and send the new session's uuid")
        wanted = self._understood(principal, interest)
        condition = self._matching.condition(wanted.conditions, wanted.classes[0]) if wanted.conditions else None
        return Subscription(self, principal, wanted, condition, after)

    def _understood(self, principal: Principal, interest: Interest) -> Wanted:
        if interest.conditions and len(interest.resources) != 1:
            raise InvalidArgument("conditions go with exactly one resource; name it, or leave the conditions out")
        classes = tuple(dict.fromkeys(self._named(name) for name in interest.resources))
        return Wanted(classes, interest.conditions, "" if principal.admin else principal.account_uuid, principal.admin)

    def _named(self, name: str) -> type[Record]:
        cls = self._graph.named(name)
        if cls is None or root_of(cls).options.path is None:
            names = sorted(query_name(each) for each in self._graph.resources if root_of(each).options.path)
            raise InvalidArgument(f"no resource is called [{name[:100]}]; there are {', '.join(names)}")
        return cls

    # --- telling ---------------------------------------------------------------------------------------

    def _take(self, batch: Batch) -> None:
        """Tell of one batch."""
        for change in batch.changes:
            if change.after is None:
                for subscription in tuple(self._sessions.get(change.key, ())):
                    subscription.end()
        if self._topics:
            tables = frozenset(change.table for change in batch.changes)
            happenings = self._happenings.of(batch, self.shares)
            for topic in self._topics.values():
                if isinstance(topic, LinkedTopic):
                    topic.hear(batch.number, happenings, tables)
                else:
                    topic.hear(happenings)
        else:
            for change in batch.changes:
                self.shares.apply(change)
        self.number = batch.number

    def _tell_gap(self) -> None:
        """Some batches were lost: the next ones come after where the store is now."""
        number = self._store.feed.number
        for topic in tuple(self._topics.values()):
            for backlog in topic.subscribers:
                backlog.put(gap(number, MISSED))
            if isinstance(topic, LinkedTopic):
                # It knows of no rows any more; whoever listens goes on at a fresh one.
                fresh = self._topics[topic.wanted] = self._linked(topic.wanted, topic.condition, number)
                fresh.subscribers, topic.subscribers = topic.subscribers, set()
                fresh.waiting, topic.waiting = topic.waiting, set()
                topic.stop()

    # --- for subscriptions -----------------------------------------------------------------------------

    def topic(self, wanted: Wanted, condition: Condition | None) -> Topic | LinkedTopic:
        """The topic of an interest, made if need be; it stays while somebody listens."""
        topic = self._topics.get(wanted)
        if topic is None:
            if condition is not None and condition.tables:
                topic = self._linked(wanted, condition, self.number)
            else:
                topic = Topic(wanted, condition, self._matching, self._teller)
            self._topics[wanted] = topic
        return topic

    def _linked(self, wanted: Wanted, condition: Condition, number: int) -> LinkedTopic:
        topic = LinkedTopic(wanted, condition, self._compiler, self._store, self._teller, number)
        assert self._nursery is not None, "nobody runs Events.run"
        self._nursery.start_soon(topic.run)
        return topic

    def enter(self, subscription: Subscription) -> None:
        """Note who is here, so that the end of its session ends it."""
        uuid = subscription.principal.session_uuid
        if uuid is not None:
            self._sessions.setdefault(uuid, set()).add(subscription)

    def leave(self, subscription: Subscription) -> None:
        """Forget who has gone, and a topic that nobody listens to."""
        uuid = subscription.principal.session_uuid
        if uuid is not None and uuid in self._sessions:
            self._sessions[uuid].discard(subscription)
            if not self._sessions[uuid]:
                del self._sessions[uuid]
        wanted = subscription.wanted
        topic = self._topics.get(wanted)
        if topic is None:
            return
        topic.subscribers.discard(subscription.backlog)
        if isinstance(topic, LinkedTopic):
            topic.waiting.discard(subscription)
        if not topic.subscribers and not (isinstance(topic, LinkedTopic) and topic.waiting):
            del self._topics[wanted]
            if isinstance(topic, LinkedTopic):
                topic.stop()

    def new_backlog(self) -> Backlog:
        """Room for one subscriber's messages."""
        return Backlog(self._limits[0])

    def replay(self, topic: Callable[[], Topic | LinkedTopic], after: Position) -> Replay:
        """What a subscriber has missed."""
        return Replay(
            self._store, self._happenings, topic, self._teller, after, lambda: self.number, lambda: self.shares
        )


class Subscription:
    """One subscriber: ``with events.subscribe(...) as stream: message = await stream.get()``.

    The first message is ``ready``; then come changes and gaps. `get` may be cancelled and called again.
    """

    def __init__(
        self, events: Events, principal: Principal, wanted: Wanted, condition: Condition | None, after: Position | None
    ) -> None:
        self.principal = principal
        self.wanted = wanted
        self.backlog = events.new_backlog()
        self._events = events
        self._condition = condition
        self._after = after
        self._is_ready = False
        self._is_live = False
        self._is_over = False
        self._replay: Replay | None = None
        self._again: list[Message] = []

    def __enter__(self) -> Subscription:
        """Begin to listen."""
        self._events.enter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Listen no more."""
        self.end()
        self._events.leave(self)

    def __aiter__(self) -> Subscription:
        """Itself."""
        return self

    async def __anext__(self) -> Message:
        """The next message.

        Raises:
            StopAsyncIteration: there are no more.
        """
        message = await self.get()
        if message is None:
            raise StopAsyncIteration
        return message

    def end(self) -> None:
        """There are no more messages, as when the session has ended."""
        self._is_over = True
        self.backlog.close()

    async def get(self) -> Message | None:
        """Wait for the next message; None at the end."""
        if self._is_over:
            return None
        if not self._is_ready:
            return await self._begin()
        while not self._is_live:
            if self._again:
                return self._again.pop(0)
            assert self._replay is not None
            self._again, is_last = await self._replay.more()
            if is_last:
                self._join()
            if self._has_ended():
                return None
        return self._again.pop(0) if self._again else await self.backlog.get()

    def waiting(self) -> list[Message]:
        """The messages behind the last one that need no waiting for; for whoever tells several at once."""
        found, self._again = self._again, []
        return found + (self.backlog.take() if self._is_live else [])

    async def _begin(self) -> Message | None:
        topic = self._topic()
        if isinstance(topic, LinkedTopic):
            topic.waiting.add(self)
            await topic.loaded.wait()
            topic = self._topic()
        self._is_ready = True
        if self._after is not None:
            self._replay = self._events.replay(self._topic, self._after)
            return ready(self._after, self._events.number)
        number = topic.number if isinstance(topic, LinkedTopic) else self._events.number
        self._join()
        return ready(Position(number), number)

    def _has_ended(self) -> bool:
        return self._is_over

    def _topic(self) -> Topic | LinkedTopic:
        return self._events.topic(self.wanted, self._condition)

    def _join(self) -> None:
        topic = self._topic()
        topic.subscribers.add(self.backlog)
        if isinstance(topic, LinkedTopic):
            topic.waiting.discard(self)
        self._is_live = True
