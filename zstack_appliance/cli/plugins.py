"""``plugins``: everything that plugins add, the built-in ones and those of third parties, on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from zstack_appliance.cli.exits import CliError, usage
from zstack_appliance.cli.output import Output
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.flow import Flow, Placed, Step, Where
from zstack_appliance.kernel.message import api_of
from zstack_appliance.kernel.plugin import Handler, Plugin, handler_of

BUILT_IN = "built-in"
"""Where a plugin comes from that every appliance has."""


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="The data folder whose plugins and flows.toml are meant.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.argument("names", nargs=-1, metavar="[PLUGIN]...")
def plugins(data: Path | None, names: tuple[str, ...], *, as_json: bool) -> None:
    """Print what every PLUGIN adds: resources, messages, hooks, flows and who put which step there, drivers, tags.

    A plugin that cannot be used is named with what is wrong; the appliance does not start with it.
    """
    from zstack_appliance.cli.registry import looked

    del data  # The root command has seen it; see `keep_data`.
    output, found = Output(as_json=as_json), looked()
    strange = sorted(set(names) - {plugin.name for plugin in found.plugins})
    if strange:
        raise usage(f"no plugin [{strange[0]}]; there are {', '.join(plugin.name for plugin in found.plugins)}")
    described = [
        describe_plugin(plugin, found.places.get(plugin.name, BUILT_IN))
        for plugin in found.plugins
        if not names or plugin.name in names
    ]
    if as_json:
        output.value(described)
    else:
        for page in described:
            output.line(page["name"] if page["from"] == BUILT_IN else f"{page['name']}  from {page['from']}")
            for line in lines(page):
                output.line(f"  {line}")
    if found.broken:
        raise CliError("\n".join(f"{place}: {text}" for place, text in found.broken.items()))


def describe_plugin(plugin: Plugin, place: str = BUILT_IN) -> dict[str, Any]:
    """One plugin as plain data, with where it comes from."""
    return {
        "name": plugin.name,
        "from": place,
        "resources": [query_name(cls) for cls in plugin.resources],
        "messages": [_message(handler_of(entry)) for entry in plugin.handlers],
        "hooks": [{"hook": hook.__name__, "by": _where(serve)} for hook, serve in plugin.hooks],
        "listeners": [{"event": event.__name__, "by": _where(serve)} for event, serve in plugin.listeners],
        "flows": [{"name": flow.name, "steps": flow_steps(flow)} for flow in plugin.flows],
        "steps": [
            {"step": f"{plugin.name}.{offer.step.name}", "fits": offer.fits.__name__, "by": _step_by(offer.step)}
            for offer in plugin.steps
        ],
        "drivers": [
            {"driver": protocol.__name__, "type": kind, "by": getattr(made, "__name__", str(made))}
            for (protocol, kind), made in plugin.drivers.items()
        ],
        "hostCommands": sorted(command.path for command in plugin.host_side.real),
        "configs": [f"{config.path} = {config.default}" for config in plugin.configs],
        "tags": [f"{tag.target} {tag.pattern}" for tag in plugin.tags],
        "pages": [f"{page.menu}: {page.title}" if page.menu else page.title for page in plugin.pages],
    }


def flow_steps(flow: Flow[Any]) -> list[dict[str, Any]]:
    """The steps of a flow in their order, each with what undoes it."""
    return [_step(placed) for placed in flow.plan()]


def _step(placed: Placed) -> dict[str, Any]:
    step = placed.step
    undo = _where(step.undone_by) if step.undone_by is not None else None
    change = placed.change
    return {
        "id": placed.id,
        "pivot": step.pivot,
        "forwardOnly": placed.forward_only,
        "undo": undo,
        "keeps": step.keeps,
        "plugin": change.by if change is not None else None,
        "source": change.source if change is not None else None,
        "insteadOf": change.at if change is not None and change.where is Where.INSTEAD_OF else None,
    }


def _step_by(step: Step) -> str:
    return _where(step.do or step.tx or _step_by)


def _message(handler: Handler) -> dict[str, Any]:
    declared = api_of(handler.message)
    route = f"{declared.method} {declared.path}" if declared is not None else None
    return {"message": handler.message.__name__, "route": route, "by": _where(handler.serve)}


def _where(function: Callable[..., Any]) -> str:
    module = getattr(function, "__module__", "").removeprefix("zstack_appliance.cloud.")
    return f"{module}.{getattr(function, '__name__', '?')}"


def lines(page: dict[str, Any]) -> Iterator[str]:
    """One plugin in lines of text."""
    if page["resources"]:
        yield f"resources: {', '.join(page['resources'])}"
    for row in page["messages"]:
        yield f"message {row['message']}  {row['route'] or 'internal'}"
    for row in page["hooks"]:
        yield f"hook {row['hook']}  by {row['by']}"
    for row in page["listeners"]:
        yield f"listens to {row['event']}  by {row['by']}"
    for row in page["flows"]:
        yield f"flow {row['name']}"
        yield from (f"  {step_line(step)}" for step in row["steps"])
    for row in page["steps"]:
        yield f"offers step {row['step']} to flows with {row['fits']}  by {row['by']}"
    for row in page["drivers"]:
        yield f"driver {row['driver']} for type {row['type']}  by {row['by']}"
    for kind, label in (("hostCommands", "host command"), ("configs", "config"), ("tags", "tag"), ("pages", "page")):
        yield from (f"{label} {text}" for text in page[kind])


def step_line(step: dict[str, Any]) -> str:
    """One step: its id, and how it is undone or why it is not."""
    if step["forwardOnly"]:
        said = "pivot" if step["pivot"] else "only goes forward"
    else:
        said = f"undone by {step['undo']}" if step["undo"] else f"keeps: {step['keeps']}"
    instead = f" instead of {step['insteadOf']}" if step["insteadOf"] else ""
    return f"{step['id']}  {said}" + (f"  [put there{instead} by {step['source']}]" if step["source"] else "")
