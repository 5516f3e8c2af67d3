"""The same simulated appliance as the command line's tests have."""

from __future__ import annotations

from tests.cli.conftest import command, simulated, state, zs

__all__ = ["command", "simulated", "state", "zs"]
