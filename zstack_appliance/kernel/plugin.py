"""What a folder adds to the cloud, as data: `Plugin`, and `discover`, which finds the built-in ones.

A plugin is imported by discovery alone and changes nothing by being imported; `appliance.py` wires it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zstack_appliance.kernel.config import GlobalConfig
from zstack_appliance.kernel.flow import Flow
from zstack_appliance.kernel.message import DeleteMode, Event, Hook, Request
from zstack_appliance.kernel.meter import Gauge
from zstack_appliance.kernel.offered import FlowEdit, OfferedStep
from zstack_appliance.kernel.page import Page
from zstack_appliance.kernel.presentation import Presentation
from zstack_appliance.kernel.quota import Quota
from zstack_appliance.kernel.remote import HostSide
from zstack_appliance.kernel.schema import Key, OnDelete, Record
from zstack_appliance.kernel.tag import SystemTag

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud

Serve = Callable[[Any, "Cloud"], Awaitable[Any]]
"""``async def serve(message, cloud) -> reply``."""

Task = Callable[["Cloud"], Awaitable[None]]
"""A background task: runs as the system, until it is cancelled at shutdown."""


Operation = Callable[[Any, DeleteMode], Request[Any]]
"""From a row that a deletion elsewhere concerns to the request that does it: ``(row, mode) -> request``."""


@dataclass(frozen=True)
class Handler:
    """Binds a request to the function that serves it, to the queue that it waits in, and so to its node."""

    message: type[Request[Any]]
    serve: Serve
    queue: Callable[[Any], Key | None] | None = None
    home: Callable[[Any], Key | None] | None = None
    """For a request without a queue, the key whose node serves it; without either, the caller's node does."""


@dataclass(frozen=True)
class Plugin:
    """What a folder adds. Everything is a value; nothing runs before `appliance.py` says so."""

    name: str
    resources: tuple[type[Record], ...] = ()
    handlers: tuple[Handler | Serve, ...] = ()
    """Functions decorated by `handles`, or ready `Handler` values made by a helper."""
    listeners: tuple[tuple[type[Event], Serve], ...] = ()
    hooks: tuple[tuple[type[Hook[Any]], Serve], ...] = ()
    flows: tuple[Flow[Any], ...] = ()
    steps: tuple[OfferedStep, ...] = ()
    """Steps for the flows of others, which the administrator, or `flow_edits`, puts there."""
    flow_edits: tuple[FlowEdit, ...] = ()
    """Which of the offered steps go where from the start."""
    drivers: Mapping[tuple[type[Any], str], Any] = field(default_factory=dict)
    """By Protocol and the resource's ``type`` value, what makes the driver; the parent's `driver.py` says how."""
    host_side: HostSide = field(default_factory=HostSide)
    cascades: Mapping[tuple[type[Record], OnDelete], Operation] = field(default_factory=dict)
    """What is done to a row of this folder when a deletion elsewhere deletes, detaches or stops it. Rows that
    have no entry are deleted by their Delete API, or with what they belong to."""
    quotas: tuple[Quota, ...] = ()
    configs: tuple[GlobalConfig, ...] = ()
    tags: tuple[SystemTag, ...] = ()
    gauges: tuple[Gauge, ...] = ()
    """What ``/metrics`` shows of this folder's rows."""
    presentations: tuple[Presentation, ...] = ()
    """How its resources are shown to people; from the folder's `ui.py`."""
    early: tuple[Task, ...] = ()
    """Awaited before the `starts` of all plugins."""
    starts: tuple[Task, ...] = ()
    """Awaited one by one, in plugin order, before the doors open."""
    tasks: tuple[Task, ...] = ()
    """Started once the doors are open; each runs in its own task until shutdown, on every node."""
    singletons: tuple[Task, ...] = ()
    """As `tasks`, but each on one node of the cloud at a time; it is cancelled where it moves away from."""
    pages: tuple[Page, ...] = ()
    templates: Path | None = None
    """The folder of the pages' templates: ``Path(__file__).parent / "templates"``."""


_HANDLER = "__handler__"


def handles(
    message: type[Request[Any]],
    *,
    queue: Callable[[Any], Key | None] | None = None,
    home: Callable[[Any], Key | None] | None = None,
) -> Callable[[Serve], Serve]:
    """Mark a function as the handler of `message`, served in the order of the queue that `queue` names.

    See `Handler` for `home`.
    """

    def attach(serve: Serve) -> Serve:
        setattr(serve, _HANDLER, Handler(message, serve, queue, home))
        return serve

    return attach


def handler_of(entry: Handler | Serve) -> Handler:
    """The `Handler` of a plugin's entry.

    Raises:
        TypeError: the function carries no ``@handles``.
    """
    if isinstance(entry, Handler):
        return entry
    found = getattr(entry, _HANDLER, None)
    if not isinstance(found, Handler):
        raise TypeError(f"{entry!r} is listed as a handler: decorate it with @handles(Message)")
    return found


def discover(package: str) -> tuple[Plugin, ...]:
    """Every ``plugin`` value in the ``plugin.py`` modules below a package, ordered by name.

    Raises:
        RuntimeError: there is none, as in a bundle that was built without them.
    """
    root = importlib.import_module(package)
    found: list[Plugin] = [
        importlib.import_module(module.name).plugin
        for module in pkgutil.walk_packages(root.__path__, f"{package}.")
        if module.name.endswith(".plugin")
    ]
    if not found:
        raise RuntimeError(f"no plugin found below {package}: the program was built without its modules")
    return tuple(sorted(found, key=lambda plugin: plugin.name))
