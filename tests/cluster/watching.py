"""What a test sees of all nodes at once: `Turns` watches who serves which key, `Lonely` a task of its own."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

import trio

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.plugin import Handler, Plugin, handler_of
from zstack_appliance.kernel.schema import Key


class Turns:
    """Counts how often each request is begun, and how many are served at once on each key, on whatever node."""

    def __init__(self) -> None:
        self.begun: Counter[tuple[str, Key]] = Counter()
        self.overlaps: list[str] = []
        self.nodes: dict[Key, list[str]] = {}
        """Where each key was served, in order."""
        self._now: dict[Key, list[str]] = {}

    def watch(self, plugins: Iterable[Plugin]) -> tuple[Plugin, ...]:
        """The same plugins, with every handler that has a queue watched."""
        return tuple(
            dataclasses.replace(plugin, handlers=tuple(self._watched(handler_of(each)) for each in plugin.handlers))
            for plugin in plugins
        )

    def _watched(self, handler: Handler) -> Handler:
        queue = handler.queue
        if queue is None:
            return handler

        async def serve(message: Any, cloud: Cloud) -> Any:
            key = queue(message)
            if key is None or key.table == "host_commands":
                return await handler.serve(message, cloud)
            name = type(message).__name__
            self.begun[name, key] += 1
            now = self._now.setdefault(key, [])
            if now:
                self.overlaps.append(f"{name} on {key} at {cloud.kernel.nodes.me} while {now}")
            self.nodes.setdefault(key, []).append(cloud.kernel.nodes.me)
            now.append(f"{name} at {cloud.kernel.nodes.me}")
            try:
                return await handler.serve(message, cloud)
            finally:
                now.pop()

        return dataclasses.replace(handler, serve=serve)


class Lonely:
    """A background task that notes where it runs."""

    def __init__(self) -> None:
        self.running: list[str] = []

    def plugin(self) -> Plugin:
        """A plugin with the task as a singleton."""

        async def lonely(cloud: Cloud) -> None:
            self.running.append(cloud.kernel.nodes.me)
            try:
                await trio.sleep_forever()
            finally:
                self.running.remove(cloud.kernel.nodes.me)

        return Plugin(name="lonely", singletons=(lonely,))
