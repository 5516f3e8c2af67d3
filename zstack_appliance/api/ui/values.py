"""How single values read: `tone` (what a state means), `bytes_text`, `read_bytes`, `plain`, `outlined` and `moment`."""

from __future__ import annotations

import enum
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from markupsafe import Markup, escape


class Tone(enum.Enum):
    """What a state means to somebody who glances at it. Each has a colour, and a shape besides."""

    GOOD = "good"
    BUSY = "busy"
    IDLE = "idle"
    WARN = "warn"
    BAD = "bad"


_GOOD = {"running", "connected", "enabled", "enable", "ready", "succeeded", "available", "attached", "healthy"}
_BAD = {"error", "failed", "crashed", "disconnected", "stuck"}
_WARN = {"unknown", "nostate", "maintenance", "premaintenance", "destroyed", "deleted", "degraded", "missing"}


def tone(value: object) -> str:
    """The `Tone` of a state's name, by the word itself: a state that nobody thought of here gets a sensible one."""
    word = str(value).replace(" ", "").lower()
    if word in _GOOD:
        return Tone.GOOD.value
    if word in _BAD:
        return Tone.BAD.value
    if word in _WARN:
        return Tone.WARN.value
    return Tone.BUSY.value if word.endswith("ing") else Tone.IDLE.value


_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_ENTERED = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgtpe]?)(i?b)?\s*", re.IGNORECASE)


def bytes_text(value: object) -> str:
    """A number of bytes with a unit, to three digits: ``1.5 GiB``. What is no number stays as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    size, unit = float(abs(value)), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    digits = f"{size:.0f}" if size >= 100 or size == int(size) else f"{size:.1f}".removesuffix(".0")
    return f"{'-' if value < 0 else ''}{digits} {_UNITS[unit]}"


def exact_bytes(value: int) -> str:
    """Bytes as a form shows them: with a unit where that loses nothing."""
    for power in range(len(_UNITS) - 1, 0, -1):
        if value and value % 1024**power == 0:
            return f"{value // 1024**power} {_UNITS[power]}"
    return str(value)


def read_bytes(text: str) -> int | str:
    """``2 GiB``, ``512M`` or ``1073741824`` as a number; anything else as it came, for the API to refuse."""
    match = _ENTERED.fullmatch(text)
    if match is None:
        return text
    power = " kmgtpe".index(match.group(2).lower() or " ")
    return int(Decimal(match.group(1)) * 1024**power)


def counted(value: object) -> str:
    """A number with its digits in groups of three, from five digits on."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) < 10_000:
        return str(value)
    return f"{value:,}".replace(",", "\u202f")


def plain(value: Any) -> str:
    """Any value as one line of text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value)
    return msgspec.json.encode(value).decode()


_SEAM = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[._:/,-])(?=\w)")


def breakable(text: str) -> Markup:
    """A name of the API, which may be broken between its words where a line is too short for it."""
    return Markup("<wbr>").join(escape(word) for word in _SEAM.split(text))


def outlined(text: str) -> str:
    """JSON of an object or a list with a line for each of its values; empty for any other text."""
    if not text.startswith(("{", "[")):
        return ""
    try:
        return msgspec.json.format(text, indent=2)
    except msgspec.DecodeError:
        return ""


def moment(millis: int) -> str:
    """Milliseconds as RFC 3339 in UTC; the browser shows them in its own time zone."""
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_text(millis: int) -> str:
    """A duration: ``340 ms``, ``2.4 s``, ``3 min 5 s``."""
    if millis < 1000:
        return f"{millis} ms"
    if millis < 60_000:
        return f"{millis / 1000:.1f} s"
    minutes, rest = divmod(millis // 1000, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
