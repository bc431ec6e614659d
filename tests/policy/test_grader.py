"""Which control fits which answers, for every combination that there is."""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest

from handrail.core.grade import Axes, Catchable, grade_of
from handrail.core.policy import Control
from handrail.policy.grader import EXAMPLE_KIND, Advice, advise, yaml_of
from handrail.policy.lint import RUNS_ALONE
from handrail.policy.loader import load_text

# highest axis, catchable, undo -> control, with a cap for what moves no money
TABLE: Final = """
0  yes     undo     run_and_log      -
0  no      no-undo  run_and_log      -
1  yes     undo     run_and_notify   -
1  yes     no-undo  run_and_log      -
1  no      undo     run_and_notify   -
1  no      no-undo  run_and_log      -
2  yes     undo     approve          -
2  yes     no-undo  approve          -
2  unsure  undo     hold_and_recall  cap
2  unsure  no-undo  hold_and_recall  cap
2  no      undo     hold_and_recall  cap
2  no      no-undo  refuse           -
3  yes     undo     maker_checker    -
3  yes     no-undo  maker_checker    -
3  unsure  undo     maker_checker    cap
3  unsure  no-undo  maker_checker    cap
3  no      undo     hold_and_recall  cap
3  no      no-undo  refuse           -
"""
ROWS: Final = [line.split() for line in TABLE.strip().splitlines()]

EVERY: Final = [
    advise(
        Axes(reversibility=reversibility, blast_radius=blast_radius, stakes=stakes),
        catchable,
        undo=undo,
        money=money,
    )
    for reversibility, blast_radius, stakes in product(range(4), repeat=3)
    for catchable in Catchable
    for undo, money in product((True, False), repeat=2)
]


@pytest.mark.parametrize(("axis", "catchable", "undo", "control", "cap"), ROWS)
def test_control_that_fits(axis: str, catchable: str, undo: str, control: str, cap: str) -> None:
    """Each row of the table, whichever axis is the highest one."""
    for name in ("reversibility", "blast_radius", "stakes"):
        values = {"reversibility": 0, "blast_radius": 0, "stakes": 0} | {name: int(axis)}
        advice = advise(Axes(**values), Catchable(catchable), undo=undo == "undo", money=False)
        assert advice.control.value == control
        assert advice.capped is (cap == "cap")
        assert advice.grade.value == int(axis)


def text_of(advice: Advice) -> str:
    """The advised YAML as it is, below the head of a policy."""
    return 'policy: p\nversion: 1\nlanes: {support: {kinds: "*"}}\n' + yaml_of(advice)


def test_every_advice_loads() -> None:
    """The YAML of every advice is accepted by the loader and means what the advice says."""
    for advice in EVERY:
        policy = load_text(text_of(advice), source="advice")
        rule = policy.kinds[EXAMPLE_KIND]
        assert rule.guard == advice.guard
        assert rule.kind.axes == advice.axes
        assert bool(policy.caps) is advice.capped
        assert rule.kind.undo == (f"{EXAMPLE_KIND}.undo" if advice.undo else None)


def test_no_advice_breaks_a_rule_of_the_product() -> None:
    """Over all answers: no undo, no notify; not catchable, nobody is asked; money has a cap."""
    for advice in EVERY:
        assert advice.grade is grade_of(advice.axes)
        if advice.control is Control.RUN_AND_NOTIFY:
            assert advice.undo
        if advice.catchable is Catchable.NO and advice.grade >= 2:
            assert advice.control not in (Control.APPROVE, Control.MAKER_CHECKER)
        if advice.money and advice.control in RUNS_ALONE:
            assert advice.capped
        if advice.grade >= 2:
            assert advice.control not in (Control.RUN_AND_LOG, Control.RUN_AND_NOTIFY)
        assert (advice.guard.checkers > 0) is (advice.control is Control.MAKER_CHECKER)


def test_why_names_the_axis_that_set_the_grade() -> None:
    """The first sentence says which axis it was and what its step means."""
    axes = Axes(reversibility=1, blast_radius=2, stakes=1)
    assert advise(axes, Catchable.YES, undo=True, money=False).why == (
        "Blast radius is 2 (several customers or one system): the highest axis sets the grade, G2.",
        "A person can catch the mistake in time, and it matters: ask one.",
    )


def test_why_names_every_axis_that_is_the_highest() -> None:
    """Axes that tie are all named."""
    first = advise(
        Axes(reversibility=3, blast_radius=3, stakes=3), Catchable.NO, undo=False, money=True
    ).why[0]
    assert first == (
        "Reversibility is 3 (cannot be undone), blast radius is 3 (many customers or systems)"
        " and stakes is 3 (severe money or trust): the highest axis sets the grade, G3."
    )


def test_reasons_are_sentences() -> None:
    """What a support lead reads begins with a capital letter and ends with a full stop."""
    for advice in EVERY:
        assert len(advice.why) >= 2
        for sentence in advice.why:
            assert sentence[0].isupper()
            assert sentence.endswith(".")
