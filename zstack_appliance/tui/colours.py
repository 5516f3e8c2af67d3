"""What colours mean: `THEMES`, `role_of` (from a state to its role) and `paint` (from a role to a colour).

A state is always written out, so that nothing hangs on its colour alone.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.theme import Theme

Paint = Callable[[str], str]
"""From a role to a style."""

_ROLES = {
    **dict.fromkeys(("Running", "Enabled", "Connected", "Succeeded", "Ready", "RUNNING", "done"), "good"),
    **dict.fromkeys(
        ("Starting", "Stopping", "Rebooting", "Pausing", "Resuming", "Created", "Creating", "Connecting", "Paused"),
        "busy",
    ),
    **dict.fromkeys(("Failed", "Crashed", "Unknown", "Disconnected", "NoState", "failed", "cancelled"), "bad"),
    **dict.fromkeys(("Stopped", "Disabled", "Destroyed", "Deleted", "Expunging"), "muted"),
}

DARK = Theme(
    name="zstack-dark",
    primary="#4cc2b0",
    secondary="#7aa2f7",
    accent="#4cc2b0",
    foreground="#d7dde4",
    background="#0f1418",
    surface="#171e24",
    panel="#1b242b",
    success="#77c77a",
    warning="#e0b050",
    error="#ea8078",
    dark=True,
    variables={"text-muted": "#8b98a5", "footer-key-foreground": "#4cc2b0"},
)

LIGHT = Theme(
    name="zstack-light",
    primary="#0b7264",
    secondary="#2f5fc4",
    accent="#0b7264",
    foreground="#1c252c",
    background="#fbfcfc",
    surface="#f0f3f4",
    panel="#e6ebed",
    success="#2a7030",
    warning="#7d5200",
    error="#b3261e",
    dark=False,
    variables={"text-muted": "#56636e", "footer-key-foreground": "#0b7264"},
)

THEMES = (DARK, LIGHT)


def role_of(state: str) -> str:
    """What a state means: ``good``, ``busy``, ``bad``, ``muted``, or ``plain`` for what is no state."""
    return _ROLES.get(state, "plain")


def paint(theme: Theme) -> Paint:
    """The styles of a theme."""
    styles = {
        "good": theme.success or "",
        "busy": theme.warning or "",
        "bad": theme.error or "",
        "muted": theme.variables["text-muted"],
        "plain": theme.foreground or "",
        "bold": f"bold {theme.foreground}",
        "gauge": f"{theme.primary} on {theme.panel}",
        "gauge-busy": f"{theme.warning} on {theme.panel}",
        "gauge-bad": f"{theme.error} on {theme.panel}",
        "mark": f"bold {theme.primary}",
    }
    return styles.__getitem__
