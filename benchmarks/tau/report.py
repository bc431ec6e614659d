"""The numbers as text: a table for each set, the curve, and what the checks caught."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.tau.score import ALL, Catch, Judged, Score, Tally
from benchmarks.tau.strategies import Strategy

__all__ = ["Point", "as_text", "curve", "curve_table", "misses_table", "usd"]

_COLUMNS: Final = (
    ("strategy", 17),
    ("judged", 7),
    ("alone", 6),
    ("held", 6),
    ("refused", 8),
    ("per 1,000", 10),
    ("| wrong: alone", 15),
    ("USD", 11),
    ("held", 6),
    ("USD", 11),
    ("refused", 8),
    ("flagged USD", 12),
    ("all approved USD", 17),
    ("| right refused", 16),
    ("flagged", 8),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One strategy on the curve, over all sets. Shares are in percent.

    `of_ask` compares the interruptions with those of asking about every write; `alone`, `red` and
    `approved` are shares of the money of all wrong writes that the shops accept: what ran alone,
    what was refused or shown red, and what still moves when people approve everything.
    """

    strategy: str
    interruptions_per_1000: float
    of_ask: float
    alone: float
    red: float
    approved: float
    right_refused: float
    right_red: float


def curve(scores: Mapping[str, Score], tally: Tally) -> list[Point]:
    """Every strategy as a point, in the order in which they ask more and more."""
    asked = scores[Strategy.ASK.value].interruptions_per_1000
    wrong = tally.wrong_to_customer_cents
    points = [
        Point(
            strategy=name,
            interruptions_per_1000=found.interruptions_per_1000,
            of_ask=_share(found.interruptions_per_1000, asked),
            alone=_share(found.wrong_ran_alone_cents, wrong),
            red=_share(found.wrong_flagged_cents, wrong),
            approved=_share(found.wrong_if_all_approved_cents, wrong),
            right_refused=_share(found.right_refused, found.right_writes),
            right_red=_share(found.right_flagged, found.right_writes),
        )
        for name, found in scores.items()
    ]
    return sorted(points, key=lambda point: point.interruptions_per_1000)


def _share(part: float, whole: float) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def curve_table(points: Sequence[Point]) -> str:
    """The points as a table in Markdown: the twin of the chart."""
    rows = [
        (
            f"`{one.strategy}`",
            f"{one.interruptions_per_1000:.1f}",
            *(
                f"{share:.1f} %"
                for share in (
                    one.of_ask,
                    one.alone,
                    one.red,
                    one.approved,
                    one.right_refused,
                    one.right_red,
                )
            ),
        )
        for one in points
    ]
    head = (
        "strategy",
        "interruptions per 1,000 calls",
        "of those of `ask`",
        "wrong money that ran alone",
        "refused or shown red",
        "still moves if all is approved",
        "right writes refused",
        "right writes shown red",
    )
    return _markdown(head, rows)


def misses_table(judged: Sequence[Judged]) -> str:
    """Wrong writes against which nothing speaks, as a table in Markdown."""
    rows = [
        (
            f"`{one.call.id}`",
            f"`{one.call.tool}`",
            usd(one.label.to_customer_cents),
            one.outcome.fate.value.replace("_", " "),
        )
        for one in judged
        if one.label is not None
    ]
    return _markdown(("call", "tool", "USD to the customer", "what happened"), rows)


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def as_text(
    tallies: Mapping[str, Tally],
    scores: Mapping[str, Mapping[str, Score]],
    caught: Mapping[str, Mapping[str, Catch]],
) -> str:
    """All of it, for people."""
    lines: list[str] = []
    for name, counted in tallies.items():
        lines += [
            f"{name}: {counted.trajectories} conversations, {counted.calls} calls,"
            f" {counted.writes} writes; {counted.wrong} writes are wrong, the shop accepts"
            f" {counted.wrong_accepted} of them and gives away"
            f" {usd(counted.wrong_to_customer_cents)} USD by them",
            _row([title for title, _ in _COLUMNS]),
            *(_row(_cells(strategy, found)) for strategy, found in scores[name].items()),
            "",
        ]
    lines += [curve_table(curve(scores[ALL], tallies[ALL])), ""]
    for strategy, found in caught.items():
        lines += [*_caught(strategy, found), ""] if found else []
    return "\n".join(lines).rstrip()


def _caught(strategy: str, found: Mapping[str, Catch]) -> Iterator[str]:
    yield f"{strategy}: what each check spoke against (a write may be there more than once)"
    for name, one in found.items():
        money = usd(one.wrong_cents)
        yield f"  {name:20} {one.wrong:4} wrong, {money:>10} USD; {one.right:4} right"


def _row(cells: Sequence[str]) -> str:
    first, *rest = (
        cell.ljust(width) if place == 0 else cell.rjust(width)
        for place, (cell, (_, width)) in enumerate(zip(cells, _COLUMNS, strict=True))
    )
    return "".join([first, *rest])


def _cells(strategy: str, found: Score) -> list[str]:
    return [
        strategy,
        str(found.judged_calls),
        str(found.ran_alone),
        str(found.held),
        str(found.refused),
        str(found.interruptions_per_1000),
        str(found.wrong_ran_alone),
        usd(found.wrong_ran_alone_cents),
        str(found.wrong_held),
        usd(found.wrong_held_cents),
        str(found.wrong_refused),
        usd(found.wrong_flagged_cents),
        usd(found.wrong_if_all_approved_cents),
        str(found.right_refused),
        str(found.right_flagged),
    ]


def usd(cents: int) -> str:
    """An amount as `1,234.50`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
