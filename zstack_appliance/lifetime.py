"""How an appliance begins and ends, alone or as one node among others: `listening`, `start`, `retire` and `park`.

`Cluster` is what joins nodes into one cloud; without it a node is the only one.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trio

from zstack_appliance.cloud.management_node import membership
from zstack_appliance.kernel.audit import Audits
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.config import Setting
from zstack_appliance.kernel.errors import CloudError, Unavailable
from zstack_appliance.kernel.events.service import Events
from zstack_appliance.kernel.instance import Instance
from zstack_appliance.kernel.nodes import Fenced
from zstack_appliance.kernel.peers import Peers
from zstack_appliance.kernel.plugin import Task
from zstack_appliance.kernel.resource_config import OwnValues, ResourceConfig
from zstack_appliance.kernel.singletons import on_one_node
from zstack_appliance.kernel.store import Log, Store
from zstack_appliance.kernel.store.feed import Listener
from zstack_appliance.kernel.together import alone

if TYPE_CHECKING:
    from zstack_appliance.appliance import Appliance

PAUSE_SECONDS = 1.0
"""Before a background task that failed begins anew."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """What joins nodes into one cloud.

    Args:
        log: the order of commits that all agree on.
        peers: reaches the other nodes.
        drain_seconds: how long a node that stops lets end what it has begun; the others take up the rest.
    """

    log: Log
    peers: Peers
    drain_seconds: float = 60.0


def node_uuid(instance: Instance, name: str) -> str:
    """This node's name among nodes: the same at every start."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{instance.id}/{name}").hex


@contextmanager
def listening(appliance: Appliance, cluster: Cluster | None) -> Iterator[None]:
    """Have those hear of every commit who keep something in memory, and let other nodes ask."""
    kernel = appliance.kernel
    with ExitStack() as stack:
        listeners: tuple[Listener, ...] = (
            lambda batch: appliance.membership.heard(batch, kernel.store),
            kernel.configs.heard,
            kernel.services[OwnValues].heard,
            appliance.jobs.heard,
        )
        for listener in listeners:
            stack.enter_context(kernel.store.feed.listening(listener))
        if cluster is not None:
            stack.enter_context(cluster.peers.answering(appliance.inbox.answer))
        yield


async def start(appliance: Appliance, nursery: trio.Nursery) -> None:
    """Join, do what has to be done before the doors open, and begin what runs behind them."""
    kernel, plugins = appliance.kernel, appliance.plugins
    cloud = kernel.as_system()
    await _catch_up(kernel.store)
    appliance.membership.load(kernel.store)
    kernel.configs.load(kernel.store.find(Setting))  # Whatever starts first already sees what was set.
    kernel.services[OwnValues].load(kernel.store.find(ResourceConfig))
    await nursery.start(cloud.use(Events).run)
    nursery.start_soon(cloud.use(Audits).run)
    nursery.start_soon(_stop_when_fenced, appliance)
    for start in (start for plugin in plugins for start in plugin.early):
        await start(cloud)
    nursery.start_soon(kernel.courier.handover.run, appliance.recovery.take_up)
    for start in (start for plugin in plugins for start in plugin.starts):
        await start(cloud)
    if kernel.courier.handover.settled:
        await appliance.recovery.take_up()
    for plugin in plugins:
        for task in plugin.tasks:
            nursery.start_soon(_lasting, task, cloud)
        for task in plugin.singletons:
            nursery.start_soon(on_one_node, f"{plugin.name}/{task.__name__}", functools.partial(_lasting, task), cloud)
    nursery.start_soon(appliance.recovery.keep_trying)


async def _catch_up(store: Store) -> None:
    """Know what the others know, however long their log does not answer: a node that knows less must not join."""
    while True:
        try:
            return await store.catch_up()
        except Unavailable as error:
            log.warning("this node cannot join yet: %s", error)
        await trio.sleep(PAUSE_SECONDS)


async def _lasting(task: Task, cloud: Cloud) -> None:
    """Run a background task; among other nodes, again after it failed because they or the log did not answer."""
    while True:
        try:
            return await task(cloud)
        except (CloudError, BaseExceptionGroup) as error:
            failure = alone(error) if isinstance(error, BaseExceptionGroup) else error
            if not cloud.kernel.nodes.clustered or not isinstance(failure, CloudError):
                raise
            log.warning("a background task begins anew: %s", failure)
        await trio.sleep(PAUSE_SECONDS)


async def _stop_when_fenced(appliance: Appliance) -> None:
    """Stop at once, and leave everything as it is, when others may be doing this node's work.

    Raises:
        Fenced: once this node is no member any more.
    """
    await appliance.kernel.nodes.fenced.wait()
    park(appliance)
    raise Fenced("this management node was taken for lost and is no member any more; start it again to rejoin")


def park(appliance: Appliance) -> None:
    """Leave everything as it is, for whoever takes it up: the next start, or another node."""
    appliance.jobs.park()
    appliance.kernel.store.give_up()


async def retire(appliance: Appliance, cluster: Cluster) -> None:
    """Leave the ring, and give what was begun here the time to end."""
    kernel = appliance.kernel
    if kernel.nodes.fenced.is_set() or not kernel.nodes.others:
        return  # Nobody to wait for: what a single node leaves open, its next start takes up.
    appliance.jobs.close()
    with trio.CancelScope(shield=True, deadline=trio.current_time() + cluster.drain_seconds):
        try:
            await membership.retire(kernel.as_system())
        except CloudError as error:
            log.warning("the others do not know that this node leaves: %s", error)
            return
        while appliance.jobs.running:
            await kernel.store.feed.next()
        await appliance.inbox.idle()
        for key in kernel.queues.busy():
            await kernel.queues.idle(key)
        # An answer that is under way when its sender leaves would never be heard.
        async with trio.open_nursery() as nursery:
            for node in kernel.nodes.others:
                nursery.start_soon(kernel.courier.answered, node)
