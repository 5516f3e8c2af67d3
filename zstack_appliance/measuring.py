"""What ``/metrics`` shows of one appliance: what it reads of itself, and its plugins' gauges. `metrics_door`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from zstack_appliance.api.metrics import Instant, metrics_route
from zstack_appliance.kernel.meter import Gauge, Numbers

if TYPE_CHECKING:
    from zstack_appliance.appliance import Appliance


def metrics_door(appliance: Appliance, token: str) -> BaseRoute:
    """The route to the numbers of an appliance.

    Args:
        appliance: whose.
        token: see `metrics_route`.
    """
    metrics, kernel = appliance.metrics, appliance.kernel
    feed = kernel.store.feed
    metrics.instants += (
        Instant("zstack_ready", "1 once every door answers and the hosts were reached.", lambda: appliance.ready),
        Instant("zstack_queue_length", "Operations that wait for their resource's turn.", lambda: kernel.queues.length),
        Instant("zstack_queries_waiting", "Queries that wait for a reader.", lambda: kernel.store.readers_waiting),
        Instant("zstack_feed_number", "The last batch of changes that was committed.", lambda: feed.number),
        Instant("zstack_event_subscribers", "Those who follow the changes.", lambda: feed.subscribers),
    )
    gauges = tuple(gauge for plugin in appliance.plugins for gauge in plugin.gauges)

    async def read() -> list[tuple[Gauge, Numbers]]:
        return await kernel.store.read(lambda reader: [(gauge, gauge.read(reader)) for gauge in gauges])

    return metrics_route(metrics, read, token)
