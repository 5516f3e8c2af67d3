"""Prove that the proofs can fail: drop each undo in turn, and see a proof of its flow turn red.

``python -m tests.proofs.red [FLOW]...`` prints one line per undo and exits with 1 if one can be dropped unseen.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path

from tests.proofs.disturbance import without_undo
from tests.proofs.proofs import Proofs
from tests.proofs.scenarios import scenarios_of
from tests.proofs.stage import Stage
from tests.proofs.states import ProofFailed
from zstack_appliance.kernel.flow import Placed


def main(wanted: list[str]) -> int:
    """Drop the undos of the named flows, or of all.

    Returns:
        The exit status: how many undos no proof misses, at most 1.
    """
    logging.disable(logging.CRITICAL)  # Every undo that is missed is logged with a stack; here that is the aim.
    green = 0
    with tempfile.TemporaryDirectory() as folder:
        proofs = Proofs(Stage(Path(folder)))
        for flow, plan in sorted(proofs.stage.plans.items()):
            for placed in plan:
                if placed.step.undone_by is not None and (not wanted or flow in wanted):
                    seen = _what_turns_red(proofs, flow, plan, placed)
                    green += seen is None
                    print(
                        f"{'red  ' if seen else 'GREEN'} without the undo of {placed.id}: {seen or 'nobody misses it'}"
                    )
    print(f"{green} undos can be dropped unseen" if green else "every undo is missed")
    return min(green, 1)


def _what_turns_red(proofs: Proofs, flow: str, plan: tuple[Placed, ...], dropped: Placed) -> str | None:
    """The first proof that fails without the undo: its own step's, or a later one's."""
    plugins = without_undo(proofs.stage.plugins, dropped.id)
    for placed in (later for later in plan[plan.index(dropped) :] if not later.forward_only):
        for scenario in scenarios_of(flow):
            try:
                proofs.fail(scenario, placed, plugins)
            except ProofFailed as failed:
                return str(failed).splitlines()[0]
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
