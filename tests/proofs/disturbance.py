"""What goes wrong in a proof: `Disturbance` fails a step or cancels its job, `doubled` runs every undo twice.

`points` names the places of a step at which something can go wrong.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio

from zstack_appliance.kernel.errors import Unavailable
from zstack_appliance.kernel.flow import Do, Flow, Placed, Step, TxDo
from zstack_appliance.kernel.plugin import Plugin

if TYPE_CHECKING:
    from zstack_appliance.kernel.cloud import Cloud
    from zstack_appliance.kernel.store import Tx


def points(step: Step) -> tuple[str, ...]:
    """Before and after what reaches outside; inside the commit of what only touches the database."""
    return ("in-tx",) if step.do is None else ("before-do", "after-do")


class Disturbance:
    """Strikes once, at one point of one step.

    Args:
        step: the step's id.
        point: one of `points`.
        cancels: cancels the job instead of failing the step.
    """

    def __init__(self, step: str, point: str, *, cancels: bool = False) -> None:
        self._place = (point, step)
        self._cancels = cancels
        self._cancel_job: Callable[[], None] | None = None
        self.struck = False

    def begin(self, cancel_job: Callable[[], None]) -> None:
        """The call is about to be made; before, this does nothing."""
        self._cancel_job = cancel_job

    async def at(self, point: str, step: str) -> None:
        """See `Probe.at`."""
        if self._strikes(point, step):
            # A cancel is noticed where a step waits, which every real one does.
            await trio.lowlevel.checkpoint()

    def in_tx(self, step: str) -> None:
        """See `Probe.in_tx`."""
        self._strikes("in-tx", step)

    def _strikes(self, point: str, step: str) -> bool:
        if self.struck or self._cancel_job is None or (point, step) != self._place:
            return False
        self.struck = True
        if not self._cancels:
            raise Unavailable(f"the proof lets {step} fail at {point}")
        self._cancel_job()
        return True


def doubled(plugins: tuple[Plugin, ...]) -> tuple[Plugin, ...]:
    """The same plugins, with every undo of every flow run twice."""
    return altered(plugins, lambda placed: _twice(placed.step))


def without_undo(plugins: tuple[Plugin, ...], step_id: str) -> tuple[Plugin, ...]:
    """The same plugins, with one undo that does nothing."""
    return altered(plugins, lambda placed: _lazy(placed.step) if placed.id == step_id else placed.step)


def altered(plugins: tuple[Plugin, ...], alter: Callable[[Placed], Step]) -> tuple[Plugin, ...]:
    """The same plugins, each step of each flow replaced by what `alter` makes of it."""

    def change(flow: Flow[Any]) -> Flow[Any]:
        own = {placed.id: alter(placed) for placed in flow.own()}
        of_others = {placed.change: alter(placed) for placed in flow.plan() if placed.change is not None}
        changes = tuple(dataclasses.replace(change, step=of_others[change]) for change in flow.changes)
        return dataclasses.replace(flow, steps=lambda: _rebuilt(flow.name, flow.steps(), own), changes=changes)

    return tuple(dataclasses.replace(plugin, flows=tuple(change(flow) for flow in plugin.flows)) for plugin in plugins)


def _rebuilt(prefix: str, steps: tuple[Step, ...], by_id: dict[str, Step]) -> tuple[Step, ...]:
    return tuple(
        dataclasses.replace(step, steps=_rebuilt(f"{prefix}/{step.name}", step.steps, by_id))
        if step.steps
        else by_id[f"{prefix}/{step.name}"]
        for step in steps
    )


def _twice(step: Step) -> Step:
    undo: Do | None = None
    undo_tx: TxDo | None = None
    if (once := step.undo) is not None:

        async def undo(context: Any, cloud: Cloud) -> None:
            await once(context, cloud)
            await once(context, cloud)

    if (once_tx := step.undo_tx) is not None:

        def undo_tx(tx: Tx, context: Any) -> None:
            once_tx(tx, context)
            once_tx(tx, context)

    return dataclasses.replace(step, undo=undo, undo_tx=undo_tx)


def _lazy(step: Step) -> Step:
    async def undo(_context: Any, _cloud: Cloud) -> None:
        pass

    def undo_tx(_tx: Tx, _context: Any) -> None:
        pass

    return dataclasses.replace(
        step, undo=undo if step.undo is not None else None, undo_tx=undo_tx if step.undo_tx is not None else None
    )
