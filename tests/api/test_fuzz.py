"""Thousands of calls that nobody would think of: whatever comes, no door breaks, and answers are as described.

The calls are made from the OpenAPI document by Schemathesis, half of them with the uuids of resources that exist,
so that they reach handlers; sent over a socket to an appliance on simulated hosts. The seed is printed; run one
again with ``FUZZ_SEED=...``.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS as ALL_CHECKS
from schemathesis.checks import load_all_checks
from schemathesis.generation import GenerationMode

from tests.bench.simulated import Connection, Simulated, simulated

ROOT = Path(__file__).parent.parent.parent
UUID = re.compile(r"[0-9a-f]{32}")

load_all_checks()
CHECKS = ALL_CHECKS.get_by_names(["response_schema_conformance"])

BUDGET_SECONDS = 45.0
LONG_BUDGET_SECONDS = 1200.0
LEFT_OUT = {
    "/accounts/sessions/{sessionUuid}": "it would end the session that everything is sent with",
}


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Simulated]:
    """An appliance with one VM."""
    with simulated(tmp_path / "data", "--hosts", "3") as made:
        yield made


@pytest.mark.slow
def test_no_call_breaks_a_door(target: Simulated) -> None:
    fuzz(target, examples=8, budget=BUDGET_SECONDS)


@pytest.mark.marathon
def test_no_call_of_many_breaks_a_door(target: Simulated) -> None:
    fuzz(target, examples=60, budget=LONG_BUDGET_SECONDS)


def fuzz(target: Simulated, examples: int, budget: float) -> None:
    """Send each operation so many calls of either kind, well-formed and not; what would take longer is left out."""
    chosen = int(os.environ.get("FUZZ_SEED", secrets.randbelow(1 << 32)))
    print(f"FUZZ_SEED={chosen}")
    document = schemathesis.openapi.from_path(ROOT / "docs" / "openapi.json")
    described: Iterable[Any] = document.get_all_operations()
    operations = [each.ok() for each in described if each.ok().path not in LEFT_OUT]
    dice = random.Random(chosen)
    dice.shuffle(operations)
    known = uuids(target, [each.path for each in operations if each.method.upper() == "GET"])
    end, sent = time.monotonic() + budget, 0
    for operation in operations:
        for mode in GenerationMode:
            if time.monotonic() > end:
                break
            check = seed(dice.getrandbits(32))(checker(target, operation, mode, known, examples))
            check()
            sent += examples
    print(f"{sent} calls to {len(operations)} operations")
    assert sent > 0


def checker(
    target: Simulated, operation: Any, mode: GenerationMode, known: list[str], examples: int
) -> Callable[[], None]:
    """A Hypothesis test of one operation."""
    url = f"http://{target.host}:{target.port}/zstack/v1"
    headers = {"Authorization": f"OAuth {target.session}"}

    @given(operation.as_strategy(generation_mode=mode), st.randoms(use_true_random=False))
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any, dice: random.Random) -> None:
        if dice.random() < 0.5:
            case.path_parameters = with_known(case.path_parameters, known, dice)
            case.body = with_known(case.body, known, dice)
            case.query = with_known(case.query, known, dice)
        try:
            answer = case.call(base_url=url, headers=headers, timeout=30)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError):
            return  # The client's own library refuses to send it.
        assert answer.status_code != 500, answer.text
        case.validate_response(answer, checks=CHECKS)

    return check


def uuids(target: Simulated, paths: list[str]) -> list[str]:
    """The uuid of every row that can be queried."""
    found: set[str] = set()
    with Connection(target.host, target.port, target.session) as to:
        for path in (path for path in paths if "{" not in path):
            status, body = to.send("GET", path)
            found.update(UUID.findall(body.decode()) if status == 200 else ())
    assert len(found) > 10
    return sorted(found)


def with_known(value: Any, known: list[str], dice: random.Random) -> Any:
    """The same with every uuid replaced by one that exists."""
    if isinstance(value, dict):
        return {key: with_known(each, known, dice) for key, each in value.items()}
    if isinstance(value, list):
        return [with_known(each, known, dice) for each in value]
    return dice.choice(known) if isinstance(value, str) and UUID.fullmatch(value) else value
