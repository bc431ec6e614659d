"""The form of one action kind in a policy file: parameters, bands, facts and checks."""

from __future__ import annotations

from typing import Final

from handrail.core.action import TEXT_CHARS_MAX, ParamType
from handrail.core.grade import AXIS_MAX, AXIS_MEANINGS, Catchable, Grade
from handrail.core.money import EXPONENTS
from handrail.core.policy import Control, FactType, Otherwise
from handrail.policy.shape import (
    AmountShape,
    ChoiceShape,
    CurrencyShape,
    Field,
    FlagShape,
    Goes,
    ListShape,
    MapShape,
    RecordShape,
    TextShape,
    WholeShape,
)
from handrail.policy.terms import KIND_NAME, SLUG, TITLE, WORD, left_out, needed

__all__ = [
    "BANDS_MAX",
    "CHECKERS_MAX",
    "CONDITION_CHARS_MAX",
    "FROM_CONNECTOR",
    "IN_AGENT",
    "KIND_FORM",
]

BANDS_MAX: Final = 20
CHECKERS_MAX: Final = 5
CHECKS_MAX: Final = 40
CHOICES_MAX: Final = 100
CHOICE_CHARS_MAX: Final = 100
CONDITION_CHARS_MAX: Final = 1_000
FACTS_MAX: Final = 60
NEEDS_MAX: Final = 20
PARAMS_MAX: Final = 40
SENTENCE_CHARS_MAX: Final = 300

IN_GATEWAY: Final = "gateway"
IN_AGENT: Final = "agent"

FROM_PARAMS: Final = "params"
FROM_CONNECTOR: Final = "connector"

_CHOICE: Final = TextShape(what="one line of text", chars_max=CHOICE_CHARS_MAX)
_SENTENCE: Final = TextShape(what="one line of text", chars_max=SENTENCE_CHARS_MAX)
_CONDITION: Final = TextShape(
    what="one condition in CEL, on one line", chars_max=CONDITION_CHARS_MAX
)
_GRADE: Final = ChoiceShape(of=tuple(grade.name for grade in Grade))
_CONTROL: Final = ChoiceShape(of=tuple(control.value for control in Control))


def _axis(name: str) -> Field:
    steps = "; ".join(f"{step}: {text}" for step, text in enumerate(AXIS_MEANINGS[name]))
    return needed(name, WholeShape(low=0, high=AXIS_MAX), f"{steps}.")


_CHECKERS: Final = left_out(
    "checkers",
    WholeShape(low=1, high=CHECKERS_MAX),
    "How many independent checkers must each approve. Stands with `maker_checker`, and only there.",
)
_CHECKERS_GO: Final = Goes(
    field="checkers", other="control", value=Control.MAKER_CHECKER.value, needed=True
)

AXES_FORM: Final = RecordShape(
    name="axes",
    phrase="the axes",
    fields=tuple(_axis(name) for name in AXIS_MEANINGS),
)

PARAM_FORM: Final = RecordShape(
    name="parameter",
    phrase="a parameter",
    fields=(
        needed(
            "type",
            ChoiceShape(of=tuple(type_.value for type_ in ParamType)),
            "What it holds: `id` (visible ASCII, no spaces), `text`, `money`, `integer`, `boolean`,"
            " `choice` (one of `of`) or `record` (any plain JSON value).",
        ),
        left_out("required", FlagShape(), "Whether the agent must give it.", "yes"),
        left_out(
            "of",
            ListShape(item=_CHOICE, items_max=CHOICES_MAX, unique=True),
            "The values of a `choice`. Stands with that type, and only there.",
        ),
        left_out(
            "chars_max",
            WholeShape(low=1, high=TEXT_CHARS_MAX),
            f"Most characters of a `text`; {TEXT_CHARS_MAX} when left out.",
        ),
    ),
    goes=(
        Goes(field="of", other="type", value=ParamType.CHOICE.value, needed=True),
        Goes(field="chars_max", other="type", value=ParamType.TEXT.value),
    ),
)

BAND_FORM: Final = RecordShape(
    name="band",
    phrase="a band",
    fields=(
        left_out(
            "up_to",
            AmountShape(),
            "The highest amount of this band, included. Every band but the last has one.",
        ),
        needed("grade", _GRADE, "How bad an action of this amount can be; never below the axes."),
        needed("control", _CONTROL, "What is done about an action of this amount."),
        _CHECKERS,
    ),
    goes=(_CHECKERS_GO,),
)

CHECK_FORM: Final = RecordShape(
    name="check",
    phrase="a check",
    fields=(
        needed(
            "require",
            _CONDITION,
            "A condition in CEL over parameters, facts and sums. The check passes when it is true,"
            " and in no other case.",
        ),
        needed(
            "otherwise",
            ChoiceShape(of=tuple(outcome.value for outcome in Otherwise)),
            "What happens when it does not pass: `flag` only marks it, `raise_grade` makes it one"
            " grade worse, `hold` asks a person, `refuse` refuses it.",
        ),
        needed("reviewer", _SENTENCE, "What is wrong then, in a sentence for who decides."),
        left_out(
            "agent",
            _SENTENCE,
            "What the agent is told when it is refused or held for this. Never name a limit here.",
        ),
    ),
)

_BANDS: Final = MapShape(
    key=CurrencyShape(),
    value=ListShape(item=BAND_FORM, items_max=BANDS_MAX),
    entries_max=len(EXPONENTS),
)

CLEARED_FORM: Final = RecordShape(
    name="cleared",
    phrase="a clearance",
    fields=(
        left_out("when", _CONDITION, "One more condition in CEL that must be true."),
        left_out("control", _CONTROL, "What is done then. Either this or `bands`."),
        _CHECKERS,
        left_out("bands", _BANDS, "What is done then by amount, per currency."),
    ),
    goes=(_CHECKERS_GO,),
    one_of=("control", "bands"),
)

KIND_FORM: Final = RecordShape(
    name="kind",
    phrase="a kind",
    fields=(
        needed("title", TITLE, "What people call it."),
        needed("connector", SLUG, "The connector that serves it."),
        needed("axes", AXES_FORM, "How bad it can be; the highest axis sets the grade."),
        left_out(
            "catchable",
            ChoiceShape(of=tuple(answer.value for answer in Catchable)),
            "Can a person realistically catch a mistake in time? With `no`, asking is not enough.",
            Catchable.UNSURE.value,
        ),
        left_out(
            "params",
            MapShape(key=WORD, value=PARAM_FORM, entries_min=0, entries_max=PARAMS_MAX),
            "What an action of this kind takes, by name.",
        ),
        left_out("value", WORD, "The money parameter that bands and caps look at."),
        left_out(
            "value_from",
            ChoiceShape(of=(FROM_PARAMS, FROM_CONNECTOR)),
            "Who says how much money it moves: the parameter that `value` names, or the connector,"
            " from the system of record. The higher one counts when both do.",
            FROM_PARAMS,
        ),
        left_out(
            "needs",
            ListShape(item=WORD, items_max=NEEDS_MAX, unique=True),
            "Facts without which the action waits for a person at least.",
        ),
        left_out(
            "facts",
            MapShape(
                key=WORD,
                value=ChoiceShape(of=tuple(type_.value for type_ in FactType)),
                entries_max=FACTS_MAX,
            ),
            "Facts that conditions may name, each with what it holds.",
        ),
        left_out(
            "checks",
            MapShape(key=WORD, value=CHECK_FORM, entries_max=CHECKS_MAX),
            "Conditions over what is asked and what the systems of record say, by name.",
        ),
        left_out(
            "cleared",
            CLEARED_FORM,
            "What applies instead, once every check passed and nothing speaks against it.",
        ),
        left_out("undo", KIND_NAME, "The kind that reverses it; it must be declared too."),
        left_out(
            "runs_in",
            ChoiceShape(of=(IN_GATEWAY, IN_AGENT)),
            "`gateway` runs it itself; `agent` hands a single-use permit to the agent's process.",
            IN_GATEWAY,
        ),
        left_out("control", _CONTROL, "What is done about it. Either this or `bands`."),
        _CHECKERS,
        left_out(
            "bands",
            _BANDS,
            "What is done by amount, per currency, in rising order; the last band has no `up_to`.",
        ),
    ),
    goes=(_CHECKERS_GO,),
    one_of=("control", "bands"),
)
