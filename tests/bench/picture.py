"""Curves as one SVG, small multiples one above the other: `picture`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 720, 62, 170, 46, 22
RIGHT = 72
FONT = 'font-family="sans-serif" font-size="12"'


@dataclass(frozen=True)
class Curve:
    """Points of one quantity; it is drawn from zero, so that what is flat looks flat."""

    name: str
    points: Sequence[tuple[float, float]]


def picture(title: str, curves: Sequence[Curve]) -> str:
    """An SVG document."""
    height = TOP + len(curves) * (HEIGHT + GAP) + 24
    end = max(x for curve in curves for x, _ in curve.points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + RIGHT} {height}" {FONT}>',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="16" y="26" font-size="15">{escape(title)}</text>',
    ]
    for number, curve in enumerate(curves):
        parts += _panel(curve, TOP + number * (HEIGHT + GAP), end)
    bottom = height - 8
    parts += [
        f'<text x="{LEFT}" y="{bottom}" fill="#555">0</text>',
        f'<text x="{LEFT + WIDTH}" y="{bottom}" fill="#555" text-anchor="end">{end:,.0f} cycles</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)


def _panel(curve: Curve, top: float, end: float) -> list[str]:
    most = max(y for _, y in curve.points) or 1.0
    points = " ".join(f"{LEFT + WIDTH * x / end:.1f},{top + HEIGHT * (1 - y / most):.1f}" for x, y in curve.points)
    return [
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="#f6f7f9"/>',
        f'<polyline points="{points}" fill="none" stroke="#1f6feb" stroke-width="1.5"/>',
        f'<text x="{LEFT - 10}" y="{top + HEIGHT / 2 + 4:.0f}" text-anchor="end">{escape(curve.name)}</text>',
        f'<text x="{LEFT + WIDTH + 6}" y="{top + 10}" fill="#555">{_number(most)}</text>',
        f'<text x="{LEFT + WIDTH + 6}" y="{top + HEIGHT}" fill="#555">0</text>',
    ]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
