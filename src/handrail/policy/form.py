"""The form of a policy file, as tables: every key, what it takes, and what it means.

The loader reads files by these tables, the JSON Schema is built from them, and the docs name every
key of them: there is no second list.
"""

from __future__ import annotations

from typing import Final

from handrail.core.accumulation import RATE_DECIMALS
from handrail.core.action import TEXT_CHARS_MAX, ParamType
from handrail.core.caps import Scope, WhenFull
from handrail.core.grade import AXIS_MAX, AXIS_MEANINGS, Catchable, Grade
from handrail.core.money import EXPONENTS, MINOR_MAX
from handrail.core.policy import Assignment, Clocks, Control
from handrail.policy.shape import (
    AmountShape,
    AnyOrShape,
    ChoiceShape,
    CurrencyShape,
    Field,
    FlagShape,
    Goes,
    ListShape,
    MapShape,
    MoneyShape,
    RecordShape,
    Shape,
    SpanShape,
    TextShape,
    WholeShape,
    span_text,
)

__all__ = [
    "BANDS_MAX",
    "CHECKERS_MAX",
    "FROM_CONNECTOR",
    "IN_AGENT",
    "KINDS_MAX",
    "POLICY_FORM",
    "VERSION_MAX",
]

BANDS_MAX: Final = 20
CAPS_MAX: Final = 200
CHECKERS_MAX: Final = 5
CHOICES_MAX: Final = 100
CHOICE_CHARS_MAX: Final = 100
FACTS_MAX: Final = 20
KINDS_MAX: Final = 500
LANES_MAX: Final = 100
LIMIT_MAX: Final = 1_000_000
NAME_CHARS_MAX: Final = 80
PARAMS_MAX: Final = 40
TITLE_CHARS_MAX: Final = 80
VERSION_MAX: Final = 1_000_000_000
WEIGHT_MAX: Final = 1000

IN_GATEWAY: Final = "gateway"
IN_AGENT: Final = "agent"

FROM_PARAMS: Final = "params"
FROM_CONNECTOR: Final = "connector"

_SLUG: Final = TextShape(
    what="small letters, digits, `_` and `-`, beginning with a letter",
    pattern="[a-z][a-z0-9_-]*",
    chars_max=NAME_CHARS_MAX,
)
_KIND_NAME: Final = TextShape(
    what="letters, digits, `_`, `-` and `.`, beginning with a letter",
    pattern="[A-Za-z][A-Za-z0-9_.-]*",
    chars_max=NAME_CHARS_MAX,
)
_WORD: Final = TextShape(
    what="letters, digits and `_`, not beginning with a digit",
    pattern="[A-Za-z_][A-Za-z0-9_]*",
    chars_max=NAME_CHARS_MAX,
)
_CURRENCY: Final = TextShape(what="an ISO 4217 code", pattern="[A-Z]{3}", chars_max=3)
_RATE: Final = TextShape(
    what=f"a rate such as 1.10, with at most {RATE_DECIMALS} digits on either side of the point",
    pattern=rf"(0|[1-9][0-9]{{0,{RATE_DECIMALS - 1}}})(\.[0-9]{{1,{RATE_DECIMALS}}})?",
    chars_max=2 * RATE_DECIMALS + 1,
)
_TITLE: Final = TextShape(what="one line of text", chars_max=TITLE_CHARS_MAX)
_CHOICE: Final = TextShape(what="one line of text", chars_max=CHOICE_CHARS_MAX)
_GRADE: Final = ChoiceShape(of=tuple(grade.name for grade in Grade))
_CONTROL: Final = ChoiceShape(of=tuple(control.value for control in Control))
_AGENT_ID: Final = TextShape(what="an agent's id", pattern="[!-~]+", chars_max=NAME_CHARS_MAX)
_AGENT_IDS: Final = ListShape(item=_AGENT_ID, items_max=KINDS_MAX, unique=True)
_KIND_NAMES: Final = ListShape(item=_KIND_NAME, items_max=KINDS_MAX, unique=True)
_SLUGS: Final = ListShape(item=_SLUG, items_max=KINDS_MAX, unique=True)


def _needed(name: str, shape: Shape, about: str) -> Field:
    return Field(name=name, shape=shape, about=about, required=True)


def _left_out(name: str, shape: Shape, about: str, default: str | None = None) -> Field:
    return Field(name=name, shape=shape, about=about, default=default)


def _clock(name: str, about: str) -> Field:
    default = span_text(getattr(Clocks(), f"{name}_ms"))
    return _left_out(name, SpanShape(), about, default)


def _limit(name: str, about: str) -> Field:
    return _left_out(name, WholeShape(low=1, high=LIMIT_MAX), about)


def _axis(name: str) -> Field:
    steps = "; ".join(f"{step}: {text}" for step, text in enumerate(AXIS_MEANINGS[name]))
    return _needed(name, WholeShape(low=0, high=AXIS_MAX), f"{steps}.")


_CHECKERS: Final = _left_out(
    "checkers",
    WholeShape(low=1, high=CHECKERS_MAX),
    "How many independent checkers must each approve. Stands with `maker_checker`, and only there.",
)
_CHECKERS_GO: Final = Goes(
    field="checkers", other="control", value=Control.MAKER_CHECKER.value, needed=True
)

CLOCKS_FORM: Final = RecordShape(
    name="clocks",
    phrase="the clocks",
    fields=(
        _clock("approval", "How long an action may wait for people; then it expires."),
        _clock("execution", "How long an approved action may wait to run; then it expires."),
        _clock("attempt", "How long one attempt to run may take; then its outcome is unknown."),
        _clock("quiescence", "How long an unknown attempt is left alone before it is looked up."),
        _clock("recall", "How long `hold_and_recall` keeps an action back."),
        _clock("undo", "How long an executed action can be undone."),
        _clock("task", "How long a task may act."),
        _clock("assignment", "How long drawn checkers have before one more is drawn."),
        _left_out("seasoning", SpanShape(), "How much older than an action a checker's role is."),
    ),
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
        _needed(
            "type",
            ChoiceShape(of=tuple(type_.value for type_ in ParamType)),
            "What it holds: `id` (visible ASCII, no spaces), `text`, `money`, `integer`, `boolean`,"
            " `choice` (one of `of`) or `record` (any plain JSON value).",
        ),
        _left_out("required", FlagShape(), "Whether the agent must give it.", "yes"),
        _left_out(
            "of",
            ListShape(item=_CHOICE, items_max=CHOICES_MAX, unique=True),
            "The values of a `choice`. Stands with that type, and only there.",
        ),
        _left_out(
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
        _left_out(
            "up_to",
            AmountShape(),
            "The highest amount of this band, included. Every band but the last has one.",
        ),
        _needed("grade", _GRADE, "How bad an action of this amount can be; never below the axes."),
        _needed("control", _CONTROL, "What is done about an action of this amount."),
        _CHECKERS,
    ),
    goes=(_CHECKERS_GO,),
)

KIND_FORM: Final = RecordShape(
    name="kind",
    phrase="a kind",
    fields=(
        _needed("title", _TITLE, "What people call it."),
        _needed("connector", _SLUG, "The connector that serves it."),
        _needed("axes", AXES_FORM, "How bad it can be; the highest axis sets the grade."),
        _left_out(
            "catchable",
            ChoiceShape(of=tuple(answer.value for answer in Catchable)),
            "Can a person realistically catch a mistake in time? With `no`, asking is not enough.",
            Catchable.UNSURE.value,
        ),
        _left_out(
            "params",
            MapShape(key=_WORD, value=PARAM_FORM, entries_min=0, entries_max=PARAMS_MAX),
            "What an action of this kind takes, by name.",
        ),
        _left_out("value", _WORD, "The money parameter that bands and caps look at."),
        _left_out(
            "value_from",
            ChoiceShape(of=(FROM_PARAMS, FROM_CONNECTOR)),
            "Who says how much money it moves: the parameter that `value` names, or the connector,"
            " from the system of record. The higher one counts when both do.",
            FROM_PARAMS,
        ),
        _left_out(
            "needs",
            ListShape(item=_WORD, items_max=FACTS_MAX, unique=True),
            "Facts without which the action waits for a person at least.",
        ),
        _left_out("undo", _KIND_NAME, "The kind that reverses it; it must be declared too."),
        _left_out(
            "runs_in",
            ChoiceShape(of=(IN_GATEWAY, IN_AGENT)),
            "`gateway` runs it itself; `agent` hands a single-use permit to the agent's process.",
            IN_GATEWAY,
        ),
        _left_out("control", _CONTROL, "What is done about it. Either this or `bands`."),
        _CHECKERS,
        _left_out(
            "bands",
            MapShape(
                key=CurrencyShape(),
                value=ListShape(item=BAND_FORM, items_max=BANDS_MAX),
                entries_max=len(EXPONENTS),
            ),
            "What is done by amount, per currency, in rising order; the last band has no `up_to`.",
        ),
    ),
    goes=(_CHECKERS_GO,),
    one_of=("control", "bands"),
)

LANE_FORM: Final = RecordShape(
    name="lane",
    phrase="a lane",
    fields=(
        _needed("kinds", AnyOrShape(names=_KIND_NAMES), 'The kinds it may touch, or `"*"`.'),
        _left_out(
            "connectors", AnyOrShape(names=_SLUGS), 'The connectors it may use, or `"*"`.', "*"
        ),
        _left_out(
            "any_customer",
            FlagShape(),
            "Whether it may touch customers that its task does not name.",
            "no",
        ),
        _left_out("agents", AnyOrShape(names=_AGENT_IDS), "The agents that may ask for it."),
    ),
)

CAP_FORM: Final = RecordShape(
    name="cap",
    phrase="a cap",
    fields=(
        _needed(
            "scope",
            ChoiceShape(of=tuple(scope.value for scope in Scope)),
            "Whom it counts for: the whole desk, or each agent, owner of agents, customer, task or"
            " kind by itself; or each connector, over every desk that sets a cap of this name.",
        ),
        _left_out("money", MoneyShape(), "Most money in one window."),
        _left_out("count", WholeShape(low=1, high=MINOR_MAX), "Most actions in one window."),
        _left_out(
            "accounts",
            WholeShape(low=1, high=MINOR_MAX),
            "Most different customers in one window; one whom it counts already may come again.",
        ),
        _needed("window", SpanShape(), "How far back it counts, from when each action settled."),
        _left_out("kinds", AnyOrShape(names=_KIND_NAMES), 'The kinds it counts, or `"*"`.', "*"),
        _left_out(
            "when_full",
            ChoiceShape(of=tuple(answer.value for answer in WhenFull)),
            "What an action that no longer fits gets.",
            WhenFull.REFUSE.value,
        ),
        _left_out(
            "halts_agent",
            FlagShape(),
            "Whether the agent that meets it while it is full is stopped.",
            "no",
        ),
    ),
    one_of=("money", "count", "accounts"),
)

ACCUMULATION_FORM: Final = RecordShape(
    name="accumulation",
    phrase="the accumulation",
    fields=(
        _needed("window", SpanShape(), "How far back values count, from when each one settled."),
        _needed("currency", _CURRENCY, "The currency in which the sum is kept."),
        _needed(
            "kinds",
            MapShape(
                key=_KIND_NAME, value=WholeShape(low=1, high=WEIGHT_MAX), entries_max=KINDS_MAX
            ),
            "The kinds that add up, each with the percentage of its amounts that counts.",
        ),
        _left_out(
            "rates",
            MapShape(
                key=CurrencyShape(),
                value=_RATE,
                entries_min=0,
                entries_max=len(EXPONENTS),
            ),
            "What one unit of another currency is worth in `currency`. Without a rate, every amount"
            " counts as above every limit.",
        ),
        _left_out(
            "margin",
            WholeShape(low=0, high=100),
            "A percentage on top of whatever is converted.",
            "0",
        ),
        _left_out(
            "bunching",
            WholeShape(low=1, high=99),
            "The percentage of amounts that may lie in the fifth below a band's limit; more, beyond"
            " chance, tells people.",
        ),
    ),
)

LIMITS_FORM: Final = RecordShape(
    name="limits",
    phrase="the limits",
    fields=(
        _limit("open_per_agent", "Most actions that one agent may have waiting at once."),
        _limit("waiting_per_desk", "Most actions that may wait for people at once."),
        _limit("same_action_open", "How often the same content may be open at once."),
        _limit(
            "same_action_denied",
            "How often the same content may be denied before a further"
            " try is refused and handed to a person.",
        ),
        _limit("refused_per_task", "How many refusals a task is answered before it ends."),
    ),
)

POLICY_FORM: Final = RecordShape(
    name="policy",
    phrase="a policy",
    fields=(
        _needed("policy", _SLUG, "Its name."),
        _needed("version", WholeShape(low=1, high=VERSION_MAX), "Its version; raise it on change."),
        _left_out("clocks", CLOCKS_FORM, "How long things may wait."),
        _left_out(
            "by_lot",
            ChoiceShape(of=tuple(one.value for one in Assignment)),
            "When those who may check are drawn by lot, if more could than must.",
            Assignment.QUORUM.value,
        ),
        _needed(
            "lanes",
            MapShape(key=_SLUG, value=LANE_FORM, entries_max=LANES_MAX),
            "What tasks may touch, by lane.",
        ),
        _left_out(
            "caps",
            MapShape(key=_SLUG, value=CAP_FORM, entries_min=0, entries_max=CAPS_MAX),
            "Hard ceilings that nobody can exceed by approving, by name.",
        ),
        _left_out(
            "accumulation",
            ACCUMULATION_FORM,
            "What is added up per customer, so that bands judge the sum beside the amount.",
        ),
        _left_out("limits", LIMITS_FORM, "How much may be open or be tried at once."),
        _needed(
            "kinds",
            MapShape(key=_KIND_NAME, value=KIND_FORM, entries_max=KINDS_MAX),
            "The kinds of action that the agents may propose, by name.",
        ),
    ),
)
