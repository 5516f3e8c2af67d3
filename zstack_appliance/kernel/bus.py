"""The bus: finds who serves a message and where, waits in the resource's queue, and lets plugins join in.

Primitives: `Bus.call` (a request to its one handler, on the node that the hash ring names), `Bus.publish` (an
event to this node's listeners) and `Bus.gather` (a hook to every contributor, here).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from zstack_appliance.kernel.courier import Courier, KeyMoved
from zstack_appliance.kernel.errors import CloudError, Internal
from zstack_appliance.kernel.message import Event, Hook, Request
from zstack_appliance.kernel.peers import NodeUnreachable
from zstack_appliance.kernel.plugin import Handler, Plugin, Serve, handler_of
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.schema import Key

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud

log = logging.getLogger(__name__)

Reply = TypeVar("Reply")
Answer = TypeVar("Answer")


class Bus:
    """Delivers messages.

    Args:
        plugins: whose handlers, listeners and hooks take part, ordered by name.
        queues: this node's resource queues.
        courier: knows where a key is served, and reaches that node; without one, every key is served here.

    Raises:
        ValueError: two plugins handle one request.
    """

    def __init__(self, plugins: Iterable[Plugin], queues: Queues, courier: Courier | None = None) -> None:
        self._queues = queues
        self._courier = courier
        self._handlers: dict[type[Request[Any]], Handler] = {}
        self._listeners: dict[type[Event], list[Serve]] = {}
        self._hooks: dict[type[Hook[Any]], list[Serve]] = {}
        for plugin in plugins:
            self._join(plugin)

    def _join(self, plugin: Plugin) -> None:
        for entry in plugin.handlers:
            handler = handler_of(entry)
            if handler.message in self._handlers:
                raise ValueError(f"{handler.message.__name__} has two handlers; {plugin.name} adds the second")
            self._handlers[handler.message] = handler
        for event, serve in plugin.listeners:
            self._listeners.setdefault(event, []).append(serve)
        for hook, serve in plugin.hooks:
            self._hooks.setdefault(hook, []).append(serve)

    @property
    def requests(self) -> tuple[type[Request[Any]], ...]:
        """Every request that someone serves, ordered by name."""
        return tuple(sorted(self._handlers, key=lambda cls: cls.__name__))

    def handler(self, message: type[Request[Any]]) -> Handler:
        """Who serves a request.

        Raises:
            Internal: nobody does.
        """
        try:
            return self._handlers[message]
        except KeyError:
            raise Internal(f"no plugin serves {message.__name__}", code="SYS.1008") from None

    async def call(self, message: Request[Reply], cloud: Cloud) -> Reply:
        """Have a request served by its resource's node, in its turn in the resource's queue, and give the reply.

        Raises:
            CloudError: the handler refused or failed.
            OutcomeUnknown: the node stopped while it served.
            DeadlockError: the caller holds the resource already.
        """
        handler = self.handler(type(message))
        key = _key(handler, message)
        courier = self._courier
        while key is not None and courier is not None and not courier.is_here(key):
            try:
                return cast("Reply", await courier.call(key, message, cloud))
            except (KeyMoved, NodeUnreachable):
                continue  # Nothing was done there, and the ring says something else by now.
        return cast("Reply", await self._in_turn(handler, key, message, cloud))

    async def serve(self, message: Request[Any], cloud: Cloud) -> Any:
        """Serve a request that another node sent, if it belongs here.

        Raises:
            KeyMoved: it belongs elsewhere by now.
            CloudError: see `call`.
        """
        handler = self.handler(type(message))
        key = _key(handler, message)
        if key is not None and self._courier is not None:
            await self._courier.reach(key)
        return await self._in_turn(handler, key, message, cloud)

    async def _in_turn(self, handler: Handler, key: Key | None, message: Request[Any], cloud: Cloud) -> Any:
        if key is None or handler.queue is None:
            return await handler.serve(message, cloud)
        # Nothing waits between the look at the ring and this line, so the key is still ours.
        async with self._queues.turn(key):
            return await handler.serve(message, cloud)

    async def publish(self, event: Event, cloud: Cloud) -> None:
        """Tell every listener, one after the other. A listener that fails is logged; the others still hear."""
        for listen in self._listeners.get(type(event), ()):
            try:
                await listen(event, cloud)
            except CloudError as error:
                log.warning("a listener of %s failed: %s", type(event).__name__, error)

    async def gather(self, hook: Hook[Answer], cloud: Cloud) -> tuple[Answer, ...]:
        """Ask every contributor, ordered by plugin name; the first error is a veto and ends the round."""
        return tuple([await contribute(hook, cloud) for contribute in self._hooks.get(type(hook), ())])


def _key(handler: Handler, message: Request[Any]) -> Key | None:
    """The key that says where a request is served; None where the caller is."""
    place = handler.queue or handler.home
    return None if place is None else place(message)
