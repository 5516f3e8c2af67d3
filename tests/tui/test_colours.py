"""Colours can be read on their ground."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from zstack_appliance.tui.colours import THEMES, paint, role_of

LEAST = 4.5
"""WCAG's ratio of contrast for text."""


def luminance(colour: Color) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize("role", ["good", "busy", "bad", "muted", "plain"])
def test_every_role_can_be_read_wherever_it_is_written(theme: Theme, role: str) -> None:
    for ground in (theme.background, theme.surface, theme.panel):
        assert ground is not None
        assert contrast(paint(theme)(role), ground) >= LEAST, f"{role} on {ground}"


def test_states_have_roles() -> None:
    assert [role_of(s) for s in ("Running", "Starting", "Failed", "Stopped", "web")] == [
        "good",
        "busy",
        "bad",
        "muted",
        "plain",
    ]
