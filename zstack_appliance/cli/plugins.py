"""``plugins``: everything that the built-in plugins add, on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click

from zstack_appliance.cli.output import Output
from zstack_appliance.kernel.edges import query_name
from zstack_appliance.kernel.flow import Flow, Placed
from zstack_appliance.kernel.message import api_of
from zstack_appliance.kernel.plugin import Handler, Plugin, handler_of


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
def plugins(*, as_json: bool) -> None:
    """Print what every plugin adds: resources, messages, hooks, listeners, flows, drivers, configs and tags."""
    from zstack_appliance.cli.registry import plugins as registered

    output = Output(as_json=as_json)
    described = [describe_plugin(plugin) for plugin in registered()]
    if as_json:
        output.value(described)
        return
    for page in described:
        output.line(page["name"])
        for line in lines(page):
            output.line(f"  {line}")


def describe_plugin(plugin: Plugin) -> dict[str, Any]:
    """One plugin as plain data."""
    return {
        "name": plugin.name,
        "resources": [query_name(cls) for cls in plugin.resources],
        "messages": [_message(handler_of(entry)) for entry in plugin.handlers],
        "hooks": [{"hook": hook.__name__, "by": _where(serve)} for hook, serve in plugin.hooks],
        "listeners": [{"event": event.__name__, "by": _where(serve)} for event, serve in plugin.listeners],
        "flows": [{"name": flow.name, "steps": flow_steps(flow)} for flow in plugin.flows],
        "drivers": [
            {"driver": protocol.__name__, "type": kind, "by": getattr(made, "__name__", str(made))}
            for (protocol, kind), made in plugin.drivers.items()
        ],
        "hostCommands": sorted(command.path for command in plugin.host_side.real),
        "configs": [f"{config.path} = {config.default}" for config in plugin.configs],
        "tags": [f"{tag.target} {tag.pattern}" for tag in plugin.tags],
    }


def flow_steps(flow: Flow[Any]) -> list[dict[str, Any]]:
    """The steps of a flow in their order, each with what undoes it."""
    return [_step(placed) for placed in flow.plan()]


def _step(placed: Placed) -> dict[str, Any]:
    step = placed.step
    undo = _where(step.undone_by) if step.undone_by is not None else None
    return {"id": placed.id, "pivot": step.pivot, "forwardOnly": placed.forward_only, "undo": undo, "keeps": step.keeps}


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
    for row in page["drivers"]:
        yield f"driver {row['driver']} for type {row['type']}  by {row['by']}"
    for kind, label in (("hostCommands", "host command"), ("configs", "config"), ("tags", "tag")):
        yield from (f"{label} {text}" for text in page[kind])


def step_line(step: dict[str, Any]) -> str:
    """One step: its id, and how it is undone or why it is not."""
    if step["forwardOnly"]:
        return f"{step['id']}  {'pivot' if step['pivot'] else 'only goes forward'}"
    return f"{step['id']}  undone by {step['undo']}" if step["undo"] else f"{step['id']}  keeps: {step['keeps']}"
