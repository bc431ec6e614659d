"""The form of a policy file, as tables: every key, what it takes, and what it means.

The loader reads files by these tables, the JSON Schema is built from them, and the docs name every
key of them: there is no second list.
"""

from __future__ import annotations

from typing import Final

from handrail.core.accumulation import RATE_DECIMALS
from handrail.core.caps import Scope, WhenFull
from handrail.core.money import EXPONENTS, MINOR_MAX
from handrail.core.policy import Assignment, Attention, Clocks, PasskeyRule
from handrail.policy.kind_form import KIND_FORM
from handrail.policy.shape import (
    AnyOrShape,
    ChoiceShape,
    CurrencyShape,
    Field,
    FlagShape,
    ListShape,
    MapShape,
    MoneyShape,
    RecordShape,
    SpanShape,
    TextShape,
    WholeShape,
    span_text,
)
from handrail.policy.terms import (
    KIND_NAME,
    KIND_NAMES,
    KINDS_MAX,
    NAME_CHARS_MAX,
    SLUG,
    SLUGS,
    left_out,
    needed,
)

__all__ = ["POLICY_FORM", "VERSION_MAX"]

CAPS_MAX: Final = 200
DWELL_PERCENT_MAX: Final = 400
LANES_MAX: Final = 100
LIMIT_MAX: Final = 1_000_000
VERSION_MAX: Final = 1_000_000_000
WEIGHT_MAX: Final = 1000

_CURRENCY: Final = TextShape(what="an ISO 4217 code", pattern="[A-Z]{3}", chars_max=3)
_RATE: Final = TextShape(
    what=f"a rate such as 1.10, with at most {RATE_DECIMALS} digits on either side of the point",
    pattern=rf"(0|[1-9][0-9]{{0,{RATE_DECIMALS - 1}}})(\.[0-9]{{1,{RATE_DECIMALS}}})?",
    chars_max=2 * RATE_DECIMALS + 1,
)
_AGENT_ID: Final = TextShape(what="an agent's id", pattern="[!-~]+", chars_max=NAME_CHARS_MAX)
_AGENT_IDS: Final = ListShape(item=_AGENT_ID, items_max=KINDS_MAX, unique=True)


def _clock(name: str, about: str) -> Field:
    default = span_text(getattr(Clocks(), f"{name}_ms"))
    return left_out(name, SpanShape(), about, default)


def _limit(name: str, about: str) -> Field:
    return left_out(name, WholeShape(low=1, high=LIMIT_MAX), about)


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
        left_out("seasoning", SpanShape(), "How much older than an action a checker's role is."),
        _clock("loosening", "How long an approved policy that is looser than this one waits."),
    ),
)

LANE_FORM: Final = RecordShape(
    name="lane",
    phrase="a lane",
    fields=(
        needed("kinds", AnyOrShape(names=KIND_NAMES), 'The kinds it may touch, or `"*"`.'),
        left_out(
            "connectors", AnyOrShape(names=SLUGS), 'The connectors it may use, or `"*"`.', "*"
        ),
        left_out(
            "any_customer",
            FlagShape(),
            "Whether it may touch customers that its task does not name.",
            "no",
        ),
        left_out("agents", AnyOrShape(names=_AGENT_IDS), "The agents that may ask for it."),
    ),
)

CAP_FORM: Final = RecordShape(
    name="cap",
    phrase="a cap",
    fields=(
        needed(
            "scope",
            ChoiceShape(of=tuple(scope.value for scope in Scope)),
            "Whom it counts for: the whole desk, or each agent, owner of agents, customer, task or"
            " kind by itself; or each connector, over every desk that sets a cap of this name.",
        ),
        left_out("money", MoneyShape(), "Most money in one window."),
        left_out("count", WholeShape(low=1, high=MINOR_MAX), "Most actions in one window."),
        left_out(
            "accounts",
            WholeShape(low=1, high=MINOR_MAX),
            "Most different customers in one window; one whom it counts already may come again.",
        ),
        needed("window", SpanShape(), "How far back it counts, from when each action settled."),
        left_out("kinds", AnyOrShape(names=KIND_NAMES), 'The kinds it counts, or `"*"`.', "*"),
        left_out(
            "when_full",
            ChoiceShape(of=tuple(answer.value for answer in WhenFull)),
            "What an action that no longer fits gets.",
            WhenFull.REFUSE.value,
        ),
        left_out(
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
        needed("window", SpanShape(), "How far back values count, from when each one settled."),
        needed("currency", _CURRENCY, "The currency in which the sum is kept."),
        needed(
            "kinds",
            MapShape(
                key=KIND_NAME, value=WholeShape(low=1, high=WEIGHT_MAX), entries_max=KINDS_MAX
            ),
            "The kinds that add up, each with the percentage of its amounts that counts.",
        ),
        left_out(
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
        left_out(
            "margin",
            WholeShape(low=0, high=100),
            "A percentage on top of whatever is converted.",
            "0",
        ),
        left_out(
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

ATTENTION_FORM: Final = RecordShape(
    name="attention",
    phrase="attention",
    fields=(
        left_out(
            "dwell_percent",
            WholeShape(low=0, high=DWELL_PERCENT_MAX),
            "How long an action must have been shown to who approves it, of the standard time.",
            str(Attention().dwell_percent),
        ),
        _limit("per_hour", "Most decisions of one person in an hour; then G3 goes to others."),
        _limit("per_day", "Most decisions of one person in 16 hours; then G3 goes to others."),
    ),
)

POLICY_FORM: Final = RecordShape(
    name="policy",
    phrase="a policy",
    fields=(
        needed("policy", SLUG, "Its name."),
        needed("version", WholeShape(low=1, high=VERSION_MAX), "Its version; raise it on change."),
        left_out("clocks", CLOCKS_FORM, "How long things may wait."),
        left_out(
            "by_lot",
            ChoiceShape(of=tuple(one.value for one in Assignment)),
            "When those who may check are drawn by lot, if more could than must.",
            Assignment.QUORUM.value,
        ),
        left_out(
            "passkeys",
            ChoiceShape(of=tuple(one.value for one in PasskeyRule)),
            "Whose approvals at G3 a passkey must sign: of who has one, or of everybody.",
            PasskeyRule.OWN.value,
        ),
        left_out("attention", ATTENTION_FORM, "How long people look, and how much they decide."),
        needed(
            "lanes",
            MapShape(key=SLUG, value=LANE_FORM, entries_max=LANES_MAX),
            "What tasks may touch, by lane.",
        ),
        left_out(
            "caps",
            MapShape(key=SLUG, value=CAP_FORM, entries_min=0, entries_max=CAPS_MAX),
            "Hard ceilings that nobody can exceed by approving, by name.",
        ),
        left_out(
            "accumulation",
            ACCUMULATION_FORM,
            "What is added up per customer, so that bands judge the sum beside the amount.",
        ),
        left_out("limits", LIMITS_FORM, "How much may be open or be tried at once."),
        needed(
            "kinds",
            MapShape(key=KIND_NAME, value=KIND_FORM, entries_max=KINDS_MAX),
            "The kinds of action that the agents may propose, by name.",
        ),
    ),
)
