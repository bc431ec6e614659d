"""Charts as SVG, made here: no script, no style attribute, and the same in a table beside each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

import msgspec

__all__ = ["Series", "columns", "stacked"]

WIDTH: Final = 720
_TOP, _LEFT, _HEIGHT, _BOTTOM = 24, 120, 200, 24
_ROW, _BAR = 34, 20
_LABEL: Final = 170
_TICKS: Final = 4


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One row of figures under a name, all drawn in one colour (its number in the palette)."""

    name: str
    values: tuple[int, ...]
    texts: tuple[str, ...]


def columns(labels: Sequence[str], series: Sequence[Series], *, title: str) -> str:
    """Columns side by side, one group per label; every column says its figure when pointed at."""
    most = max((value for one in series for value in one.values), default=0) or 1
    slot = (WIDTH - _LEFT) * 1000 // max(1, len(labels))
    wide = max(1000, slot * 7 // 10 // len(series))
    parts = [_svg(_TOP + _HEIGHT + _BOTTOM, title)]
    top = max(series, key=lambda one: max(one.values, default=0))
    parts += _grid(top, most)
    for number, one in enumerate(series):
        for place, (value, text) in enumerate(zip(one.values, one.texts, strict=True)):
            tall = value * _HEIGHT * 1000 // most
            x = _LEFT * 1000 + place * slot + slot * 15 // 100 + number * wide
            y = (_TOP + _HEIGHT) * 1000 - tall
            said = f"{labels[place]}, {one.name}: {text}"
            parts.append(_bar(number, x, y, wide, tall, said))
    step = max(1, -(-len(labels) // 8))
    for place in range(0, len(labels), step):
        x = _LEFT * 1000 + place * slot + slot // 2
        y = _TOP + _HEIGHT + 16
        said = escape(labels[place])
        parts.append(f'<text class="tick" x="{_px(x)}" y="{y}" text-anchor="middle">{said}</text>')
    return "".join([*parts, "</svg>", table("Day", labels, series)])


def stacked(labels: Sequence[str], series: Sequence[Series], *, title: str, first: str) -> str:
    """One bar a label, cut into the shares of the series; as long as the label has actions."""
    totals = [sum(one.values[place] for one in series) for place in range(len(labels))]
    most = max(totals, default=0) or 1
    parts = [_svg(_TOP + _ROW * len(labels), title)]
    for place, label in enumerate(labels):
        y = (_TOP + _ROW * place) * 1000
        said = escape(label)
        middle = _TOP + _ROW * place + 15
        parts.append(
            f'<text class="tick" x="{_LABEL - 8}" y="{middle}" text-anchor="end">{said}</text>'
        )
        x = _LABEL * 1000
        for number, one in enumerate(series):
            wide = one.values[place] * (WIDTH - _LABEL) * 1000 // most
            if one.values[place]:
                told = f"{label}, {one.name}: {one.texts[place]}"
                parts.append(_bar(number, x, y, max(wide, 1000), _BAR * 1000, told))
            x += wide
    return "".join([*parts, "</svg>", table(first, labels, series)])


def legend(names: Sequence[str]) -> str:
    """What each colour means."""
    items = (
        f'<li><svg class="key" viewBox="0 0 12 12" aria-hidden="true">'
        f'<rect class="s{number}" width="12" height="12"/></svg>{escape(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def table(first: str, labels: Sequence[str], series: Sequence[Series]) -> str:
    """The same figures as a table, folded away."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in (first, *_names(series)))
    rows = "".join(
        f'<tr><th scope="row">{escape(label)}</th>'
        + "".join(f"<td>{escape(one.texts[place])}</td>" for one in series)
        + "</tr>"
        for place, label in enumerate(labels)
    )
    return (
        "<details><summary>The same as a table</summary>"
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>'
        "</table></div></details>"
    )


def _names(series: Sequence[Series]) -> tuple[str, ...]:
    return tuple(one.name for one in series)


def _svg(height: int, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
    )


def _grid(top: Series, most: int) -> list[str]:
    """Lines at a few heights; the highest says what it stands for."""
    parts = []
    for tick in range(_TICKS + 1):
        y = _TOP + _HEIGHT - _HEIGHT * tick // _TICKS
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{WIDTH}" y2="{y}"/>')
    said = next((text for v, text in zip(top.values, top.texts, strict=True) if v == most), "0")
    for y, text in ((_TOP + 4, said), (_TOP + _HEIGHT + 4, "0")):
        parts.append(
            f'<text class="tick" x="{_LEFT - 6}" y="{y}" text-anchor="end">{escape(text)}</text>'
        )
    return parts


def _bar(number: int, x: int, y: int, wide: int, tall: int, said: str) -> str:
    """A rectangle, in thousandths, with what it says when pointed at."""
    place = f'x="{_px(x)}" y="{_px(y)}" width="{_px(wide)}" height="{_px(tall)}"'
    return f'<rect class="s{number}" {place}><title>{escape(said)}</title></rect>'


def _px(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".")
