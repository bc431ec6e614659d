"""The decision: the pack's table row by row, what raises it, what a lane lets in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from handrail.core.action import ActionKind, Param, ParamType
from handrail.core.decide import (
    PRECEDENCE,
    Ask,
    Decision,
    FailedCheck,
    ReasonCode,
    compile_policy,
)
from handrail.core.grade import Axes, Grade
from handrail.core.money import Money
from handrail.core.policy import (
    Band,
    Cleared,
    Control,
    Guard,
    KindRule,
    LaneRule,
    Otherwise,
    Policy,
)

# The written order, loosest first.
CONTROLS = "run_and_log run_and_notify hold_and_recall approve maker_checker escalate refuse"

REASONS = """
halted outside_lane undo_only denied_before open_already too_many_open queue_full
evaluation_failed unknown_kind unlisted_currency value_unknown asked_again check_failed
facts_missing facts_contradict hidden_content unresolved_reference check_flagged late_undo
claimed_grade edited cap_full accumulated cleared value_band kind_default
"""


def _guard(text: str) -> Guard:
    name, _, checkers = text.partition("*")
    return Guard(control=Control(name), checkers=int(checkers or 0))


def _bands(*rows: str) -> tuple[Band, ...]:
    """Bands from rows like `5000 G2 approve`; `-` is no limit."""
    bands = []
    for row in rows:
        limit, grade, guard = row.split()
        up_to = None if limit == "-" else int(limit)
        bands.append(Band(up_to_minor=up_to, grade=Grade[grade], guard=_guard(guard)))
    return tuple(bands)


# kind | connector | reversibility, blast radius, stakes | undo | control
KINDS = """
ticket.read  | desk     | 0 0 0 | -           | run_and_log
reply.draft  | desk     | 1 0 0 | -           | run_and_log
reply.send   | mail     | 2 1 2 | -           | approve
reply.later  | mail     | 2 1 2 | -           | hold_and_recall
login.change | accounts | 3 1 3 | -           | maker_checker*1
account.wipe | accounts | 3 1 3 | -           | refuse
ask.human    | desk     | 0 0 0 | -           | escalate
refund.issue | billing  | 2 1 2 | refund.back | approve
refund.back  | billing  | 1 1 1 | -           | run_and_log
"""

BANDS = {
    "USD": _bands(
        "5000 G2 run_and_notify",
        "100000 G2 approve",
        "500000 G3 maker_checker*1",
        "- G3 maker_checker*2",
    ),
    "JPY": _bands("7500 G2 run_and_notify", "- G3 maker_checker*1"),
}


def _rule(row: str) -> KindRule:
    name, connector, axes, undo, control = (part.strip() for part in row.split("|"))
    reversibility, blast_radius, stakes = (int(step) for step in axes.split())
    moves_money = name == "refund.issue"
    kind = ActionKind(
        name=name,
        title=name,
        connector=connector,
        axes=Axes(reversibility=reversibility, blast_radius=blast_radius, stakes=stakes),
        params=(Param(name="amount", type=ParamType.MONEY),) if moves_money else (),
        value="amount" if moves_money else None,
        undo=None if undo == "-" else undo,
    )
    guard = _guard(control)
    return KindRule(
        kind=kind,
        guard=guard,
        bands=BANDS if moves_money else {},
        cleared=_cleared(name, guard),
    )


def _cleared(name: str, guard: Guard) -> Cleared | None:
    """What a check clears: a reply goes out later, a refund has wider bands in USD."""
    if name == "reply.send":
        return Cleared(when="true", guard=_guard("hold_and_recall"))
    if name != "refund.issue":
        return None
    bands = _bands("5000 G2 run_and_log", "40000 G2 run_and_notify", "- G2 approve")
    return Cleared(when="true", guard=guard, bands={"USD": bands})


def _desk() -> Policy:
    rules = [_rule(row) for row in KINDS.strip().splitlines()]
    lanes = (
        LaneRule(name="all", kinds=("*",)),
        LaneRule(name="mail", kinds=("*",), connectors=("mail",)),
        LaneRule(name="refunds", kinds=("refund.issue", "ticket.read")),
        LaneRule(name="empty", kinds=()),
        LaneRule(name="offline", kinds=("*",), connectors=()),
    )
    return Policy(
        name="desk",
        version=1,
        kinds={rule.kind.name: rule for rule in rules},
        lanes={lane.name: lane for lane in lanes},
    )


DESK = compile_policy(_desk())
_OTHERWISE = {outcome.value for outcome in Otherwise}

# kind | value | what was found | control, grade | reasons
DECIDED = """
ticket.read  | none         |                | run_and_log G0     | kind_default
reply.draft  | none         |                | run_and_log G1     | kind_default
reply.send   | none         |                | approve G2         | kind_default
reply.later  | none         |                | hold_and_recall G2 | kind_default
login.change | none         |                | maker_checker*1 G3 | kind_default
account.wipe | none         |                | refuse G3          | kind_default
ask.human    | none         |                | escalate G0        | kind_default
refund.issue | 0.01 USD     |                | run_and_notify G2  | value_band
refund.issue | 49.99 USD    |                | run_and_notify G2  | value_band
refund.issue | 50.00 USD    |                | run_and_notify G2  | value_band
refund.issue | 50.01 USD    |                | approve G2         | value_band
refund.issue | 1000.00 USD  |                | approve G2         | value_band
refund.issue | 1000.01 USD  |                | maker_checker*1 G3 | value_band
refund.issue | 5000.00 USD  |                | maker_checker*1 G3 | value_band
refund.issue | 5000.01 USD  |                | maker_checker*2 G3 | value_band
refund.issue | 90000.00 USD |                | maker_checker*2 G3 | value_band
refund.issue | 7500 JPY     |                | run_and_notify G2  | value_band
refund.issue | 7501 JPY     |                | maker_checker*1 G3 | value_band
refund.issue | 0.01 EUR     |                | maker_checker*2 G3 | unlisted_currency
refund.issue | none         |                | maker_checker*2 G3 | value_unknown
moon.buy     | none         |                | maker_checker*2 G3 | unknown_kind
moon.buy     | 0.01 USD     | claim=G0       | maker_checker*2 G3 | unknown_kind
refund.issue | 30.00 USD    | missing        | approve G2         | facts_missing value_band
refund.issue | 30.00 USD    | contradicted   | approve G2         | facts_contradict value_band
refund.issue | 30.00 USD    | hidden         | maker_checker*1 G3 | hidden_content value_band
refund.issue | 30.00 USD    | claim=G0       | run_and_notify G2  | value_band
refund.issue | 30.00 USD    | claim=G2       | run_and_notify G2  | value_band
refund.issue | 30.00 USD    | claim=G3       | maker_checker*1 G3 | claimed_grade value_band
refund.issue | 30.00 USD    | failure        | maker_checker*2 G3 | evaluation_failed value_band
refund.issue | 2400.00 USD  | missing        | maker_checker*1 G3 | facts_missing value_band
refund.issue | 2400.00 USD  | hidden         | maker_checker*1 G3 | hidden_content value_band
ticket.read  | none         | missing        | approve G2         | facts_missing kind_default
ticket.read  | none         | hidden         | approve G1         | hidden_content kind_default
ticket.read  | none         | claim=G1       | run_and_log G1     | claimed_grade kind_default
ticket.read  | none         | claim=G2       | approve G2         | claimed_grade kind_default
reply.later  | none         | missing        | approve G2         | facts_missing kind_default
reply.later  | none         | hidden         | maker_checker*1 G3 | hidden_content kind_default
reply.send   | none         | failure        | maker_checker*2 G3 | evaluation_failed kind_default
account.wipe | none         | failure        | refuse G3          | evaluation_failed kind_default
ask.human    | none         | failure        | escalate G3        | evaluation_failed kind_default
moon.buy     | none         | failure        | maker_checker*2 G3 | evaluation_failed unknown_kind
refund.back  | none         |                | refuse G3          | undo_only
refund.back  | none         | as_undo        | run_and_log G1     | kind_default
refund.back  | none         | as_undo hidden | approve G2         | hidden_content kind_default
refund.back  | none         | claim=G3       | refuse G3          | undo_only
refund.back  | none         | as_undo late   | approve G2         | late_undo kind_default
refund.issue | 30.00 USD    | as_undo late   | maker_checker*1 G3 | late_undo value_band
refund.issue | 30.00 USD    | halted missing | refuse G3          | halted
reply.later  | none | unresolved     | approve G2         | unresolved_reference kind_default
reply.draft  | none | unresolved     | approve G2         | unresolved_reference kind_default
login.change | none | unresolved     | maker_checker*1 G3 | unresolved_reference kind_default
refund.issue | 1.00 USD     | as_undo        | run_and_notify G2  | value_band
refund.issue | 30.00 USD    | cleared        | run_and_log G2     | cleared
refund.issue | 400.00 USD   | cleared        | run_and_notify G2  | cleared
refund.issue | 400.01 USD   | cleared        | approve G2         | cleared
refund.issue | 7500 JPY     | cleared        | run_and_notify G2  | value_band
refund.issue | 0.01 EUR     | cleared        | maker_checker*2 G3 | unlisted_currency
refund.issue | none         | cleared        | maker_checker*2 G3 | value_unknown
reply.send   | none         | cleared        | hold_and_recall G2 | cleared
reply.later  | none         | cleared        | hold_and_recall G2 | kind_default
refund.issue | 400.00 USD   | cleared missing | approve G2        | facts_missing value_band
refund.issue | 400.00 USD   | cleared flag   | approve G2         | check_flagged value_band
refund.issue | 400.00 USD   | cleared claim=G2 | run_and_notify G2 | cleared
refund.issue | 400.00 USD   | cleared claim=G3 | maker_checker*1 G3 | claimed_grade cleared
reply.send   | none         | cleared late   | maker_checker*1 G3 | late_undo kind_default
refund.issue | 30.00 USD    | flag           | run_and_notify G2  | check_flagged value_band
refund.issue | 30.00 USD    | raise_grade    | maker_checker*1 G3 | check_failed value_band
refund.issue | 30.00 USD    | hold           | approve G2         | check_failed value_band
refund.issue | 30.00 USD    | refuse         | refuse G3          | check_failed value_band
refund.issue | 30.00 USD    | flag?          | maker_checker*2 G3 | evaluation_failed value_band
refund.issue | 30.00 USD    | flag-          | maker_checker*2 G3 | check_failed value_band
refund.issue | 30.00 USD    | refuse?        | refuse G3          | evaluation_failed value_band
refund.issue | 30.00 USD | flag missing | approve G2 | facts_missing check_flagged value_band
ticket.read  | none         | flag           | run_and_log G0     | check_flagged kind_default
ticket.read  | none         | raise_grade    | run_and_log G1     | check_failed kind_default
ticket.read | none | raise_grade raise_grade | approve G2 | check_failed check_failed kind_default
ticket.read  | none         | hold           | approve G2         | check_failed kind_default
account.wipe | none         | flag?          | refuse G3          | evaluation_failed kind_default
"""

# lane | kind | in the task's account? | inside
LANES = """
-        refund.issue  yes  inside
-        moon.buy      yes  inside
-        refund.issue  no   outside
all      refund.issue  yes  inside
all      moon.buy      yes  inside
all      refund.issue  no   outside
mail     reply.send    yes  inside
mail     refund.issue  yes  outside
mail     moon.buy      yes  outside
refunds  refund.issue  yes  inside
refunds  ticket.read   yes  inside
refunds  reply.send    yes  outside
refunds  moon.buy      yes  outside
refunds  refund.issue  no   outside
empty    ticket.read   yes  outside
empty    moon.buy      yes  outside
offline  ticket.read   yes  outside
offline  moon.buy      yes  outside
attic    ticket.read   yes  outside
attic    moon.buy      yes  outside
"""


def _ask(kind: str, value: str, found: str) -> Ask:
    changes: dict[str, Any] = {}
    for word in found.split():
        name, _, grade = word.partition("=")
        match name:
            case "claim":
                changes[name] = Grade[grade]
            case "failure":
                changes[name] = "it broke"
            case "as_undo" | "late" | "halted" | "cleared":
                changes[name] = True
            case _ if name.rstrip("?-") in _OTHERWISE:
                changes["failed"] = (*changes.get("failed", ()), _failed(name))
            case _:
                changes[name] = ("the order total",)
    money = None if value == "none" else Money.parse(value)
    return Ask(kind=kind, lane="all", value=money, **changes)


def _failed(word: str) -> FailedCheck:
    """A check that did not pass: `?` because of an error, `-` because something was not known."""
    name = word.rstrip("?-")
    return FailedCheck(
        name=name,
        outcome=Otherwise(name),
        text="it is too late",
        broken=name != word,
        unread=("facts.date",) if word.endswith("-") else (),
    )


def _codes(decision: Decision) -> tuple[str, ...]:
    return tuple(reason.code.value for reason in decision.reasons)


@pytest.mark.parametrize("row", DECIDED.strip().splitlines())
def test_what_the_desk_decides(row: str) -> None:
    """Kind, amount and findings on one side; control, grade and every reason on the other."""
    kind, value, found, outcome, reasons = (part.strip() for part in row.split("|"))
    guard, grade = outcome.split()
    decision = DESK.decide(_ask(kind, value, found))
    assert (decision.guard, decision.grade) == (_guard(guard), Grade[grade])
    assert _codes(decision) == tuple(reasons.split())


def test_findings_add_up() -> None:
    """A missing fact makes a read G2, hidden characters then make it G3: one checker."""
    decision = DESK.decide(_ask("ticket.read", "none", "hidden missing"))
    assert (decision.guard, decision.grade) == (_guard("maker_checker*1"), Grade.G3)
    assert _codes(decision) == ("facts_missing", "hidden_content", "kind_default")
    unknown = DESK.decide(_ask("moon.buy", "none", "hidden missing failure"))
    assert _codes(unknown) == (
        "evaluation_failed",
        "unknown_kind",
        "facts_missing",
        "hidden_content",
    )


def test_a_failure_without_words_is_a_failure() -> None:
    """An empty message does not mean that all went well."""
    decision = DESK.decide(Ask(kind="ticket.read", lane=None, failure=""))
    assert (decision.guard, decision.grade) == (_guard("maker_checker*2"), Grade.G3)


@pytest.mark.parametrize("row", LANES.strip().splitlines())
def test_what_a_lane_lets_in(row: str) -> None:
    """Outside the lane nothing is graded: refused, for that one reason."""
    lane, kind, mine, place = row.split()
    ask = Ask(
        kind=kind,
        lane=None if lane == "-" else lane,
        value=Money(minor=1, currency="USD"),
        account_in_lane=mine == "yes",
        missing=("the order total",),
    )
    decision = DESK.decide(ask)
    outside = (decision.guard.control, _codes(decision)) == (Control.REFUSE, ("outside_lane",))
    assert outside is (place == "outside")
    if mine == "yes":
        assert DESK.admits_kind(kind, ask.lane) is (place == "inside")


def test_the_written_orders() -> None:
    """Controls from loose to strict and reasons by precedence, as the specification lists them."""
    assert [control.value for control in sorted(Control, key=lambda c: c.strictness)] == (
        CONTROLS.split()
    )
    assert [code.value for code in sorted(ReasonCode, key=lambda c: PRECEDENCE[c])] == (
        REASONS.split()
    )


def test_currency_bands_say_where_they_begin_and_end() -> None:
    """The sentence for the reviewer names both ends of the band."""
    texts = [
        DESK.decide(_ask("refund.issue", value, "")).reasons[0].text
        for value in ("50.00 USD", "50.01 USD", "5000.01 USD", "1 JPY")
    ]
    assert texts == [
        "the amount is up to 50.00 USD",
        "the amount is above 50.00 USD and up to 1000.00 USD",
        "the amount is above 5000.00 USD",
        "the amount is up to 7500 JPY",
    ]


def test_a_band_above_a_limit_of_zero_says_so() -> None:
    """A limit of zero is a limit: what is above it is not `up to` something."""
    rule = msgspec.structs.replace(
        _desk().kinds["refund.issue"],
        bands={"USD": _bands("0 G2 run_and_notify", "100 G2 approve", "- G3 refuse")},
    )
    policy = Policy(name="desk", version=1, kinds={"refund.issue": rule}, lanes={})
    ask = Ask(kind="refund.issue", lane=None, value=Money(minor=1, currency="USD"))
    decision = compile_policy(policy).decide(ask)
    assert decision.guard.control is Control.APPROVE
    assert decision.reasons[0].text == "the amount is above 0.00 USD and up to 1.00 USD"
    free = msgspec.structs.replace(ask, value=Money(minor=0, currency="USD"))
    assert compile_policy(policy).decide(free).guard.control is Control.RUN_AND_NOTIFY
