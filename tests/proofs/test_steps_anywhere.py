"""Wherever a flow lets a step of somebody else in, it keeps its promise when that step fails or is cancelled there.

A flow refuses a step at some places (`Step.with_next`); this finds those that it should have refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.proofs.proofs import Proofs
from tests.proofs.scenarios import Scenario, scenarios_of
from tests.proofs.stage import Stage
from tests.running import every_plugin
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Conflict
from zstack_appliance.kernel.flow import Context, Placed, Step, Where
from zstack_appliance.kernel.flow_edits import with_edits
from zstack_appliance.kernel.offered import FlowEdit, OfferedStep
from zstack_appliance.kernel.plugin import Plugin


async def nothing(_context: Any, _cloud: Cloud) -> None:
    """Reaches outside, as far as the flow can tell."""


def everywhere() -> Iterator[FlowEdit]:
    """A step of its own after every step of every flow, and one before the first."""
    flows = [flow for plugin in every_plugin() for flow in plugin.flows]
    for number, flow in enumerate(flows):
        for place, placed in enumerate(flow.own()):
            if place == 0:
                yield FlowEdit(f"pebble.f{number}", Where.BEFORE, placed.id, "pebble")
            yield FlowEdit(f"pebble.f{number}_{place}", Where.AFTER, placed.id, "pebble")


EDITS = tuple(everywhere())
PEBBLE = Plugin(
    name="pebble",
    steps=tuple(
        OfferedStep(Step(edit.use.removeprefix("pebble."), do=nothing, undo=nothing), fits=Context) for edit in EDITS
    ),
)


def is_let_in(edit: FlowEdit) -> bool:
    """Whether the flow takes the step there."""
    try:
        with_edits((*every_plugin(), PEBBLE), (edit,))
    except Conflict:
        return False
    return True


LET_IN = tuple(edit for edit in EDITS if is_let_in(edit))
PLUGINS = with_edits((*every_plugin(), PEBBLE), LET_IN)


def placed_pebbles() -> Iterator[tuple[Scenario, Placed]]:
    """Every pebble before a pivot, with each scenario of its flow."""
    for flow in (flow for plugin in PLUGINS for flow in plugin.flows):
        for placed in flow.plan():
            if placed.change is not None and not placed.forward_only:
                yield from ((scenario, placed) for scenario in scenarios_of(flow.name))


CASES = tuple(placed_pebbles())
NAMES = [f"{scenario.name}-{placed.step.name}" for scenario, placed in CASES]


@pytest.fixture(scope="module")
def pebbles(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    """A stage whose flows have all of them."""
    return Proofs(Stage(tmp_path_factory.mktemp("pebbles"), PLUGINS))


def test_a_place_that_is_not_open_is_one_that_a_step_keeps_closed() -> None:
    closed = [edit for edit in EDITS if edit not in LET_IN]
    steps = {placed.id: placed.step for plugin in every_plugin() for flow in plugin.flows for placed in flow.own()}
    assert all(steps[edit.at].with_next and edit.where is Where.AFTER for edit in closed)
    assert 0 < len(closed) < len(EDITS) // 2


@pytest.mark.parametrize(("scenario", "placed"), CASES, ids=NAMES)
def test_a_step_that_fails(scenario: Scenario, placed: Placed, pebbles: Proofs) -> None:
    pebbles.fail(scenario, placed)


@pytest.mark.long
@pytest.mark.parametrize(("scenario", "placed"), CASES, ids=NAMES)
def test_a_step_that_is_cancelled(scenario: Scenario, placed: Placed, pebbles: Proofs) -> None:
    pebbles.cancel(scenario, placed)
