"""The checks of a kind: what fails, what is cleared, and what waits for the sums."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handrail.core.money import Money
from handrail.core.policy import Otherwise, Policy
from handrail.policy.checks import KindChecks, compile_checks
from handrail.policy.conditions import Given
from handrail.policy.loader import load_text, problems_of

TEXT: Final = """
policy: checked
version: 1
lanes: {all: {kinds: "*"}}
accumulation: {window: 30d, currency: USD, kinds: {refund.issue: 100}}
kinds:
  refund.issue:
    title: Refund
    connector: desk
    axes: {reversibility: 2, blast_radius: 1, stakes: 2}
    params: {amount: {type: money}}
    value: amount
    facts: {left: money, vip: boolean}
    checks:
      within:
        require: params.amount.minor <= facts.left.minor
        otherwise: refuse
        reviewer: More than is left.
        agent: The order has not that much left.
      not_much:
        require: together.minor <= 5000
        otherwise: hold
        reviewer: Much lately.
    cleared:
      when: facts.vip
      bands:
        USD: [{up_to: "90.00", grade: G2, control: hold_and_recall}, {grade: G2, control: approve}]
    bands: {USD: [{grade: G2, control: approve}]}
"""


def policy(*changes: tuple[str, str]) -> Policy:
    """The policy with every first text replaced by the second."""
    text = TEXT
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return load_text(text, source="checked")


def checks(*changes: tuple[str, str]) -> KindChecks:
    """The checks of the refund."""
    return compile_checks(policy(*changes))["refund.issue"]


def given(amount: int, **facts: Any) -> Given:
    """A refund of so many cents, with facts."""
    known = {"left": "100.00 USD", "vip": True, **facts}
    value = Money(minor=amount, currency="USD")
    return Given(params={"amount": value}, facts=known, value=value, now=0)


def with_sums(asked: Given, together: int) -> Given:
    """The same, once the sums are read."""
    return Given(
        params=asked.params,
        facts=asked.facts,
        value=asked.value,
        now=asked.now,
        earlier=0,
        together=together,
    )


# cents | left | vip | together | what fails | cleared
SAID = """
1000  | 100.00 USD | yes  | 1000 |                       | yes
1000  | 100.00 USD | no   | 1000 |                       | no
1000  | 100.00 USD | -    | 1000 |                       | no
1000  | 100.00 USD | yes  | 5001 | not_much              | no
10001 | 100.00 USD | yes  | 1000 | within                | no
10001 | 100.00 USD | yes  | 9000 | within not_much       | no
1000  | -          | yes  | 1000 | within?               | no
1000  | nonsense   | yes  | 1000 | within?               | no
"""


@pytest.mark.parametrize("row", SAID.strip().splitlines())
def test_what_checks_say(row: str) -> None:
    """Every check that is not true failed, `?` marks one that could not be told."""
    cents, left, vip, together, failing, clear = (part.strip() for part in row.split("|"))
    facts = {
        "left": None if left == "-" else left,
        "vip": {"yes": True, "no": False, "-": None}[vip],
    }
    asked = given(int(cents), **facts)
    ready = checks()
    early = ready.early(asked)
    assert not early.cleared, "nothing is cleared before the sums are known"
    verdict = ready.late(early, with_sums(asked, int(together)))
    said = " ".join(one.name + ("?" if one.broken else "") for one in verdict.failed)
    assert said == failing
    assert verdict.cleared is (clear == "yes")


def test_a_failed_check_says_everything() -> None:
    """What people and the agent are told, which facts it is about, and what was not known."""
    failed = checks().early(given(1000, left=None)).failed[0]
    assert (failed.outcome, failed.text) == (Otherwise.REFUSE, "More than is left.")
    assert failed.agent == "The order has not that much left."
    assert failed.facts == ("left",)
    assert failed.unread == ("facts.left.minor",)


def test_without_sums_it_is_cleared_at_once() -> None:
    """Where nothing waits for the sums, the first answer is the last one."""
    ready = checks(("together.minor <= 5000", "facts.left.currency == 'USD'"))
    assert not ready.is_late
    assert ready.early(given(1000)).cleared
    assert not ready.early(given(1000, vip=False)).cleared


# what is changed | into | a piece of what is said | line
WRONG = [
    ("facts.left.minor", "facts.lft.minor", "undeclared reference", 15),
    ("when: facts.vip", "when: facts.vipp", "undeclared reference", 24),
    ("when: facts.vip", "when: facts.left.minor", "true or false", 24),
    ('up_to: "90.00", grade: G2, control: hold_and_recall', 'up_to: "90.00", grade: G2, control: '
     "escalate", "looser", 26),
    ("{grade: G2, control: approve}]\n    bands", "{grade: G3, control: refuse}]\n    bands",
     "may not be stricter", 23),
    ("USD: [{up_to", "EUR: [{up_to", "no bands for EUR", 26),
    ("otherwise: refuse", "otherwise: shrug", "flag", 16),
    ("together.minor", "together.mino", "undeclared reference", 20),
    ("left: money", "left: moneyy", "money", 12),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said", "line"), WRONG)
def test_what_is_wrong_is_said_with_its_line(old: str, new: str, said: str, line: int) -> None:
    """A policy with a condition that is none does not load."""
    assert old in TEXT
    assert problems_of(TEXT.lstrip()) == []
    problems = problems_of(TEXT.lstrip().replace(old, new))
    assert [one.line for one in problems if said in one.text] == [line], problems


def test_a_clearance_that_everything_has_is_refused() -> None:
    """Without a check and without `when` it would be a second, looser rule for everybody."""
    start, end = TEXT.index("    checks:"), TEXT.index("    cleared:")
    text = TEXT[:start] + TEXT[end:].replace("      when: facts.vip\n", "")
    assert any("nothing clears it" in one.text for one in problems_of(text))
