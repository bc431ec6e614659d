"""A reviewer's attention: how long something must be looked at, and how much one person decides.

How long is a floor below which nobody can have read what is shown; it does not say that somebody
did. At G2 it is the time of a fast reader, at G3 of an average one, and a moment to find one's way.

Source of the rates: adults read English silently at 238 words a minute on average (Brysbaert 2019,
How many words do we read per minute?, Journal of Memory and Language 109), and at more than 400 do
not understand what they read any more (Rayner et al. 2016, So much to read, so little time,
Psychological Science in the Public Interest 17). A word counts as six characters, with its space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from handrail.core.artifact import Line
from handrail.core.grade import Grade
from handrail.core.policy import Attention
from handrail.core.review import Verdict

__all__ = [
    "DAY_MS",
    "HOUR_MS",
    "PRESENT_MS",
    "STREAK_MIN",
    "TAKEN_MS",
    "Load",
    "Look",
    "dwell_ms",
    "load_of",
    "middle_of",
    "seconds_left",
    "spent_text",
    "streak_of",
]

PRESENT_MS: Final = 30_000
"""Who was shown something this lately is looking at it."""
TAKEN_MS: Final = 10 * 60_000
"""How long an action stays taken; then it is free by itself."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 16 * HOUR_MS
"""A working day: the last sixteen hours. A night shift is one, and yesterday's is another."""
STREAK_MIN: Final = 8
"""So many very fast approvals in a row are told to the person."""
_FAST_MS: Final = 4_000
_SPARE_MS: Final = 2_000
_GLANCE_MS: Final = 1_000
_START_MS: Final = {Grade.G2: 2_000, Grade.G3: 4_000}
# A long text is not waited out: who has to, looks elsewhere.
_MOST_MS: Final = {Grade.G2: 15_000, Grade.G3: 45_000}
_WORDS_A_MINUTE: Final = {Grade.G2: 400, Grade.G3: 238}
_WORD_CHARS: Final = 6
_MINUTE_MS: Final = 60_000


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """That one person was shown one version of an action, and what became of it.

    A version is what a review binds: the statement. Times are milliseconds UTC. `dwell_ms` is how
    long it had to be shown before an approval, as it was told to the person.
    """

    desk: str
    proposal: str
    statement: str
    person: str
    first_at: int
    seen_at: int
    dwell_ms: int
    taken_until: int | None = None
    decided_at: int | None = None
    verdict: Verdict | None = None

    @property
    def took_ms(self) -> int | None:
        """From the first showing to the decision; None while there is none."""
        return None if self.decided_at is None else max(0, self.decided_at - self.first_at)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What one person has decided: in the last hour, in the working day, and how.

    `median_ms` is the time on one item, None when nothing was decided. `streak` approvals in a row
    were very fast, none slower than `streak_ms`; a streak too short to tell is 0.
    """

    hour: int = 0
    day: int = 0
    approved: int = 0
    median_ms: int | None = None
    streak: int = 0
    streak_ms: int = 0


def dwell_ms(lines: Sequence[Line], grade: Grade, percent: int) -> int:
    """How long the literal lines must have been shown before somebody approves them.

    `percent` is of the standard time, as the policy says. At G0 and G1 a second; at G2 two and the
    time of reading at 400 words a minute, at most fifteen; at G3 four and the time at 238, at most
    forty-five.
    """
    if grade not in _START_MS:
        return _GLANCE_MS * percent // 100
    chars = sum(len(line.text) for line in lines)
    reading = chars * _MINUTE_MS // (_WORD_CHARS * _WORDS_A_MINUTE[grade])
    return min(_MOST_MS[grade], _START_MS[grade] + reading) * percent // 100


def seconds_left(look: Look, now: int) -> int:
    """Whole seconds until this person may approve this version; 0 when they may."""
    return max(0, -((now - look.first_at - look.dwell_ms) // 1_000))


def load_of(looks: Sequence[Look], now: int) -> Load:
    """What a person's decisions amount to. `looks` are those of the working day, newest first."""
    times = [one.took_ms for one in looks if one.took_ms is not None]
    streak, slowest = streak_of(looks)
    return Load(
        hour=sum(one.decided_at is not None and one.decided_at > now - HOUR_MS for one in looks),
        day=len(looks),
        approved=sum(one.verdict is Verdict.APPROVE for one in looks),
        median_ms=middle_of(times) if times else None,
        streak=streak if streak >= STREAK_MIN else 0,
        streak_ms=slowest,
    )


def middle_of(times: Sequence[int]) -> int:
    """The median of some times; of an even number, the shorter of the two in the middle."""
    return sorted(times)[(len(times) - 1) // 2]


def streak_of(looks: Sequence[Look]) -> tuple[int, int]:
    """How many approvals in a row, up to the newest, were very fast; and the slowest of them, ms.

    Very fast is within four seconds of the first showing, or two of when it could be given at all.
    """
    slowest = count = 0
    for one in looks:
        took = one.took_ms
        if one.verdict is not Verdict.APPROVE or took is None:
            break
        if took > max(_FAST_MS, one.dwell_ms + _SPARE_MS):
            break
        count, slowest = count + 1, max(slowest, took)
    return count, slowest


def spent_text(load: Load, attention: Attention) -> str | None:
    """Why this person should leave what is G3 to others now, or None while they have room."""
    if attention.per_hour is not None and load.hour >= attention.per_hour:
        return f"you have decided {load.hour} actions within an hour; G3 goes to somebody else now"
    if attention.per_day is not None and load.day >= attention.per_day:
        return f"you have decided {load.day} actions today; G3 goes to somebody else now"
    return None
