"""The proofs of one step: `fail`, `fail_with_undo_twice`, `cancel` and `kill`. Each raises `ProofFailed`.

Before the pivot a disturbed call must leave the cloud as it was; from the pivot on it must end as an
undisturbed one does. Nothing may stay under way, and the job must tell which of the two it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import trio

from tests.proofs.disturbance import Disturbance, doubled, points
from tests.proofs.kills import Moment, record, runs_before
from tests.proofs.scenarios import Scenario
from tests.proofs.stage import Ending, Stage
from tests.proofs.states import ProofFailed, State
from zstack_appliance.kernel.flow import Placed
from zstack_appliance.kernel.job import Job, JobState
from zstack_appliance.kernel.plugin import Plugin

SHOWN = 12
"""Differences that a failed proof prints."""


@dataclass
class Proofs:
    """Proves steps on a stage; what was recorded once serves every step of a scenario.

    Args:
        stage: where.
    """

    stage: Stage
    _moments: dict[str, list[Moment]] = field(default_factory=dict)
    _unwinding: dict[str, list[Moment]] = field(default_factory=dict)
    _recovered: dict[Moment, tuple[State, Job | None]] = field(default_factory=dict)

    def fail(self, scenario: Scenario, placed: Placed, plugins: tuple[Plugin, ...] | None = None) -> None:
        """The step fails, at each of its points."""
        for point in points(placed.step):
            probe = Disturbance(placed.id, point)
            ending = self.stage.run(self.stage.start(scenario), probe=probe, plugins=plugins)
            case = f"{scenario.name}: {placed.id} failed {point}"
            _require(probe.struck, f"{case}: the scenario never gets there")
            self._check(case, scenario, ending, forward=placed.forward_only)
            if not placed.forward_only:
                _require(ending.job.state is JobState.FAILED, f"{case}: its job says {ending.job.state.value}")

    def fail_with_undo_twice(self, scenario: Scenario, placed: Placed) -> None:
        """The step fails, and every undo is run twice."""
        self.fail(scenario, placed, doubled(self.stage.plugins))

    def cancel(self, scenario: Scenario, placed: Placed) -> None:
        """The job is cancelled when the step is reached, at each of its points."""
        plan = self.stage.plans[scenario.flow]
        for point in points(placed.step):
            scope = trio.CancelScope()
            del scope
            probe = _CancelsJob(placed.id, point)
            ending = self.stage.run(self.stage.start(scenario), probe=probe)
            case = f"{scenario.name}: cancelled in {placed.id} {point}"
            _require(probe.struck, f"{case}: the scenario never gets there")
            forward = _noticed_too_late(plan, placed)
            self._check(case, scenario, ending, forward=forward)
            wanted = JobState.SUCCEEDED if forward else JobState.FAILED
            _require(ending.job.state is wanted, f"{case}: its job says {ending.job.state.value}")
