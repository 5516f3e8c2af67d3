"""What can be wrong with the machine that an appliance runs on: `examine`, one `Finding` for each check.

Each check looks and changes nothing, and says how what it found is mended. They are in `machine` (hardware and
Debian), `network` and `data` (the data folder, and the appliance itself).
"""

from __future__ import annotations

from collections.abc import Callable

from zstack_appliance.doctor import data, machine, network
from zstack_appliance.doctor.patient import Finding, Patient

__all__ = ["CHECKS", "Finding", "Patient", "examine"]

CHECKS: tuple[Callable[[Patient], Finding], ...] = (*machine.CHECKS, *data.CHECKS, *network.CHECKS)


def examine(patient: Patient) -> list[Finding]:
    """Every check, in the order in which things are to be mended. Blocks for some seconds at most."""
    return [check(patient) for check in CHECKS]
