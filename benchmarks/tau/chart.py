"""The curve as a drawing: SVG without script, with a table in Markdown as its twin."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final

from benchmarks.tau.report import Point, curve_table

__all__ = ["CHART", "TWIN", "chart", "write_chart"]

CHART: Final = "measured-case.svg"
TWIN: Final = "measured-case.md"
"""Names of the two files."""

_WIDE, _HIGH = 760, 420
_TOP, _SIDE, _TALL = 64, 270, 250
_LEFTS: Final = (70, 450)
_STEP: Final = 50
"""Interruptions per 1,000 calls between two lines of the grid."""
_COLORS: Final = ("#1b6ca8", "#b5502a")


def write_chart(folder: Path, points: Sequence[Point]) -> None:
    """Write the drawing and its twin."""
    (folder / CHART).write_text(chart(points), encoding="utf-8")
    (folder / TWIN).write_text(curve_table(points) + "\n", encoding="utf-8")


def chart(points: Sequence[Point]) -> str:
    """Two plots side by side over the same interruptions; every point says its figures."""
    title = "Interruptions against wrong money, one point for each strategy"
    told = "; ".join(f"{one.strategy}: {_said(one)}" for one in points)
    most = max((one.interruptions_per_1000 for one in points), default=0.0)
    limit = _STEP * (int(most) // _STEP + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img"'
        f' aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(told)}</desc>',
        f'<rect width="{_WIDE}" height="{_HIGH}" fill="#ffffff"/>',
        *_plot(0, points, limit, "wrong money that ran alone", lambda one: one.alone),
        *_plot(1, points, limit, "wrong money refused or shown red", lambda one: one.red),
        *_legend(points),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _plot(
    place: int, points: Sequence[Point], limit: int, name: str, of: Callable[[Point], float]
) -> Iterator[str]:
    left, floor = _LEFTS[place], _TOP + _TALL
    yield _text(left - 30, _TOP - 34, f"{name}, percent", size=14)
    for share in range(0, 101, 25):
        y = floor - _TALL * share / 100
        yield f'<path d="M{left} {y:.1f}h{_SIDE}" stroke="#d8d8d8"/>'
        yield _text(left - 8, y + 4, str(share), anchor="end")
    for calls in range(0, limit + 1, _STEP):
        x = left + _SIDE * calls / limit
        yield _text(x, floor + 18, str(calls), anchor="middle")
    yield _text(left + _SIDE / 2, floor + 36, "interruptions per 1,000 calls", anchor="middle")
    for number, one in enumerate(points, start=1):
        x = left + _SIDE * one.interruptions_per_1000 / limit
        y = floor - _TALL * of(one) / 100
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{_COLORS[place]}">'
            f"<title>{escape(f'{one.strategy}: {_said(one)}')}</title></circle>"
        )
        yield _text(x, y - 10, str(number), anchor="middle", size=13)


def _legend(points: Sequence[Point]) -> Iterator[str]:
    for number, one in enumerate(points, start=1):
        column, row = (number - 1) % 3, (number - 1) // 3
        x, y = _LEFTS[0] + 230 * column, _TOP + _TALL + 66 + 20 * row
        yield _text(x, y, f"{number}  {one.strategy}", size=13)


def _said(one: Point) -> str:
    return (
        f"{one.interruptions_per_1000:.1f} interruptions per 1,000 calls, {one.alone:.1f} % of the"
        f" wrong money ran alone, {one.red:.1f} % was refused or shown red"
    )


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222222"'
        f' font-family="sans-serif" font-size="{size}">{escape(text)}</text>'
    )
