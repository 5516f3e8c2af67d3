"""Every declared API and inventory against the facts of ZStack's, but for the deviations listed here."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.running import every_plugin
from tests.wire.compare import api_differences, row_differences
from tests.wire.make_catalogue import CATALOGUE
from zstack_appliance.kernel.derive.legacy import QueryMessage, messages
from zstack_appliance.kernel.derive.route import CallRoute, QueryRoute, Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.plugin import handler_of
from zstack_appliance.kernel.schema import describe

OURS = "org.zstack.appliance."
"""The package of what ZStack does not have."""

UNKNOWN = {
    "org.zstack.header.simulator.APIAddSimulatorHostMsg": "simulated hosts are ZStack's tests', not its catalogue's",
}

DEVIATIONS: dict[str, str] = {}


def catalogue() -> dict[str, dict[str, dict[str, Any]]]:
    """Both parts of the catalogue by class."""
    parts: dict[str, list[dict[str, Any]]] = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    return {part: {row["class"]: row for row in rows} for part, rows in parts.items()}


def compare(found: Iterable[str]) -> None:
    """Every difference is a known deviation."""
    unexpected = [line for line in found if line not in DEVIATIONS]
    assert not unexpected, "\n" + "\n".join(unexpected)


def test_every_api_is_as_zstack_has_it() -> None:
    facts = catalogue()["apis"]
    calls: dict[str, list[CallRoute]] = defaultdict(list)
    for route in routes().all:
        if isinstance(route, CallRoute):
            calls[route.wire].append(route)
    assert len(calls) > 80
    known = {wire: found for wire, found in calls.items() if not wire.startswith(OURS) and wire not in UNKNOWN}
    strangers = known.keys() - facts.keys()
    assert not strangers, f"ZStack has no {strangers}; give it the package {OURS}"
    compare(line for wire, found in known.items() for line in api_differences(found, facts[wire]))


def test_every_query_is_where_zstack_has_it() -> None:
    facts = catalogue()["apis"]
    paths = {(route.resource, route.path) for route in routes().all if isinstance(route, QueryRoute)}
    queries = [each for each in messages([], resources()).values() if isinstance(each, QueryMessage)]
    compared = 0
    for query in queries:
        if query.wire in facts:
            wanted = facts[query.wire]
            compared += 1
            assert (query.resource, wanted["path"]) in paths, query.wire
            assert query.reply == wanted["response"]["class"]
    assert compared > 20


def test_every_inventory_is_as_zstack_has_it() -> None:
    facts = catalogue()["inventories"]
    graph = Graph(resources())
    known = [(cls, facts[describe(cls).inventory]) for cls in graph.resources if describe(cls).inventory in facts]
    assert len(known) > 25
    compare(line for cls, row in known for line in row_differences(graph, cls, row))


def test_no_listed_deviation_is_stale() -> None:
    facts = catalogue()
    graph = Graph(resources())
    found: set[str] = set()
    calls: dict[str, list[CallRoute]] = defaultdict(list)
    for route in routes().all:
        if isinstance(route, CallRoute) and route.wire in facts["apis"]:
            calls[route.wire].append(route)
    for wire, each in calls.items():
        found.update(api_differences(each, facts["apis"][wire]))
    for cls in graph.resources:
        if describe(cls).inventory in facts["inventories"]:
            found.update(row_differences(graph, cls, facts["inventories"][describe(cls).inventory]))
    assert not DEVIATIONS.keys() - found


def resources() -> list[type[Any]]:
    """Every resource of the built-in plugins."""
    return [cls for plugin in every_plugin() for cls in plugin.resources]


def routes() -> Routes:
    """Every route of the built-in plugins."""
    handled = [handler_of(entry).message for plugin in every_plugin() for entry in plugin.handlers]
    return Routes(handled, resources())
