"""What the command line behind a colon offers."""

from __future__ import annotations

import asyncio

from zstack_appliance.cli.offers import Nobody
from zstack_appliance.tui.dialogs import HELP, Completer, command_offers


def suggestion(line: str) -> str | None:
    return asyncio.run(Completer(command_offers(Nobody())).get_suggestion(line))


def test_a_resource_and_then_conditions_on_it_are_completed() -> None:
    assert suggestion("vm-") == "vm-nic"
    assert suggestion("vm vmNics.l3N") == "vm vmNics.l3Network."
    assert suggestion("vm state=Run") == "vm state=Running"
    assert suggestion("vm ") is None
    assert suggestion("nonsense a") is None
    assert suggestion("") is None


def test_the_help_fits_a_small_terminal() -> None:
    assert all(len(key) < 16 and len(text) < 90 for key, text in HELP)
