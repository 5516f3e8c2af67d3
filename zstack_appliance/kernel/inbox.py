"""What other nodes ask of this one: `Inbox` serves each call once, however often it is asked for."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import msgspec
import trio

from zstack_appliance.kernel import peers as wire
from zstack_appliance.kernel.cloud import Cloud, Kernel
from zstack_appliance.kernel.courier import KeyMoved
from zstack_appliance.kernel.errors import CloudError, Internal, Unavailable
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.packing import pack, pack_error, unpack
from zstack_appliance.kernel.principal import Principal
from zstack_appliance.kernel.schema import Key

log = logging.getLogger(__name__)

KEPT = 10_000
"""Answers that are kept for callers whose connection broke; they ask again within seconds."""

GRACE_SECONDS = 5.0
"""How much longer than its caller a call may take: the caller itself says when it gives up."""


@dataclass(eq=False)
class _Served:
    """One call: under way, or ended with its answer."""

    job: str | None
    caller: tuple[str, int]
    """The node that asked, and in which of its lives."""
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)
    content: Any = None
    tell: wire.Tell | None = None


class Inbox:
    """Serves what other nodes ask.

    Args:
        kernel: this node's.
        nursery: where calls run; it outlives the connections that they came by.
    """

    def __init__(self, kernel: Kernel, nursery: trio.Nursery) -> None:
        self._kernel = kernel
        self._nursery = nursery
        self._calls: OrderedDict[str, _Served] = OrderedDict()

    async def idle(self) -> None:
        """Return once all calls that are served now have ended."""
        for served in list(self._calls.values()):
            await served.ended.wait()

    async def answer(self, body: bytes, tell: wire.Tell) -> bytes:
        """Serve one question; see `Answerer`."""
        asked = msgspec.json.decode(body, type=wire.Asked)
        content = await self._content(asked, tell)
        return msgspec.json.encode(wire.Answer(self._kernel.store.feed.number, content))

    async def abandon(self, job: str | None) -> None:
        """Cancel what is served for a job and was asked for by nodes that have left; return once it has ended."""
        orphans = [
            served
            for served in self._calls.values()
            if served.job == job and not served.ended.is_set() and not self._kernel.nodes.is_member(*served.caller)
        ]
        for served in orphans:
            served.scope.cancel()
        for served in orphans:
            await served.ended.wait()

    async def _content(self, asked: wire.Asked, tell: wire.Tell) -> Any:
        nodes = self._kernel.nodes
        try:
            # First what the sender knows: a key may have come here by the very last commit.
            await self._kernel.store.reached(asked.number)
        except CloudError as error:
            log.info("another node's question has to wait: %s", error)
            return wire.Stranger()
        if asked.to_epoch != nodes.epoch or (asked.by_epoch and not nodes.is_member(asked.by, asked.by_epoch)):
            return wire.Stranger()
        return await self._answered(asked, tell)

    async def _answered(self, asked: wire.Asked, tell: wire.Tell) -> Any:
        caller = (asked.by, asked.by_epoch)
        match asked.question:
            case wire.Call() as call:
                return await self._call(call, caller, tell)
            case wire.CallOff(id=call_id):
                return await self._call_off(call_id, caller)
            case wire.ListBusy():
                nodes, queues = self._kernel.nodes, self._kernel.queues
                return wire.Keys([(key.table, key.uuid) for key in queues.busy() if not nodes.owns(key)])
            case wire.AwaitIdle(key=key):
                await self._kernel.queues.idle(Key(*key))
                return wire.Keys([])
            case wire.AwaitAnswered():
                await self._kernel.courier.all_answered(caller)
                return wire.Keys([])
            case wire.Abandon(job=job):
                await self.abandon(job)
                return wire.Keys([])

    async def _call(self, call: wire.Call, caller: tuple[str, int], tell: wire.Tell) -> Any:
        served = self._calls.get(call.id)
        if served is None:
            served = self._calls[call.id] = _Served(call.job, caller)
            self._nursery.start_soon(self._serve, call, served)
        served.tell = tell
        await served.ended.wait()
        return served.content

    async def _call_off(self, call_id: str, caller: tuple[str, int]) -> Any:
        served = self._calls.get(call_id)
        if served is None:
            # It may still be on its way, and must not be begun then.
            served = self._calls[call_id] = _Served(None, caller, content=wire.CalledOff())
            served.ended.set()
        served.scope.cancel()
        await served.ended.wait()
        return served.content

    async def _serve(self, call: wire.Call, served: _Served) -> None:
        with served.scope:
            if call.remaining is not None:
                served.scope.deadline = trio.current_time() + call.remaining + GRACE_SECONDS
            served.content = await self._outcome(call, served)
        if served.content is None:
            if self._kernel.courier.is_parking:
                return  # Whoever asked learns that this node has left, and the journal says the rest.
            served.content = wire.CalledOff()
        served.ended.set()
        if isinstance(served.content, wire.Moved):
            self._calls.pop(call.id, None)  # It was not served, and may come again.
        self._forget()

    async def _outcome(self, call: wire.Call, served: _Served) -> Any:
        kernel = self._kernel
        principal = Principal(
            call.account, admin=call.admin, session_uuid=call.session, source=call.source, user_uuid=call.user
        )
        try:
            message = self._heard(unpack(call.message), call, served)
            with kernel.queues.on_behalf(Key(*key) for key in call.held):
                reply = await kernel.bus.serve(message, Cloud(kernel, principal, call.job, call.api))
            return wire.Replied(pack(reply))
        except KeyMoved:
            return wire.Moved()
        except CloudError as error:
            return wire.Failed(pack_error(error))
        except trio.TooSlowError:
            text = "the operation took longer than it may; what it had done is undone"
            return wire.Failed(pack_error(Internal(text, code="SYS.1001")))
        except Exception as error:
            log.exception("a call from another node failed")
            text = f"an internal error happened: {type(error).__name__}; see the log of node {kernel.nodes.me}"
            return wire.Failed(pack_error(Internal(text)))

    def _heard(self, message: Any, call: wire.Call, served: _Served) -> Request[Any]:
        """The message, with its progress going back to the caller."""
        if not isinstance(message, Request):
            raise Unavailable(f"{type(message).__name__} is no request")
        if not call.reports:
            return message
        return msgspec.structs.replace(message, **{name: _Reporter(served, name) for name in call.reports})

    def _forget(self) -> None:
        while len(self._calls) > KEPT:
            oldest = next(iter(self._calls.values()))
            if not oldest.ended.is_set():
                return
            self._calls.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Reporter:
    """A `Report` that crosses to the caller."""

    served: _Served
    field: str

    def __call__(self, fraction: float | None, text: str) -> None:
        """See `Report`."""
        if self.served.tell is not None:
            self.served.tell(msgspec.json.encode(wire.Said(self.field, fraction, text)))
