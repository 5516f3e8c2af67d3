"""Numbers as a terminal shows them: `bar`, `share` and `size`. Pure."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(part: float, width: int) -> str:
    """A bar of so many cells, filled to a part between 0 and 1 in steps of an eighth of a cell."""
    eighths = round(min(1.0, max(0.0, part)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)


def share(used: float, total: float) -> float:
    """What part is used; nothing of nothing is 0."""
    return used / total if total > 0 else 0.0


def size(amount: float) -> str:
    """Bytes in the largest unit that leaves at least one: ``1.5 GiB``."""
    power = 0
    while abs(amount) >= 1024 and power < len(_UNITS) - 1:
        amount /= 1024
        power += 1
    text = f"{amount:.1f}".removesuffix(".0") if amount < 100 else f"{amount:.0f}"
    return f"{text} {_UNITS[power]}"
