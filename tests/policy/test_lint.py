"""What can be read and must not be said: one row a rule, with its line."""

from __future__ import annotations

from typing import Final

import msgspec
import pytest

from handrail.core.accumulation import Accumulation
from handrail.core.caps import CapRule, Scope
from handrail.core.grade import Grade
from handrail.core.policy import Band, Control, Guard, LaneRule, Policy
from handrail.errors import PolicyInvalid
from handrail.policy.lint import lint
from handrail.policy.loader import load_text, problems_of
from handrail.policy.problem import Severity
from tests.policy.sample import GOOD, line_with, spoiled

BAND: Final = '- {up_to: "50.00", grade: G2, control: run_and_notify}'
READ: Final = "    params: {ticket: {type: id}}\n    control: run_and_log\n"
REVERSE: Final = "    control: approve\n  ticket.read"

# what stands there, what is put there instead, words of the line with the problem, the problem
KINDS: Final = "kinds:\n  refund.issue:\n"
ADDS: Final = (
    "accumulation: {window: 30d, currency: EUR, rates: {USD: 1.00, JPY: 1.00},"
    " kinds: {refund.reverse: 100}}\n"
)
GOOD_SUMS: Final = ADDS.replace("refund.reverse", "refund.issue")

TOOL: Final = (
    "  tool.pay:\n    title: Pay\n    connector: agent\n    runs_in: agent\n    value: sum\n"
    "    axes: {reversibility: 1, blast_radius: 1, stakes: 1}\n"
    "    params: {sum: {type: money}}\n    control: approve\n"
)
FEW: Final = "  few: {scope: desk, accounts: 5, window: 1d, kinds: [tool.pay]}\n"
IN_AGENT_SUMS: Final = ADDS.replace("refund.reverse", "tool.pay")

CHECK: Final = "{require: params.amount.minor > 0, otherwise: flag, reviewer: No."

TRUE: Final = "now == now"
UNDO: Final = "    undo: refund.reverse\n"
BANDS: Final = "bands: {USD: [{grade: G2, control: approve}]}"

ERRORS: Final = [
    ("    undo: refund.reverse\n", "", BAND,
     "`refund.issue` has no `undo`, so it may not run and notify"),
    (READ, "    control: run_and_notify\n", "control: run_and_notify\n",
     "`ticket.read` has no `undo`, so it may not run and notify"),
    ("undo: refund.reverse", "undo: refund.revers", "",
     "the undo `refund.revers` is not a kind of this policy (did you mean `refund.reverse`?)"),
    (REVERSE, "    control: approve\n    undo: refund.reverse\n  ticket.read",
     "undo: refund.reverse\n  ticket", "`refund.reverse` cannot be its own undo"),
    (BAND, '- {up_to: "50.00", grade: G1, control: run_and_notify}', "",
     "a band may not be G1: the axes of `refund.issue` already make it G2"),
    (BAND, '- {up_to: "50.00", grade: G3, control: approve}', "up_to: 1000.00",
     "G2 is below the G3 of the band for less money"),
    (BAND, '- {up_to: "50.00", grade: G2, control: refuse}', "up_to: 1000.00",
     "`approve` is looser than `refuse` for less money"),
    ("{up_to: 1000.00, grade: G2, control: approve}",
     "{up_to: 1000.00, grade: G2, control: maker_checker, checkers: 3}", "checkers: 2",
     "`maker_checker` by 2 is looser than `maker_checker` by 3 for less money"),
    ("up_to: 1000.00", "up_to: 50.00", "", "`up_to` must be higher than that of the band before"),
    ("up_to: 1000.00", "up_to: 49.99", "", "`up_to` must be higher than that of the band before"),
    ("- {up_to: 1000.00, grade: G2, control: approve}", "- {grade: G2, control: approve}",
     "checkers: 2", "no amount reaches this band: the one before has no `up_to`"),
    ("        - {grade: G3, control: maker_checker, checkers: 2}\n", "", "up_to: 1000.00",
     "the last band of USD must have no `up_to`: nothing is above it"),
    ("    value: amount\n", "", "bands:", "`refund.issue` has bands, but no `value` to look at"),
    ("value: amount", "value: amont", "",
     "`amont` is not a money parameter (did you mean `amount`?)"),
    ("value: amount", "value: order", "", "`order` is not a money parameter"),
    ("runs_in: gateway", "runs_in: agent\n    value_from: connector", "value_from",
     "`refund.issue` runs in the agent: no connector says what it moves"),
    ("kinds: [ticket.read]", "kinds: [ticket.reed]", "",
     "`ticket.reed` is not a kind of this policy (did you mean `ticket.read`?)"),
    ("kinds: [refund.issue]", "kinds: [refund]", "",
     "`refund` is not a kind of this policy (did you mean `refund.issue`?)"),
    (KINDS, ADDS + KINDS, "accumulation:",
     "`refund.reverse` has no `value`, so it adds nothing up"),
    (KINDS, ADDS.replace("refund.reverse", "refund") + KINDS, "accumulation:",
     "`refund` is not a kind of this policy (did you mean `refund.issue`?)"),
    (KINDS, GOOD_SUMS.replace("USD: 1.00", "USD: 0.00") + KINDS,
     "accumulation:", "the rate of USD must be above zero"),
    (KINDS, GOOD_SUMS.replace("EUR", "EUX") + KINDS,
     "accumulation:", "`EUX` is not an ISO 4217 currency"),
    ("{scope: agent, count: 30, window: 1m}", "{scope: customer, accounts: 30, window: 1m}",
     "", "cap `replies` counts customers of one customer: there is never more than one"),
    ("connectors: [desk]", "connectors: [desk, crm]", "",
     "no kind is served by a connector `crm`"),
    (REVERSE, "    control: escalate\n    catchable: no\n    cleared: {when: now"
     " == now, control: approve}\n  ticket.read", "refund.reverse:\n",
     "`approve` alone does not help: `catchable` is no; add a cap that names it, hold it back, or"
     " refuse it"),
    (UNDO, f"{UNDO}    cleared: {{when: {TRUE}, control: hold_and_recall}}\n", "cleared:",
     "`cleared` needs `bands`, as `refund.issue` has"),
    (REVERSE, f"    control: approve\n    cleared: {{when: {TRUE}, {BANDS}}}\n  ticket.read",
     "cleared:", "`cleared` needs `control`, as `refund.reverse` has"),
    (REVERSE, "    control: approve\n    catchable: no\n  ticket.read",
     "refund.reverse:\n", "`approve` alone does not help: `catchable` is no;"
     " add a cap that names it, hold it back, or refuse it"),
]  # fmt: skip

WARNINGS: Final = [
    (KINDS, "limits: {open_per_agent: 9, waiting_per_desk: 8}\n" + KINDS, "limits:",
     "one agent may have more open than may wait on the whole desk"),
    ('money: "20000.00 USD"', 'money: "49.99 USD"', BAND,
     "this band runs alone up to more than cap `refunds-per-day` ever lets through"),
    (KINDS, GOOD_SUMS.replace("USD: 1.00, ", "") + KINDS,
     "accumulation:",
     "no rate says what USD is worth in EUR: every amount of it counts as above the highest band"),
    ("kinds: [refund.issue]", "kinds: [refund.issue, refund.reverse]", "",
     "`refund.reverse` has no `value`, so cap `refunds-per-day` counts nothing of it"),
    ("  ticket.read:\n    title: Read a ticket\n    connector: desk",
     "  ticket.read:\n    title: Read a ticket\n    connector: crm", "    kinds: [ticket.read]",
     "lane `triage` cannot use it: connector `crm` of `ticket.read` is not among its connectors"),
    ('support: {kinds: "*"}', "support: {kinds: [ticket.read]}", "refund.issue:\n",
     "no lane lets a task touch `refund.issue`"),
    (READ, "    params: {sum: {type: money}}\n    control: run_and_log\n", "ticket.read:\n",
     "no band or cap looks at `sum`: `value` does not name it"),
    ("axes: {reversibility: 0,", "axes: {reversibility: 3,", "control: run_and_log",
     "G3 with `run_and_log`: it runs at once, and nobody is asked"),
    (KINDS, FEW + KINDS.replace("kinds:\n", "kinds:\n" + TOOL), "few:",
     "`tool.pay` runs in the agent: no connector says whose it is, so cap `few` counts nothing of"
     " it"),
    (KINDS, IN_AGENT_SUMS + KINDS.replace("kinds:\n", "kinds:\n" + TOOL), "accumulation:",
     "`tool.pay` runs in the agent: no connector says whose it is, so all of it adds up as one"
     " customer's"),
    ("- {up_to: 1000.00, grade: G2, control: approve}",
     "- {up_to: 1000.00, grade: G2, control: run_and_notify}", "",
     "this band does what the one before it does"),
    ("    undo: refund.reverse\n", "    undo: refund.reverse\n    facts: {left: money}\n", "facts:",
     "no condition looks at the fact `left`"),
    ("    undo: refund.reverse\n", f"    undo: refund.reverse\n    checks: {{c: {CHECK}, agent: At"
     " most 50 dollars.}}\n", "checks:", "the agent is told a figure, and must not learn a limit"),
]  # fmt: skip


def test_good_policy_has_no_problem() -> None:
    """The sample that the rows spoil is clean, warnings included."""
    assert problems_of(GOOD) == []


@pytest.mark.parametrize(("old", "new", "words", "said"), ERRORS)
def test_error_keeps_a_policy_from_loading(old: str, new: str, words: str, said: str) -> None:
    """Each row breaks one rule, once, on one line; the policy does not load."""
    text = spoiled(old, new)
    line = line_with(text, words or new)
    found = problems_of(text)
    assert [(problem.line, problem.text) for problem in found] == [(line, said)]
    assert found[0].severity is Severity.ERROR
    with pytest.raises(PolicyInvalid, match=f"^policy_invalid: p:{line}: "):
        load_text(text, source="p")


@pytest.mark.parametrize(
    "value", ["value_from: connector", "value: amount\n    value_from: params"]
)
def test_bands_may_look_at_what_the_connector_says(value: str) -> None:
    """An action without an amount of its own has bands all the same; caps count it too."""
    text = spoiled("value: amount", value)
    assert problems_of(text) == []
    kind = load_text(text, source="p").kinds["refund.issue"].kind
    assert kind.value_from_connector is value.endswith("connector")


@pytest.mark.parametrize(("old", "new", "words", "said"), WARNINGS)
def test_warning_does_not(old: str, new: str, words: str, said: str) -> None:
    """Each row is odd, and said to be, and loads."""
    text = spoiled(old, new)
    found = problems_of(text)
    line = line_with(text, words or new)
    assert [(problem.line, problem.text) for problem in found] == [(line, said)]
    assert found[0].severity is Severity.WARNING
    assert load_text(text, source="p").name == "small-desk"


def uncatchable(*, caps: str = "", control: str = "control: approve") -> str:
    """A policy with one kind whose mistakes nobody catches."""
    return (
        "policy: p\nversion: 1\nlanes: {a: {kinds: '*'}}\n"
        f"caps: {{{caps}}}\n"
        "kinds:\n  k: {title: K, connector: desk, catchable: no,\n"
        "    axes: {reversibility: 2, blast_radius: 1, stakes: 2},\n"
        f"    params: {{sum: {{type: money}}}}, value: sum,\n    {control}}}\n"
    )


BANDED: Final = "bands: {USD: [{grade: G2, control: approve}]}"
STRICT_TOP: Final = (
    'bands: {USD: [{up_to: "9", grade: G2, control: approve}, {grade: G3, control: refuse}]}'
)
MONEY: Final = "c: {scope: desk, money: 9.00 USD, window: 1d, kinds: [k]}"
EUROS: Final = "c: {scope: desk, money: 9.00 EUR, window: 1d, kinds: [k]}"
COUNT: Final = "c: {scope: desk, count: 9, window: 1d, kinds: [k]}"

BOUNDED: Final = [
    ("", "control: approve", Severity.ERROR),
    (COUNT, "control: approve", None),
    # a cap over everything was not set with this kind in mind
    (COUNT.replace(", kinds: [k]", ""), "control: approve", Severity.ERROR),
    # a money cap leaves every other currency open
    (MONEY, "control: approve", Severity.ERROR),
    (MONEY, BANDED, Severity.ERROR),
    (MONEY, STRICT_TOP, None),
    (EUROS, STRICT_TOP, Severity.ERROR),
    (COUNT, BANDED, None),
    ("", "control: maker_checker, checkers: 1", Severity.WARNING),
    (COUNT, "control: maker_checker, checkers: 1", None),
    ("", "control: hold_and_recall", None),
    ("", "control: refuse", None),
    ("", "control: escalate", None),
]


@pytest.mark.parametrize(("caps", "control", "severity"), BOUNDED)
def test_what_nobody_catches_is_bounded(caps: str, control: str, severity: Severity | None) -> None:
    """With `catchable: no`, asking a person needs something beside it that bounds the damage."""
    found = problems_of(uncatchable(caps=caps, control=control))
    assert [problem.severity for problem in found] == ([] if severity is None else [severity])


LONE: Final = [
    ("bands: {USD: [{grade: G2, control: hold_and_recall}]}", "",
     ["any amount of USD runs alone here; add a band or a cap",
      "the strictest band runs alone, and so does any currency that is not listed"]),
    ("bands: {USD: [{grade: G2, control: hold_and_recall}]}", MONEY,
     ["the strictest band runs alone, and so does any currency that is not listed"]),
    ('bands: {USD: [{up_to: "5", grade: G2, control: hold_and_recall},'
     " {grade: G2, control: refuse}]}", "", []),
]  # fmt: skip


@pytest.mark.parametrize(("control", "caps", "said"), LONE)
def test_money_that_runs_alone_should_end_somewhere(
    control: str, caps: str, said: list[str]
) -> None:
    """Amounts without end that run alone are pointed at."""
    found = problems_of(uncatchable(caps=caps, control=control))
    assert sorted(problem.text for problem in found) == said


def changed(**changes: object) -> Policy:
    """The sample as built in code, with some parts replaced."""
    return msgspec.structs.replace(load_text(GOOD, source="p"), **changes)


def banded(*bands: Band, currency: str = "USD") -> Policy:
    """The sample with these bands on its refunds."""
    kinds = dict(load_text(GOOD, source="p").kinds)
    rule = kinds["refund.issue"]
    kinds["refund.issue"] = msgspec.structs.replace(rule, bands={currency: bands})
    return changed(kinds=kinds)


REFUSE: Final = Guard(control=Control.REFUSE)
NO_CHECKERS: Final = Guard(control=Control.MAKER_CHECKER)
IDLE_CHECKER: Final = Guard(control=Control.APPROVE, checkers=1)
DAY_MS: Final = 86_400_000

IN_CODE: Final = [
    (changed(lanes={"a": LaneRule(name="a", kinds=("*",)), "b": LaneRule(name="b", kinds=())}),
     "lane `b` has no kinds"),
    (changed(accumulation=Accumulation(
        window_ms=0, currency="USD", weights={"refund.issue": 100}, rates={"JPY": 1})),
     "the accumulation must have a window above zero"),
    (changed(caps=(CapRule(name="c", scope=Scope.DESK, limit=0, window_ms=DAY_MS),)),
     "cap `c` must have a limit and a window above zero"),
    (changed(caps=(CapRule(name="c", scope=Scope.DESK, limit=1, window_ms=0),)),
     "cap `c` must have a limit and a window above zero"),
    (changed(caps=(CapRule(name="c", scope=Scope.DESK, limit=1, window_ms=1, currency="ABC"),)),
     "`ABC` is not an ISO 4217 currency"),
    (banded(), "the last band of USD must have no `up_to`: nothing is above it"),
    (banded(Band(up_to_minor=None, grade=Grade.G2, guard=REFUSE), currency="ABC"),
     "`ABC` is not an ISO 4217 currency"),
    (banded(Band(up_to_minor=None, grade=Grade.G2, guard=NO_CHECKERS)),
     "`maker_checker` needs `checkers`, at least 1"),
    (banded(Band(up_to_minor=None, grade=Grade.G2, guard=IDLE_CHECKER)),
     "`checkers` stands only with `maker_checker`"),
]  # fmt: skip


@pytest.mark.parametrize(("policy", "said"), IN_CODE)
def test_policy_built_in_code_is_checked_too(policy: Policy, said: str) -> None:
    """What a file cannot even say is an error in a policy made by hand; it has no line."""
    (problem,) = lint(policy)
    assert (problem.line, problem.text, problem.severity) == (0, said, Severity.ERROR)


def test_two_caps_of_one_name_are_an_error() -> None:
    """Reservations are kept by the name of the cap."""
    cap = CapRule(name="c", scope=Scope.DESK, limit=1, window_ms=DAY_MS)
    found = {problem.text for problem in lint(changed(caps=(cap, cap)))}
    assert found == {"two caps are called `c`"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Read a ticket", "title: ''"),
        ("title: Take a refund back", "titles: x"),
        ('support: {kinds: "*"}', "support: {kinds: 5}"),
        ("kinds: [refund.issue]", "kinds: []"),
    ],
)
def test_what_could_not_be_read_starts_no_further_complaints(old: str, new: str) -> None:
    """A spoiled kind, lane or cap is still known by its name, so nothing else is made up."""
    text = spoiled(old, new)
    at = line_with(text, new)
    # a key that is not known leaves another one missing, at the head of its record
    assert {problem.line for problem in problems_of(text)} <= {at, at - 1}


def test_cap_that_could_not_be_read_may_be_the_bound() -> None:
    """Only what the file gets wrong is named, not what would follow from leaving it out."""
    (problem,) = problems_of(uncatchable(caps=COUNT.replace("1d", "soon")))
    assert problem.text.startswith("`window` must be a span of time")
