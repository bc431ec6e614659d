"""How long something must be looked at, what a person's decisions amount to, what overflows."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handrail.core.artifact import Line
from handrail.core.attention import (
    DAY_MS,
    HOUR_MS,
    Load,
    Look,
    dwell_ms,
    load_of,
    seconds_left,
    spent_text,
    streak_of,
)
from handrail.core.grade import Grade
from handrail.core.overflow import estimate
from handrail.core.policy import Attention
from handrail.core.review import Verdict

NOW: Final = 1_790_000_000_000
SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND


def lines_of(chars: int) -> tuple[Line, ...]:
    """Lines with so many characters between them."""
    return (
        Line(label="To", text="a" * (chars // 2)),
        Line(label="M", text="b" * (chars - chars // 2)),
    )


def look(took_ms: int | None, *, ago_ms: int = 0, **changes: Any) -> Look:
    """A look at something that had to be shown for 6 s, decided `ago_ms` before now."""
    decided = None if took_ms is None else NOW - ago_ms
    fields: dict[str, Any] = {
        "desk": "main",
        "proposal": "hr_1",
        "statement": "5e",
        "person": "ann",
        "first_at": NOW - ago_ms - (took_ms or 0),
        "seen_at": NOW - ago_ms,
        "dwell_ms": 6 * SECOND,
        "decided_at": decided,
        "verdict": None if took_ms is None else Verdict.APPROVE,
    }
    return Look(**{**fields, **changes})


@pytest.mark.parametrize(
    ("grade", "chars", "percent", "expected"),
    [
        (Grade.G0, 10_000, 100, 1_000),
        (Grade.G1, 10_000, 100, 1_000),
        (Grade.G2, 0, 100, 2_000),
        # 400 words of 6 characters a minute are 40 characters a second.
        (Grade.G2, 160, 100, 6_000),
        (Grade.G2, 40_000, 100, 15_000),
        (Grade.G3, 0, 100, 4_000),
        # 238 words are 23.8 characters a second.
        (Grade.G3, 238, 100, 14_000),
        (Grade.G3, 40_000, 100, 45_000),
        (Grade.G2, 160, 50, 3_000),
        (Grade.G3, 40_000, 200, 90_000),
        (Grade.G3, 40_000, 0, 0),
    ],
)
def test_how_long_to_look(grade: Grade, chars: int, percent: int, expected: int) -> None:
    """By grade and length, at the rates of the sources, bounded, and as the policy says."""
    assert dwell_ms(lines_of(chars), grade, percent) == expected


@given(st.integers(0, 5_000), st.integers(0, 5_000), st.sampled_from(list(Grade)))
def test_more_to_read_is_never_less_time(one: int, other: int, grade: Grade) -> None:
    """A longer text never takes less, and G3 never less than G2."""
    short, long = sorted((one, other))
    assert dwell_ms(lines_of(short), grade, 100) <= dwell_ms(lines_of(long), grade, 100)
    assert dwell_ms(lines_of(one), Grade.G2, 100) <= dwell_ms(lines_of(one), Grade.G3, 100)


@pytest.mark.parametrize(
    ("after_ms", "left"),
    [(0, 6), (1, 6), (1_000, 5), (5_001, 1), (5_999, 1), (6_000, 0), (9_999, 0)],
)
def test_seconds_that_are_left(after_ms: int, left: int) -> None:
    """Whole seconds, never one too few: with none left, it counts."""
    assert seconds_left(look(None, first_at=NOW), NOW + after_ms) == left


STREAKS: Final[dict[str, tuple[list[Look], tuple[int, int]]]] = {
    "nothing": ([], (0, 0)),
    # It had to be shown for 6 s: 8 s is as soon as it went.
    "fast": ([look(7_000), look(8_000)], (2, 8_000)),
    "one took its time": ([look(7_000), look(9_000), look(7_000)], (1, 7_000)),
    "the last took its time": ([look(30_000), look(7_000)], (0, 0)),
    "a no ends it": ([look(7_000), look(7_000, verdict=Verdict.REJECT)], (1, 7_000)),
    "without a dwell, four seconds": (
        [look(3_900, dwell_ms=0), look(4_100, dwell_ms=0)],
        (1, 3_900),
    ),
}


@pytest.mark.parametrize("name", STREAKS)
def test_a_streak_of_fast_approvals(name: str) -> None:
    """L7: counted from the newest back to the first that was looked at longer, or was a no."""
    looks, expected = STREAKS[name]
    assert streak_of(looks) == expected


def test_what_a_load_is() -> None:
    """By hour and day; every verdict is load; a short streak is not told."""
    looks = [
        look(7_000),
        look(20_000, ago_ms=30 * MINUTE, verdict=Verdict.REJECT),
        look(40_000, ago_ms=2 * HOUR_MS),
    ]
    load = load_of(looks, NOW)
    assert (load.hour, load.day, load.approved, load.median_ms) == (2, 3, 2, 20_000)
    assert load.streak == 0
    assert load_of([look(7_000)] * 12, NOW).streak == 12
    assert load_of([], NOW) == Load()
    assert DAY_MS == 16 * HOUR_MS


@pytest.mark.parametrize(
    ("hour", "day", "per_hour", "per_day", "said"),
    [
        (99, 999, None, None, None),
        (9, 9, 10, None, None),
        (10, 10, 10, None, "within an hour"),
        (2, 99, 10, 100, None),
        (2, 100, 10, 100, "today"),
    ],
)
def test_a_spent_budget(
    hour: int, day: int, per_hour: int | None, per_day: int | None, said: str | None
) -> None:
    """L8: by the hour and by the day, and never without a budget."""
    budget = Attention(per_hour=per_hour, per_day=per_day)
    why = spent_text(Load(hour=hour, day=day), budget)
    assert (said or "") in (why or "")
    assert (why is None) is (said is None)


def due(*minutes: int, needed: int = 1) -> list[tuple[int, int]]:
    """Deadlines so many minutes from now, each of an action that takes so many people."""
    return [(NOW + n * MINUTE, needed) for n in minutes]


OVERFLOWS: Final[dict[str, tuple[list[tuple[int, int]], int, int, int | None]]] = {
    "nothing waits": ([], 1, 0, None),
    "one after the other, in time": (due(1, 2, 3), 1, 0, None),
    "one too many": (due(1, 1, 3), 1, 1, 1),
    "two people do two at once": (due(1, 1, 2), 2, 0, None),
    "what cannot be done takes nobody's time": (due(0, 1), 1, 1, 0),
    "nobody is there": (due(60, 90), 0, 2, 60),
    "two are needed and there is one": (due(60, needed=2), 1, 1, 60),
    "two are needed, two are there": (due(1, needed=2), 2, 0, None),
    "two are needed, one is late": ([*due(1), *due(1, needed=2)], 2, 1, 1),
}


@pytest.mark.parametrize("name", OVERFLOWS)
def test_what_cannot_be_reviewed_in_time(name: str) -> None:
    """L2: so many people, a minute each, by urgency."""
    waiting, people, missed, first = OVERFLOWS[name]
    found = estimate(waiting, people=people, each_ms=MINUTE, now=NOW)
    assert (found.looked, found.missed) == (len(waiting), missed)
    assert found.first_at == (None if first is None else NOW + first * MINUTE)


@given(
    st.lists(st.integers(0, 60), max_size=30),
    st.integers(0, 5),
    st.integers(1, 20 * MINUTE),
)
def test_one_person_more_never_misses_more(minutes: list[int], people: int, each: int) -> None:
    """Among actions of one decision each, in the order of their deadlines."""
    waiting = due(*sorted(minutes))
    fewer = estimate(waiting, people=people, each_ms=each, now=NOW)
    more = estimate(waiting, people=people + 1, each_ms=each, now=NOW)
    assert more.missed <= fewer.missed <= len(waiting)
