"""Requests for tests of calls between nodes: they wait, fail, call one another, report, and note what they do."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import trio

from tests.cluster.crowd import Crowd
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict, NotFound
from zstack_appliance.kernel.host_link import Report
from zstack_appliance.kernel.message import Request
from zstack_appliance.kernel.plugin import Handler, Plugin
from zstack_appliance.kernel.schema import Key

TABLE = "errand"


class Errand(Request[str], frozen=True, kw_only=True, rename="camel"):
    """Hold the key of a uuid for some time, then do the next errand inside, then say which node did it."""

    uuid: str
    name: str = ""
    seconds: float = 0.0
    then: Errand | None = None
    fails: bool = False
    report: Report | None = None


@dataclass
class Errands:
    """Serves errands on all nodes, and remembers what happened."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    held: list[tuple[Key, ...]] = field(default_factory=list)

    def plugin(self) -> Plugin:
        """What nodes serve errands by."""
        return Plugin(name="errands", handlers=(Handler(Errand, self._serve, lambda m: Key(TABLE, m.uuid)),))

    async def _serve(self, m: Errand, cloud: Cloud) -> str:
        self.begun.append(m.name)
        self.held.append(cloud.held())
        try:
            if m.report is not None:
                m.report(0.5, "half of it")
            await trio.sleep(m.seconds)
            if m.fails:
                raise Conflict("it cannot be done now", code="VM.1010") from NotFound("nothing is there")
            if m.then is not None:
                await cloud.call(m.then)
        except trio.Cancelled:
            self.cancelled.append(m.name)
            raise
        self.ended.append(m.name)
        return cloud.kernel.nodes.me


def owned_by(nodes: Crowd, name: str, nth: int = 0) -> str:
    """A uuid that the ring gives to a node; another one for each `nth`."""
    ring = nodes.any.kernel.nodes.ring
    uuid = nodes.members[name].uuid
    found = (text for number in itertools.count() if ring.owner(Key(TABLE, text := f"{number:032x}")) == uuid)
    return next(itertools.islice(found, nth, None))
