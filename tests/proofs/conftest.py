"""The stage that all proofs share, and the table of what was proven."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.proofs.proofs import KINDS, Proofs
from tests.proofs.stage import Stage

PROVEN = pytest.StashKey[dict[tuple[str, str], str]]()
"""(step, kind) to ``proven`` or ``RED``."""


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means."""
    config.addinivalue_line("markers", "proof(step, kind): a row and a column of the table of proofs")


@pytest.fixture(scope="session")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    """One stage for the whole session."""
    return Proofs(Stage(tmp_path_factory.mktemp("proofs")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what became of a proof."""
    report = yield
    marker = item.get_closest_marker("proof")
    if marker is not None and call.when == "call":
        table = item.config.stash.setdefault(PROVEN, {})
        step, kind = marker.args
        good = table.get((step, kind), "proven") == "proven" and report.passed
        table[step, kind] = "proven" if good else "RED"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print a row for each step and a column for each kind of proof."""
    table = config.stash.get(PROVEN, {})
    if not table:
        return
    steps = list(dict.fromkeys(step for step, _ in table))
    width = max(map(len, steps))
    terminalreporter.section("what is proven of each step")
    terminalreporter.line(f"{'step':{width}}  " + "  ".join(f"{kind:>10}" for kind in KINDS))
    for step in steps:
        terminalreporter.line(f"{step:{width}}  " + "  ".join(f"{table.get((step, kind), '-'):>10}" for kind in KINDS))
