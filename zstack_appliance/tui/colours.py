"""What colours mean: `THEMES`, `role_of` (from a state to its role) and `paint` (from a role to a colour).

A state is always written out, so that nothing hangs on its colour alone. The colours are those of the web
interface.
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
    primary="#a3a5ff",
    secondary="#84b1ff",
    accent="#a3a5ff",
    foreground="#ececef",
    background="#121317",
    surface="#191b20",
    panel="#22242b",
    success="#5fce8f",
    warning="#f0b350",
    error="#ff8f86",
    dark=True,
    variables={"text-muted": "#989ca8", "footer-key-foreground": "#a3a5ff"},
)

LIGHT = Theme(
    name="zstack-light",
    primary="#4a4ddb",
    secondary="#2b5fbd",
    accent="#4a4ddb",
    foreground="#1a1b20",
    background="#ffffff",
    surface="#f6f6f4",
    panel="#efefec",
    success="#14713f",
    warning="#8a5400",
    error="#b3261e",
    dark=False,
    variables={"text-muted": "#5c5f69", "footer-key-foreground": "#4a4ddb"},
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
