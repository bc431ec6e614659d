"""Advice for one kind of action: its grade, the control that fits, and why, in plain English.

The rule is the product's one question: can a person realistically catch this mistake in time? If
yes, and it matters, ask one. If not, bound or prevent it; a prompt there would be theatre.
"""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from handrail.core.grade import AXIS_MEANINGS, Axes, Catchable, Grade, grade_of
from handrail.core.policy import Control, Guard

__all__ = ["AXIS_QUESTIONS", "CATCHABLE_QUESTION", "EXAMPLE_KIND", "Advice", "advise", "yaml_of"]

EXAMPLE_KIND: Final = "your.action"
"""What the advised kind is called in the YAML."""

AXIS_QUESTIONS: Final = {
    "reversibility": "How hard is it to undo?",
    "blast_radius": "How far does it reach?",
    "stakes": "How much can it cost?",
}
"""What is asked about each axis; its four answers are in `AXIS_MEANINGS`."""

CATCHABLE_QUESTION: Final = "Can a person realistically catch a mistake in time?"

_AXIS_NAMES: Final = {name: name.replace("_", " ") for name in AXIS_MEANINGS}


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What `advise` says. `capped` says that the control needs a cap beside it.

    `catchable` is what was answered; `undo` and `money` say whether the action can be reversed and
    whether it moves money.
    """

    axes: Axes
    catchable: Catchable
    undo: bool
    money: bool
    grade: Grade
    guard: Guard
    capped: bool
    why: tuple[str, ...]

    @property
    def control(self) -> Control:
        """The control that fits."""
        return self.guard.control


def advise(axes: Axes, catchable: Catchable, *, undo: bool, money: bool) -> Advice:
    """The grade of the axes, and the control that fits an action of that grade."""
    grade = grade_of(axes)
    control, capped, reasons = _control(grade, catchable, undo=undo)
    if capped or (money and control in _RUNS):
        capped = True
        reasons = (*reasons, _cap_sentence(money=money))
    return Advice(
        axes=axes,
        catchable=catchable,
        undo=undo,
        money=money,
        grade=grade,
        guard=Guard(control=control, checkers=1 if control is Control.MAKER_CHECKER else 0),
        capped=capped,
        why=(*_axis_sentences(axes, grade), *reasons),
    )


_RUNS: Final = (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY, Control.HOLD_AND_RECALL)

_Choice = tuple[Control, bool, tuple[str, ...]]


def _control(grade: Grade, catchable: Catchable, *, undo: bool) -> _Choice:
    """The control, whether it needs a cap beside it, and the reasons."""
    match grade:
        case Grade.G0:
            return Control.RUN_AND_LOG, False, ("Nothing can go wrong that matters: it may run.",)
        case Grade.G1:
            return _light(undo=undo)
        case Grade.G2 | Grade.G3:
            if catchable is Catchable.NO:
                return _uncatchable(undo=undo)
            return _severe(catchable) if grade is Grade.G3 else _serious(catchable)
        case _:
            assert_never(grade)


def _light(*, undo: bool) -> _Choice:
    if undo:
        said = "It can be undone, so it may run, and somebody is told and can reverse it."
        return Control.RUN_AND_NOTIFY, False, (said,)
    said = "A mistake costs little, so it may run; without an undo there is nothing to offer."
    return Control.RUN_AND_LOG, False, (said,)


def _serious(catchable: Catchable) -> _Choice:
    if catchable is Catchable.YES:
        said = "A person can catch the mistake in time, and it matters: ask one."
        return Control.APPROVE, False, (said,)
    why = "Nobody knows whether a person would catch the mistake, so a prompt may be theatre."
    then = "Keep it back for a while in which it can be recalled; measure before you ask people."
    return Control.HOLD_AND_RECALL, True, (why, then)


def _severe(catchable: Catchable) -> _Choice:
    why = "It is severe: one person makes it, and an independent, entitled person commits it."
    more = "Ask for two checkers where the most is at stake."
    if catchable is Catchable.YES:
        return Control.MAKER_CHECKER, False, (why, more)
    unsure = "Nobody knows whether a checker would catch the mistake, so do not rest on it alone."
    return Control.MAKER_CHECKER, True, (why, more, unsure)


def _uncatchable(*, undo: bool) -> _Choice:
    why = "No person would catch the mistake in time, so asking one would be theatre."
    if undo:
        then = "It can be reversed: keep it back for a while, and bound what can go wrong."
        return Control.HOLD_AND_RECALL, True, (why, then)
    then = "It cannot be undone either: refuse it, or shrink what the credential can do."
    return Control.REFUSE, False, (why, then)


def _cap_sentence(*, money: bool) -> str:
    if money:
        return "It moves money: set a cap on the money per day, which nobody can approve away."
    return "Set a cap on how many a day may happen, which nobody can approve away."


def _axis_sentences(axes: Axes, grade: Grade) -> tuple[str, ...]:
    """Which axes set the grade, and what they mean."""
    if grade is Grade.G0:
        return ("All three axes are 0, so it is G0.",)
    values = msgspec.structs.asdict(axes)
    highest = [name for name, value in values.items() if value == grade]
    said = [
        f"{_AXIS_NAMES[name]} is {grade.value} ({AXIS_MEANINGS[name][grade]})" for name in highest
    ]
    listed = " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
    sentence = f"{listed}: the highest axis sets the grade, {grade.name}."
    return (sentence[0].upper() + sentence[1:],)


def yaml_of(advice: Advice) -> str:
    """The advice as YAML for a policy file: a kind, its undo, and a cap where it needs one.

    Names, titles and amounts in it are examples to be replaced, and the undo is to be graded too.
    """
    axes = ", ".join(
        f"{name}: {value}" for name, value in msgspec.structs.asdict(advice.axes).items()
    )
    lines = [
        "kinds:",
        f"  {EXAMPLE_KIND}:",
        "    title: Your action",
        "    connector: your-connector",
        f"    axes: {{{axes}}}",
    ]
    if advice.grade >= Grade.G2:
        lines.append(f'    catchable: "{advice.catchable.value}"')
    if advice.money:
        lines += ["    params: {amount: {type: money}}", "    value: amount"]
    if advice.undo:
        lines.append(f"    undo: {EXAMPLE_KIND}.undo")
    lines.append(f"    control: {advice.control.value}")
    if advice.guard.checkers:
        lines.append(f"    checkers: {advice.guard.checkers}")
    if advice.undo:
        lines += [
            f"  {EXAMPLE_KIND}.undo:",
            "    # grade this one too",
            "    title: Take your action back",
            "    connector: your-connector",
            "    axes: {reversibility: 1, blast_radius: 1, stakes: 1}",
            "    control: run_and_log",
        ]
    if advice.capped:
        limit = 'money: "500.00 USD"' if advice.money else "count: 20"
        lines += [
            "caps:",
            f"  {EXAMPLE_KIND.replace('.', '-')}-per-day:",
            "    scope: desk",
            f"    {limit}",
            "    window: 24h",
            f"    kinds: [{EXAMPLE_KIND}]",
        ]
    return "\n".join(lines) + "\n"
