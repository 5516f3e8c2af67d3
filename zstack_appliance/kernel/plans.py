"""The plans that runs go by: `Plans`, those of new runs and those that older runs began with.

A run ends by the steps that it began with. Its journal row names them, so that a flow that has been changed
since, by another version, by a plugin or by the administrator, is never gone on with at a wrong place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from zstack_appliance.kernel.errors import Internal
from zstack_appliance.kernel.flow import Flow, Placed, Step
from zstack_appliance.kernel.journal import FlowRun, RunState
from zstack_appliance.kernel.offered import OfferedStep, misfit

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud


class Plans:
    """The plans of all registered flows.

    Args:
        flows: with the steps of others in them.
        offered: every step that a plugin offers, by its full name.

    Raises:
        ValueError: see `Flow.plan`.
    """

    def __init__(self, flows: Iterable[Flow[Any]], offered: Mapping[str, OfferedStep]) -> None:
        self._flows = {flow.name: flow for flow in flows}
        self._offered = offered
        self.current = {name: flow.plan() for name, flow in self._flows.items()}
        """What a new run goes by, by the flow's name."""

    def of(self, row: FlowRun) -> tuple[Flow[Any], tuple[Placed, ...]]:
        """The flow of a run that a crash left behind, and the plan that it began with.

        Raises:
            Internal: the flow, or a step that the run still needs, is not there any more.
        """
        flow = self._flows.get(row.flow)
        if flow is None:
            raise Internal(f"flow {row.flow} is unknown: put its plugin back to let the run {row.uuid} end")
        steps = self._steps(flow)
        missing = [name for name in _needed(row) if name not in steps]
        if missing:
            raise Internal(
                f"the run {row.uuid} of {row.flow} began with steps that are not here any more:"
                f" {', '.join(missing)}; put back {_owners(missing)} to let it end"
            )
        plan = (
            Placed(f"{row.flow}/{name}", steps.get(name) or _gone(name), forward_only=place >= row.pivot)
            for place, name in enumerate(row.plan)
        )
        return flow, tuple(plan)

    def _steps(self, flow: Flow[Any]) -> dict[str, Step]:
        """Every step that a run of this flow may have begun with, by its name without the flow's."""
        own = {_without(flow.name, placed.id): placed.step for placed in flow.own()}
        changed = {change.step.name: change.step for change in flow.changes}
        offered = {
            name: dataclasses.replace(offer.step, name=name)
            for name, offer in self._offered.items()
            if misfit(flow.context, offer.fits) is None
        }
        return {**offered, **changed, **own}


def names_in(flow: str, plan: tuple[Placed, ...]) -> list[str]:
    """The steps of a plan as a journal row names them."""
    return [_without(flow, placed.id) for placed in plan]


def pivot_of(plan: tuple[Placed, ...]) -> int:
    """Index of the first step that only goes forward; past the end without one."""
    return next((place for place, placed in enumerate(plan) if placed.forward_only), len(plan))


def _without(flow: str, step_id: str) -> str:
    return step_id.removeprefix(f"{flow}/")


def _needed(row: FlowRun) -> list[str]:
    """The steps that a run still needs: those to come past the pivot, before it those to be undone."""
    forward = row.state is not RunState.BACKWARD and row.position >= row.pivot
    return row.plan[row.position :] if forward else row.plan[: row.position + 1]


def _owners(names: list[str]) -> str:
    """Whom to put back: a step of a plugin is called ``plugin.step``, a flow's own has no dot."""
    plugins = sorted({name.rpartition(".")[0] for name in names if "." in name})
    own = [] if plugins and all("." in name for name in names) else ["the version that it began in"]
    return " and ".join([*(f"the plugin {plugin}" for plugin in plugins), *own])


def _gone(name: str) -> Step:
    """Stands for a step that the run does not need any more."""

    async def refuse(_context: Any, _cloud: Cloud) -> None:
        raise Internal(f"step {name} is not here any more; put its plugin back")

    return Step(name, do=refuse, undo=refuse)
