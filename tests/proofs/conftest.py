"""The stage that all proofs share, and the table of what was proven."""

from __future__ import annotations

from collections.abc import Generator
from typing import cast

import pytest

from tests.proofs.proofs import KINDS, Proofs
from tests.proofs.stage import Stage

PROVEN = pytest.StashKey[dict[tuple[str, str], str]]()
"""(step, kind) to ``proven`` or ``RED``."""


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means, and keep the table."""
    config.addinivalue_line("markers", "proof(step, kind): a row and a column of the table of proofs")
    config.pluginmanager.register(Table(config))


@pytest.fixture(scope="session")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    """One stage for the whole session."""
    return Proofs(Stage(tmp_path_factory.mktemp("proofs")))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write on the report which proof it is of; it may have to travel from another process."""
    report = yield
    marker = item.get_closest_marker("proof")
    if marker is not None and call.when == "call":
        report.user_properties.append(("proof", list(marker.args)))
    return report


class Table:
    """Gathers what became of each proof.

    Args:
        config: holds the table.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._table = config.stash.setdefault(PROVEN, {})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note one."""
        proof = dict(report.user_properties).get("proof")
        if proof is not None and report.when == "call":
            step, kind = map(str, cast("list[str]", proof))
            good = self._table.get((step, kind), "proven") == "proven" and report.passed
            self._table[step, kind] = "proven" if good else "RED"


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
