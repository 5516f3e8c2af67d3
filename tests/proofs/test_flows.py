"""Every step of every flow: it fails, it fails and undos are repeated, it is cancelled, its appliance is killed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proofs.proofs import KINDS, Proofs
from tests.proofs.scenarios import SCENARIOS, Scenario, scenarios_of
from tests.running import every_plugin
from zstack_appliance.kernel.flow import Flow, Placed

FLOWS = tuple(flow for plugin in every_plugin() for flow in plugin.flows)

CASES = [
    pytest.param(
        kind,
        scenario,
        placed,
        marks=pytest.mark.proof(placed.id, kind),
        id=f"{kind}-{scenario.name}-{placed.step.name}",
    )
    for flow in FLOWS
    for scenario in scenarios_of(flow.name)
    for placed in flow.plan()
    for kind in KINDS
]


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flow_has_a_scenario(flow: Flow[Any]) -> None:
    name = flow.name
    assert scenarios_of(name), (
        f"nothing is proven of the flow {name}: write a function in tests/proofs/scenarios.py that brings the cloud "
        f"to where it can start and returns the API message that runs it, and list Scenario({name!r}, function) in "
        "SCENARIOS; every proof of every step then follows by itself"
    )


def test_every_scenario_has_its_flow() -> None:
    assert {scenario.flow for scenario in SCENARIOS} <= {flow.name for flow in FLOWS}


@pytest.mark.parametrize(("kind", "scenario", "placed"), CASES)
def test_step(kind: str, scenario: Scenario, placed: Placed, proofs: Proofs) -> None:
    proofs.prove(kind, scenario, placed)
