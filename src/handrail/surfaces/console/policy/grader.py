"""The grader: questions about a kind of action, and the grade and the control that fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from handrail.core.grade import AXIS_MEANINGS, Axes, Catchable
from handrail.policy.grader import (
    AXIS_QUESTIONS,
    CATCHABLE_QUESTION,
    Advice,
    advise,
    yaml_of,
)
from handrail.surfaces.console.language.words import GRADES, control_text
from handrail.surfaces.console.pages import Visitor

__all__ = ["Question", "grader"]

_YES: Final = "yes"
_NO: Final = "no"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question with its answers, as (value, words); `chosen` is "" until it was answered."""

    name: str
    text: str
    about: str
    answers: tuple[tuple[str, str], ...]
    chosen: str


_AXES: Final = tuple(
    (name, text, "", tuple((str(step), said) for step, said in enumerate(AXIS_MEANINGS[name])))
    for name, text in AXIS_QUESTIONS.items()
)
_OTHERS: Final = (
    (
        "catchable",
        CATCHABLE_QUESTION,
        "It counts from G2 upwards: where nobody would catch it, asking somebody does not help.",
        (
            (Catchable.YES.value, "yes, what they see shows it"),
            (Catchable.UNSURE.value, "nobody has measured it"),
            (Catchable.NO.value, "no"),
        ),
    ),
    (
        "undo",
        "Can handrail undo it afterwards?",
        "Through the same connector, with one click.",
        ((_YES, "yes"), (_NO, "no")),
    ),
    ("money", "Does it move money?", "", ((_YES, "yes"), (_NO, "no"))),
)


async def grader(visitor: Visitor) -> Response:
    """The page of the grader; the answers are in its address, so that it can be passed on."""
    asked = visitor.request.query_params
    questions = tuple(
        Question(
            name=name,
            text=text,
            about=about,
            answers=answers,
            chosen=_chosen(asked.get(name, ""), answers),
        )
        for name, text, about, answers in (*_AXES, *_OTHERS)
    )
    begun = any(question.name in asked for question in questions)
    lacking = [question for question in questions if begun and not question.chosen]
    advice = _advice({question.name: question.chosen for question in questions})
    text = "" if advice is None else yaml_of(advice)
    return visitor.render(
        "grader.html",
        questions=questions,
        lacking=lacking,
        advice=advice,
        meaning="" if advice is None else GRADES[advice.grade],
        does="" if advice is None else control_text(advice.control, advice.guard.checkers),
        text=text,
        rows=text.count("\n"),
    )


def _chosen(value: str, answers: tuple[tuple[str, str], ...]) -> str:
    return value if value in {answer for answer, _ in answers} else ""


def _advice(chosen: Mapping[str, str]) -> Advice | None:
    """The advice, or None while an answer is missing: nothing is assumed."""
    if not all(chosen.values()):
        return None
    return advise(
        Axes(**{name: int(chosen[name]) for name in AXIS_QUESTIONS}),
        Catchable(chosen["catchable"]),
        undo=chosen["undo"] == _YES,
        money=chosen["money"] == _YES,
    )
