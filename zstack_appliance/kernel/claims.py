"""What only one plugin may bring: `claims`, the names that a plugin takes, and `refuse_clashes`.

Two plugins that both bring a table, a message, a route or a driver would otherwise hide one another, or fail at
a place that names neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from zstack_appliance.kernel.bus import Bus
from zstack_appliance.kernel.cascade import Cascade
from zstack_appliance.kernel.config import Configs
from zstack_appliance.kernel.derive.ddl import schema_sql
from zstack_appliance.kernel.derive.legacy import messages
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.plugin import Plugin
from zstack_appliance.kernel.queues import Queues
from zstack_appliance.kernel.records import RECORDS
from zstack_appliance.kernel.schema import Record, describe, root_of


def claims(plugin: Plugin) -> Iterator[str]:
    """Every name that a plugin takes for itself, as errors say it."""
    yield f"the name {plugin.name}"
    for cls in plugin.resources:
        described = describe(cls)
        yield f"the table {described.table}"
        yield f"the resource type {described.vo}"
        if described.options.kind is not None:
            yield f"the kind {described.options.kind} of {root_of(cls).name}"
    yield from (f"the flow {flow.name}" for flow in plugin.flows)
    yield from (f"the step {plugin.name}.{offer.step.name}" for offer in plugin.steps)
    yield from (f"the driver {protocol.__name__} for type {kind}" for protocol, kind in plugin.drivers)
    yield from (f"the host command {command.path}" for command in plugin.host_side.real)
    yield from (f"{effect.name} of the rows of {describe(cls).table}" for cls, effect in plugin.cascades)
    yield from (f"the setting {config.path}" for config in plugin.configs)
    yield from (f"the setting {quota.config.path}" for quota in plugin.quotas)
    yield from (f"the system tag {tag.pattern} on {tag.target}" for tag in plugin.tags)
    yield from (f"the page {plugin.name}/{page.name}" for page in plugin.pages)


def refuse_clashes(plugins: Iterable[Plugin]) -> None:
    """Refuse plugins that do not go together.

    Raises:
        ValueError: two of them take one name, or answer the same calls.
        TypeError: a declaration is wrong by itself, or refers to what nobody brings.
    """
    chosen = tuple(plugins)
    taken: dict[str, Plugin] = {}
    for plugin in chosen:
        for claim in claims(plugin):
            other = taken.setdefault(claim, plugin)
            if other is not plugin:
                raise ValueError(f"{plugin.name} brings {claim}, which {other.name} brings already")
    resources: list[type[Record]] = [*(cls for plugin in chosen for cls in plugin.resources), *RECORDS]
    # What reads the declarations at every start refuses what is wrong with them.
    requests = Bus(chosen, Queues(lambda _key: 1)).requests
    schema_sql(resources)
    Graph(resources)
    Routes(requests, resources)
    messages(requests, resources)
    Cascade(chosen)
    Configs(config for plugin in chosen for config in plugin.configs)
    for flow in (flow for plugin in chosen for flow in plugin.flows):
        flow.plan()
