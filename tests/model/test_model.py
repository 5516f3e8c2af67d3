"""A whole cloud against a plain-Python model of it: thousands of drawn operations, faults, kills and restarts.

Every run prints its seed. The same seed alone draws the same steps again, with the same faults and the same answers,
in any process::

    MODEL_SEED=123 .venv/bin/python -m pytest tests/model -k short

A failure prints the steps of the shortest example that Hypothesis found, with what each operation was answered.
`make test` runs a few hundred steps and `make test-long` five thousand, from a seed that stays the same; `make
marathon` five thousand from a new one each time.

Nothing but the seed decides: Hypothesis draws also in which order trio runs its tasks (pytest-trio sees to that), all
time is virtual, and no thread takes part. Each run prints the digest of its story, and a test has two processes, in
which strings have other hashes, tell the same one.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import CloudMachine, stage

SHORT_EXAMPLES, SHORT_STEPS = 12, 30
LONG_EXAMPLES, LONG_STEPS = 100, 50


def run(seed: int, examples: int, steps: int, *, shrink: bool = True) -> None:
    """So many examples of so many steps each, always the same for one seed."""
    print(f"MODEL_SEED={seed}")
    CloudMachine.outcomes.clear()
    CloudMachine.story = hashlib.sha256()
    make_first_cloud()
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    with pytest.MonkeyPatch.context() as patch:
        # One draw in twenty would be a number from the source of whatever modules have been imported by now.
        patch.setattr(HypothesisProvider, "_maybe_draw_constant", lambda *_, **__: None)
        # A seed counts only on the machine itself.
        run_state_machine_as_test(hypothesis.seed(seed)(CloudMachine), settings=chosen)
    print(dict(CloudMachine.outcomes), "story", CloudMachine.story.hexdigest())


@settings(max_examples=1, deadline=None, database=None, phases=[Phase.generate])
@given(st.none())
def make_first_cloud(_: None) -> None:
    """Made before any example, as it draws from the same chance as they do; and where Hypothesis decides what that
    draws, so that it is always the same.
    """
    stage().first_cloud()


@pytest.mark.slow
def test_short() -> None:
    run(int(os.environ.get("MODEL_SEED", "1")), SHORT_EXAMPLES, SHORT_STEPS)
    assert CloudMachine.outcomes["done"] > CloudMachine.outcomes["refused"] > 0, CloudMachine.outcomes


@pytest.mark.long
def test_a_seed_tells_the_same_story_in_every_process() -> None:
    told = {_story_elsewhere(hashes) for hashes in ("1", "2")}
    assert len(told) == 1, told


def _story_elsewhere(hashes: str) -> str:
    """What a process of its own says last of a small run."""
    work = "import pytest_trio.plugin; from tests.model.test_model import run; run(5, 4, 12)"
    done = subprocess.run(
        (sys.executable, "-c", work),
        env={**os.environ, "PYTHONHASHSEED": hashes},
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=600,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.long
def test_long() -> None:
    run(int(os.environ.get("MODEL_SEED", "1")), LONG_EXAMPLES, LONG_STEPS)


@pytest.mark.marathon
def test_long_from_a_new_seed() -> None:
    run(random.SystemRandom().randrange(2**32), LONG_EXAMPLES, LONG_STEPS)
