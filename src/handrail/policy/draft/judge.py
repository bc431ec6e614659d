"""Guesses how bad an offered action can be. What is not known is G3, and two people look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from handrail.core.grade import Axes, Grade, grade_of
from handrail.core.policy import STRICTEST, Control, Guard
from handrail.policy.draft.offered import Offered, plain
from handrail.policy.draft.words import Speaking, heard, reads, spoken_against

__all__ = ["Judged", "judge"]

_READ: Final = Axes(reversibility=0, blast_radius=0, stakes=0)
_MAYBE_READ: Final = Axes(reversibility=0, blast_radius=1, stakes=2)
_UNKNOWN: Final = Axes(reversibility=3, blast_radius=3, stakes=3)
_MONEY: Final = Axes(reversibility=2, blast_radius=1, stakes=3)
_SAFE_METHODS: Final = ("get", "head")
_WORDS_SHOWN_MAX: Final = 4


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The guess: axes, what is done about it, and why, in words for a comment."""

    axes: Axes
    guard: Guard
    why: str

    @property
    def grade(self) -> Grade:
        """The grade that the axes give."""
        return grade_of(self.axes)


def judge(one: Offered, *, money: bool) -> Judged:
    """The guess for one action; `money` says that it takes an amount.

    A read needs two signs: its method or its own hint, and a word of reading; and nothing that
    speaks against it. What it says about itself only ever raises. Nothing else runs alone.
    """
    known = reads(one.name, one.about if one.method in _SAFE_METHODS else None)
    against = spoken_against(one.name, one.about)
    if known is not None and against is None:
        return _read(one, known, money=money)
    return _graded(one, money=money, known=known, against=against)


def _read(one: Offered, word: str, *, money: bool) -> Judged:
    lacking = _why_no_read(one) or ("it takes an amount" if money else "")
    if lacking:
        said = f"`{word}` says that it reads, but {lacking}, so a person looks"
        axes = _raised(_MAYBE_READ, one)
        return Judged(axes=axes, guard=_guard(axes), why=said)
    second = f"{one.method.upper()}" if one.method else "its own hint"
    said = f"`{word}` and {second} say that it reads, and nothing speaks against it"
    return Judged(axes=_READ, guard=_guard(_READ), why=said)


def _why_no_read(one: Offered) -> str:
    hints = one.hints
    if one.twice:
        return "its name stands there twice"
    if hints.destructive:
        return "it says of itself that it destroys"
    if hints.open_world:
        return "it says of itself that it reaches the open world"
    if hints.read_only is False:
        return "it says of itself that it writes"
    if one.method in _SAFE_METHODS or (one.method is None and hints.read_only):
        return ""
    return f"{one.method.upper()} may do more" if one.method else "nothing else does"


def _graded(one: Offered, *, money: bool, known: str | None, against: str | None) -> Judged:
    """The strictest of everything that its name and its description speak of."""
    in_name, in_about = heard(one.name, one.about)
    reasons = []
    # A description makes nothing known: it could call anything an update.
    unknown = not in_name and known is None and one.method != "delete" and not money
    if one.twice:
        unknown = True
        reasons.append("its name stands there twice, and nobody knows which one answers")
    elif unknown:
        reasons.append("nothing in its name says what it does")
    axes = _UNKNOWN if unknown else _READ
    if known is not None and against is not None:
        axes = _highest(axes, _MAYBE_READ)
        reasons.append(f"`{known}` says that it reads, and `{plain(against, 40)}` says otherwise")
    spoken = {**in_about, **in_name}
    for rule in spoken.values():
        axes = _highest(axes, rule.axes)
    reasons += _said(spoken)
    if money:
        axes = _highest(axes, _MONEY)
        reasons.append("it takes an amount, and no band bounds it yet")
    if one.hints.read_only and axes != _READ:
        reasons.append("its own hint calls it a read, which lowers nothing")
    axes = _raised(axes, one)
    guard = STRICTEST if unknown else _guard(axes)
    return Judged(axes=axes, guard=guard, why="; ".join(dict.fromkeys(reasons)) or "DELETE")


def _said(words: Mapping[str, Speaking]) -> list[str]:
    """What makes it as bad as it is, with the words that say so; what is less bad is left out."""
    worst = max((grade_of(rule.axes) for rule in words.values()), default=Grade.G0)
    by_rule: dict[str, list[str]] = {}
    for word, rule in words.items():
        if grade_of(rule.axes) is worst:
            by_rule.setdefault(rule.what, []).append(f"`{word}`")
    return [f"{what} ({', '.join(found[:_WORDS_SHOWN_MAX])})" for what, found in by_rule.items()]


def _raised(axes: Axes, one: Offered) -> Axes:
    """What it admits about itself is believed."""
    if one.hints.destructive or one.method == "delete":
        axes = _highest(axes, Axes(reversibility=3, blast_radius=1, stakes=2))
    if one.hints.open_world:
        axes = _highest(axes, Axes(reversibility=0, blast_radius=2, stakes=0))
    return axes


def _highest(one: Axes, other: Axes) -> Axes:
    return Axes(
        reversibility=max(one.reversibility, other.reversibility),
        blast_radius=max(one.blast_radius, other.blast_radius),
        stakes=max(one.stakes, other.stakes),
    )


def _guard(axes: Axes) -> Guard:
    match grade_of(axes):
        case Grade.G0:
            return Guard(control=Control.RUN_AND_LOG)
        case Grade.G3:
            return Guard(control=Control.MAKER_CHECKER, checkers=1)
        case _:
            return Guard(control=Control.APPROVE)
