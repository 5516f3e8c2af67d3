"""Putting offered steps into flows: `with_edits` makes plugins whose flows have them, `offers` lists the steps.

Plugins say by their `flow_edits` what goes where, the administrator by ``<data>/flows.toml``. Plugins come first,
ordered by name, then the file, in its order.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any

from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Change, Flow
from zstack_appliance.kernel.offered import FlowEdit, OfferedStep, misfit
from zstack_appliance.kernel.plugin import Plugin


def offers(plugins: Iterable[Plugin]) -> dict[str, OfferedStep]:
    """Every step that the plugins offer, by its full name ``plugin.step``."""
    return {f"{plugin.name}.{offer.step.name}": offer for plugin in plugins for offer in plugin.steps}


def with_edits(plugins: Iterable[Plugin], edits: Iterable[FlowEdit] = ()) -> tuple[Plugin, ...]:
    """The same plugins, their flows with the steps in them that plugins and these edits put there.

    What they asked for has been done then, so that a second call adds nothing.

    Raises:
        Conflict: an edit names what is not there, or what it asks for cannot be; it says what to write instead.
    """
    chosen = tuple(plugins)
    wanted = [dataclasses.replace(edit, source=f"plugin {p.name}") for p in chosen for edit in p.flow_edits]
    wanted += edits
    if not wanted:
        return chosen
    offered = offers(chosen)
    flows = {flow.name: flow for plugin in chosen for flow in plugin.flows}
    for edit in wanted:
        flow = _flow_of(edit, flows)
        change = _change(edit, flow, offered)
        flows[flow.name] = _checked(dataclasses.replace(flow, changes=(*flow.changes, change)))
    return tuple(
        dataclasses.replace(plugin, flows=tuple(flows[flow.name] for flow in plugin.flows), flow_edits=())
        for plugin in chosen
    )


def _flow_of(edit: FlowEdit, flows: dict[str, Flow[Any]]) -> Flow[Any]:
    name, slash, _ = edit.at.partition("/")
    if not slash:
        raise Conflict(
            f"{edit.source}: {edit.where.value} = {edit.at!r} is no step;"
            " write a flow, a slash and a step, such as vm_instance.create/allocate_host"
        )
    if name not in flows:
        raise Conflict(f"{edit.source}: there is no flow {name}; {_instead(name, flows)}")
    flow = flows[name]
    ids = [placed.id for placed in flow.own()]
    if edit.at not in ids:
        raise Conflict(f"{edit.source}: there is no step {edit.at}; {_instead(edit.at, ids)}")
    return flow


def _change(edit: FlowEdit, flow: Flow[Any], offered: dict[str, OfferedStep]) -> Change:
    offer = offered.get(edit.use)
    if offer is None:
        raise Conflict(
            f"{edit.source}: no plugin offers a step {edit.use!r}; {_instead(edit.use, offered)};"
            " if its plugin has been removed, put it back, or take the entry out"
        )
    wrong = misfit(flow.context, offer.fits)
    if wrong is not None:
        raise Conflict(f"{edit.source}: {edit.use} does not go into {flow.name}: {wrong}; put it into another flow")
    step = dataclasses.replace(offer.step, name=edit.use)
    return Change(edit.where, edit.at, step, by=edit.use.rpartition(".")[0], source=edit.source)


def _checked(flow: Flow[Any]) -> Flow[Any]:
    try:
        flow.plan()
    except ValueError as error:
        raise Conflict(str(error)) from error
    return flow


def _instead(name: str, known: Iterable[str]) -> str:
    there = sorted(known)
    close = difflib.get_close_matches(name, there, n=3, cutoff=0.5)
    if close:
        return f"write {' or '.join(close)}"
    return f"there are {', '.join(there)}" if there else "there are none"
