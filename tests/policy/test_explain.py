"""Explaining a case: why it is decided so, and every "if" tried, none guessed."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest

from handrail.core.grade import Grade
from handrail.core.money import Money
from handrail.core.policy import Control
from handrail.policy.case import Case, Judge, found_by
from handrail.policy.explain import Explanation, explain
from handrail.policy.loader import load, load_text
from tests.policy.test_checks import TEXT

PACK: Final = load("support-desk")
CHECKED: Final = load_text(TEXT, source="checked")
KNOWN: Final = {"order_owner": "C-1", "refundable": "500.00 USD"}


def refund(amount: str, **changes: Any) -> Case:
    """A refund in the lane `support` under the pack, and what is different."""
    value = Money.parse(amount)
    case: dict[str, Any] = {
        "kind": "refund.issue",
        "now": 0,
        "lane": "support",
        "params": {"order": "O-1", "amount": value, "reason": "damaged"},
        "facts": KNOWN,
        "value": value,
    }
    return Case(**{**case, **changes})


def turns(found: Explanation) -> dict[str, str]:
    """What would be decided, by what would have to be different."""
    return {
        turn.what: f"{turn.decision.guard.control.value} {turn.decision.grade.name} "
        + ("looser" if turn.looser else "stricter")
        for turn in found.turns
    }


def test_the_nearest_amounts() -> None:
    """Where the band ends below and above, to the cent."""
    said = turns(explain(PACK, refund("60.00 USD")))
    assert said["the amount were 50.00 USD"] == "run_and_notify G2 looser"
    assert said["the amount were 1000.01 USD"] == "maker_checker G3 stricter"


def test_a_reply_without_a_find() -> None:
    """What was found in a text is counted as live, and what would be if nothing were."""
    pack = load("support-desk-recall")
    kind = pack.kinds["reply.send"].kind
    known = dict.fromkeys(pack.kinds["reply.send"].kind.needs, "known")
    params: dict[str, object] = {"ticket": "T-1", "body": "You get 20.00 USD."}
    reply = Case(kind=kind.name, now=0, lane="support", params=params, facts={**known})
    found = found_by(kind, params, None)
    assert (found["money"], found["any"]) == (1, 1)
    said = turns(explain(pack, msgspec.structs.replace(reply, found=found)))
    assert said["nothing were found in its texts"] == "hold_and_recall G2 looser"
    clean = found_by(kind, {**params, "body": "Thank you."}, None)
    said = turns(explain(pack, msgspec.structs.replace(reply, found=clean)))
    assert "nothing were found in its texts" not in said
    assert found_by(pack.kinds["refund.issue"].kind, params, None) == {}


def test_what_the_customer_had_moves_them() -> None:
    """With 20.00 earlier, 30.00 is the most that runs alone; and without it more would."""
    said = turns(explain(PACK, refund("45.00 USD", earlier=2_000)))
    assert said["the amount were 30.00 USD"] == "run_and_notify G2 looser"
    assert said["the customer had been given nothing lately"] == "run_and_notify G2 looser"


# what is different | a piece of an "if" | what then
TRIED = [
    ({"facts": {}}, None, None),
    ({"against": ("the account is cancelled",)}, "did not speak against it", "run_and_notify"),
    ({"hidden": ("U+202E",)}, "no characters were hidden", "run_and_notify"),
    ({"unresolved": ("{{x}}",)}, "every placeholder were filled in", "run_and_notify"),
    ({"missing": ("weather",)}, "every fact could be read", "run_and_notify"),
    ({"claim": Grade.G3}, "the agent claimed no grade", "run_and_notify"),
    ({"lane": "triage"}, "the task were in lane `support`", "run_and_notify"),
    ({}, "the fact `refundable` could not be read", "approve"),
]


@pytest.mark.parametrize(("changes", "what", "then"), TRIED)
def test_one_thing_at_a_time(changes: dict[str, Any], what: str | None, then: str | None) -> None:
    """Each thing that speaks against it is taken away, and each fact, by itself."""
    said = turns(explain(PACK, refund("20.00 USD", **changes)))
    found = {text: outcome for text, outcome in said.items() if what is not None and what in text}
    assert bool(found) is (what is not None)
    assert all(then is not None and outcome.startswith(then) for outcome in found.values())


def test_checks_and_what_they_would_change() -> None:
    """Which passed, which did not, what they look at; and what if it had passed."""
    value = Money.parse("60.00 USD")
    case = Case(
        kind="refund.issue",
        now=0,
        params={"amount": value},
        facts={"left": "50.00 USD", "vip": True},
        value=value,
        earlier=0,
    )
    found = explain(CHECKED, case)
    assert found.decision.guard.control is Control.REFUSE
    assert [one.name for one in found.failed] == ["within", "not_much"]
    assert found.looks_at == {"left": "50.00 USD", "vip": True}
    assert not found.cleared
    said = turns(found)
    assert said["the check `within` passed"] == "approve G2 looser"
    assert said["the amount were 50.00 USD"] == "hold_and_recall G2 looser"
    assert "the fact `left` could not be read" not in said, "refused all the same"


def test_a_fact_that_is_yes_or_no_is_tried_both_ways() -> None:
    """What is cleared by a fact is not without it."""
    value = Money.parse("20.00 USD")
    facts: dict[str, str | int | bool | None] = {"left": "50.00 USD", "vip": True}
    case = Case(kind="refund.issue", now=0, params={"amount": value}, facts=facts, value=value)
    found = explain(CHECKED, case)
    assert found.cleared
    said = turns(found)
    assert said["the fact `vip` were no"] == "approve G2 stricter"
    assert said["the fact `vip` could not be read"] == "approve G2 stricter"
    assert said["the fact `left` could not be read"] == "refuse G3 stricter"


def test_an_unknown_kind() -> None:
    """N10: nothing would change it but another lane, and nothing is looked at."""
    found = explain(PACK, Case(kind="moon.buy", now=0, lane="support"))
    assert (found.decision.guard.control, found.decision.grade) == (
        Control.MAKER_CHECKER,
        Grade.G3,
    )
    assert found.looks_at == {}
    assert turns(found) == {"the task were in lane `triage`": "refuse G3 stricter"}


@pytest.mark.parametrize("kind", sorted(PACK.kinds))
@pytest.mark.parametrize("amount", ["0.01 USD", "50.00 USD", "50.01 EUR", "4999.99 GBP", "1 JPY"])
def test_every_if_is_true(kind: str, amount: str) -> None:
    """Nothing is said to change the answer that does not; amounts are tried by themselves."""
    value = Money.parse(amount) if PACK.kinds[kind].kind.value else None
    case = refund(amount, kind=kind, value=value, params={}, as_undo=True)
    found = explain(PACK, case)
    judge = Judge(PACK)
    assert judge.decide(case) == found.decision
    for turn in found.turns:
        then = (turn.decision.guard, turn.decision.grade)
        assert then != (found.decision.guard, found.decision.grade)
        assert turn.looser is (
            (turn.decision.guard.order, turn.decision.grade)
            < (found.decision.guard.order, found.decision.grade)
        )
        if turn.what.startswith("the amount were "):
            tried = Money.parse(turn.what.removeprefix("the amount were "))
            again = judge.decide(refund(amount, kind=kind, value=tried, params={}, as_undo=True))
            assert again == turn.decision
