"""A whole cloud against a plain-Python model of it: thousands of drawn operations, faults, kills and restarts.

Every run prints its seed. The same seed draws the same steps again::

    MODEL_SEED=123 .venv/bin/python -m pytest tests/model -k short

A failure prints the steps of the shortest example that Hypothesis found, with what each operation was answered.
`make test` runs a few hundred steps from a seed that stays the same; `make test-long` five thousand from a new
one each time. (pytest-trio has Hypothesis decide in which order trio runs its tasks, so that this too is replayed.)
"""

from __future__ import annotations

import os
import random

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import CloudMachine, stage

SHORT_EXAMPLES, SHORT_STEPS = 12, 30
LONG_EXAMPLES, LONG_STEPS = 100, 50


def run(seed: int, examples: int, steps: int, *, shrink: bool = True) -> None:
    """So many examples of so many steps each, always the same for one seed."""
    print(f"MODEL_SEED={seed}")
    CloudMachine.outcomes.clear()
    # Made before any example, as it draws from the same chance as they do, and in a run of its own.
    stage().first_cloud()
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    hypothesis.seed(seed)(run_state_machine_as_test)(CloudMachine, settings=chosen)
    print(dict(CloudMachine.outcomes))


@pytest.mark.slow
def test_short() -> None:
    run(int(os.environ.get("MODEL_SEED", "1")), SHORT_EXAMPLES, SHORT_STEPS)
    assert CloudMachine.outcomes["done"] > CloudMachine.outcomes["refused"] > 0, CloudMachine.outcomes


@pytest.mark.long
def test_long() -> None:
    seed = os.environ.get("MODEL_SEED")
    run(random.SystemRandom().randrange(2**32) if seed is None else int(seed), LONG_EXAMPLES, LONG_STEPS)
