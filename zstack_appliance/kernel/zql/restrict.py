"""``restrict by``: the way from a resource up to another one that its rows lie in. Primitive: `way_up`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from zstack_appliance.kernel.edges import Graph, lineage
from zstack_appliance.kernel.schema import Record


def way_up(graph: Graph, start: type[Record], goal: type[Record]) -> tuple[str, ...] | None:
    """The shortest chain of edges from a resource to what it refers to, directly or over others.

    Only edges to one row are taken, and the aliases that stand for a table of pairs (a backup storage's
    ``zone``), since what contains a row is upwards of it. Of chains of one length the one whose edges were
    declared first counts, so the answer never depends on anything but the declarations.

    Returns:
        The names of the edges, empty when the goal is the start or its base; None when there is no way.
    """
    found: dict[type[Record], tuple[str, ...]] = {start: ()}
    todo = deque([start])
    while todo:
        at = todo.popleft()
        if goal in lineage(at):
            return found[at]
        for name, target in _upwards(graph, at):
            if target not in found:
                found[target] = (*found[at], name)
                todo.append(target)
    return None


def _upwards(graph: Graph, at: type[Record]) -> Iterator[tuple[str, type[Record]]]:
    for name, edge in graph.edges(at).items():
        if not edge.many and not edge.hidden:
            yield name, edge.target
    for alias in graph.aliases(at):
        *down, up = graph.expand(at, (alias,))
        if not up.many and len(down) == 1 and down[0].hidden:
            yield alias, up.target
