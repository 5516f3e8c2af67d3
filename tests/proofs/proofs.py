"""The proofs of one step: `fail`, `undo_twice`, `cancel` and `kill`. Each raises `ProofFailed`.

Before the pivot a disturbed call must leave the cloud as it was; from the pivot on it must end as an
undisturbed one does. Nothing may stay under way, and the job must tell which of the two it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.proofs.disturbance import Disturbance, doubled, points
from tests.proofs.kills import Moment, record, runs_before
from tests.proofs.scenarios import Scenario
from tests.proofs.stage import Ending, Stage
from tests.proofs.states import ProofFailed, State
from zstack_appliance.kernel.flow import Placed
from zstack_appliance.kernel.job import JobState
from zstack_appliance.kernel.plugin import Plugin

KINDS = ("fail", "undo twice", "cancel", "kill")

_SHOWN = 12
"""Differences that a failed proof prints."""


@dataclass
class Proofs:
    """Proves steps on a stage. What was recorded once serves every step of a scenario.

    Args:
        stage: where.
    """

    stage: Stage
    _recorded: dict[str, list[Moment]] = field(default_factory=dict)
    _proven: dict[str, ProofFailed | None] = field(default_factory=dict)

    def prove(self, kind: str, scenario: Scenario, placed: Placed) -> None:
        """One of `KINDS`.

        Raises:
            ProofFailed: the flow does not keep its promise.
        """
        {"fail": self.fail, "undo twice": self.undo_twice, "cancel": self.cancel, "kill": self.kill}[kind](
            scenario, placed
        )

    def fail(self, scenario: Scenario, placed: Placed, plugins: tuple[Plugin, ...] | None = None) -> None:
        """The step fails, at each of its points."""
        for point in points(placed.step):
            disturbance = Disturbance(placed.id, point)
            ending = self.stage.run(self.stage.start(scenario), disturbance, plugins=plugins)
            case = f"{scenario.name}: {placed.id} failed {point}"
            _require(f"{case}: the scenario gets there", holds=disturbance.struck)
            self._compare(case, scenario, ending.after, forward=placed.forward_only)
            if not placed.forward_only:
                _require(f"{case}: the job has failed", holds=ending.job.state is JobState.FAILED)

    def undo_twice(self, scenario: Scenario, placed: Placed) -> None:
        """The step fails, and every undo is run twice."""
        self.fail(scenario, placed, doubled(self.stage.plugins))

    def cancel(self, scenario: Scenario, placed: Placed) -> None:
        """The job is cancelled when the step is reached, at each of its points."""
        for point in points(placed.step):
            disturbance = Disturbance(placed.id, point, cancels=True)
            ending = self.stage.run(self.stage.start(scenario), disturbance)
            case = f"{scenario.name}: cancelled in {placed.id} {point}"
            _require(f"{case}: the scenario gets there", holds=disturbance.struck)
            forward = _noticed_too_late(self.stage.plans[scenario.flow], placed)
            self._compare(case, scenario, ending.after, forward=forward)
            wanted = JobState.SUCCEEDED if forward else JobState.FAILED
            _require(f"{case}: the job is {wanted.value}", holds=ending.job.state is wanted)

    def kill(self, scenario: Scenario, placed: Placed) -> None:
        """The appliance is killed at every moment of the step, and of its undo; the next one takes over."""
        moments = [moment for moment in self._moments(scenario) if placed.id in moment.steps]
        _require(f"{scenario.name}: a moment of {placed.id} was recorded", holds=bool(moments))
        for moment in moments:
            self._survive(scenario, moment)

    def _moments(self, scenario: Scenario) -> list[Moment]:
        """Those of an undisturbed call, and those of one that is unwound as late as can be."""
        if scenario.name not in self._recorded:
            start = self.stage.start(scenario)
            _, moments = record(self.stage, start)
            last = _last_before_pivot(self.stage.plans[scenario.flow])
            if last is not None:
                _, unwound = record(self.stage, start, Disturbance(last.id, points(last.step)[-1]))
                moments += unwound
            self._recorded[scenario.name] = moments
        return self._recorded[scenario.name]

    def _survive(self, scenario: Scenario, moment: Moment) -> None:
        name = str(moment.data)
        if name not in self._proven:
            self._proven[name] = None
            try:
                self._recover(scenario, moment)
            except ProofFailed as failed:
                self._proven[name] = failed
        known = self._proven[name]
        if known is not None:
            raise known

    def _recover(self, scenario: Scenario, moment: Moment) -> None:
        plan = self.stage.plans[scenario.flow]
        forward = moment.goes_forward(plan, runs_before(self.stage.start(scenario)))
        case = f"{scenario.name}: killed in {', '.join(sorted(moment.steps)) or 'the call itself'} ({moment.data})"
        after, job = moment.recovered(self.stage)
        self._compare(case, scenario, after, forward=forward)
        if not forward and job is not None:
            _require(f"{case}: the job has failed", holds=job.state is JobState.FAILED)

    def _compare(self, case: str, scenario: Scenario, after: State, *, forward: bool) -> None:
        undisturbed: Ending = self.stage.undisturbed(scenario)
        wanted = undisturbed.after if forward else undisturbed.before
        differences = wanted.differences(after)
        if differences:
            what = "is not finished" if forward else "is not as it was"
            shown = "\n  ".join(differences[:_SHOWN])
            raise ProofFailed(f"{case}: the cloud {what}; {len(differences)} differences:\n  {shown}")


def _require(claim: str, *, holds: bool) -> None:
    if not holds:
        raise ProofFailed(f"not so: {claim}")


def _last_before_pivot(plan: tuple[Placed, ...]) -> Placed | None:
    before = [placed for placed in plan if not placed.forward_only]
    return before[-1] if before else None


def _noticed_too_late(plan: tuple[Placed, ...], placed: Placed) -> bool:
    """Whether a cancel in this step meets nothing any more that could be stopped: a commit is never broken off."""
    if placed.forward_only or placed.step.do is not None:
        return placed.forward_only
    rest = plan[plan.index(placed) + 1 :]
    return next((later.forward_only for later in rest if later.step.do is not None), True)
