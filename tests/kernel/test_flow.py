"""Flows as values: what may be said of a step, and the plan that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.flow import Change, Context, Flow, Step, Where
from zstack_appliance.kernel.store import Tx


async def do(_context: Any, _cloud: Cloud) -> None: ...


def tx(_tx: Tx, _context: Any) -> None: ...


def planned(*steps: Step) -> list[tuple[str, bool]]:
    return [(placed.id, placed.forward_only) for placed in Flow("f", Context, lambda: steps).plan()]


def test_ids_are_made_of_names_and_everything_from_the_pivot_on_goes_forward() -> None:
    assert planned(
        Step("a", tx=tx, undo_tx=tx),
        Step("sub", steps=(Step("b", do=do, undo=do), Step("c", do=do, pivot=True))),
        Step("d", tx=tx),
    ) == [("f/a", False), ("f/sub/b", False), ("f/sub/c", True), ("f/d", True)]


@pytest.mark.parametrize(
    "step",
    [
        {},
        {"do": do, "tx": tx},
        {"do": do, "steps": (Step("x", do=do, undo=do),)},
        {"do": do, "undo": do, "undo_tx": tx},
    ],
)
def test_a_step_that_contradicts_itself_is_refused(step: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="step s: give"):
        Step("s", **step)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ((Step("a", do=do),), "give it an undo, or say in `keeps`"),
        ((Step("a", do=do, undo=do), Step("a", do=do, undo=do)), "two steps have one name"),
        ((Step("a", do=do, pivot=True), Step("b", do=do, pivot=True)), "more than one pivot"),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(steps: tuple[Step, ...], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        planned(*steps)


def test_keeps_stands_for_an_undo() -> None:
    assert planned(Step("a", do=do, keeps="nothing is left")) == [("f/a", False)]


def test_a_change_at_no_step_is_refused() -> None:
    step = Step("a", do=do, undo=do)
    change = Change(Where.BEFORE, "f/b", Step("rack.x", do=do, undo=do), by="rack", source="plugin rack")
    with pytest.raises(ValueError, match="plugin rack: there is no step f/b; its flow has f/a"):
        Flow("f", Context, lambda: (step,), changes=(change,)).plan()
